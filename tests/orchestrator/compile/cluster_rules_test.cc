// What is wrong only when all tasks of all hosts are looked at together.
#include "orchestrator/compile/virtual_routers.h"
#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

std::string Both(const std::string& more) {
  return OneTask(
      "vrrp_instance: {name: web, interface: eth0, virtual_router_id: 51, addresses: "
      "[10.0.0.100], " +
          more + "}",
      "directors");
}

// Different priorities, so that no warning comes with what is looked for.
const std::string kPriority = "priority: \"{{ 150 if inventory_hostname == 'lb1' else 100 }}\"";

std::string ByHost(const std::string& key, const std::string& lb1, const std::string& other) {
  return kPriority + ", " + key + ": \"{{ " + lb1 + " if inventory_hostname == 'lb1' else " +
         other + " }}\"";
}

std::string Warnings(const std::string& text) {
  const auto run = CompileText(text);
  EXPECT_TRUE(run) << (run ? "" : Format(run.error()));
  std::string all;
  if (run) {
    for (const auto& warning : run->warnings) all += warning.message + "\n";
  }
  return all;
}

TEST(ClusterRules, WhatNobodyDefinesIsSaidWhereItIsNamed) {
  const std::string task =
      "vrrp_instance: {name: web, interface: eth0, virtual_router_id: 51, addresses: 10.0.0.100, "
      "track: [uplnk, {name: gone, weight: -5}]}";
  EXPECT_EQ(
      CompileErrors("- hosts: directors\n  tasks:\n    - tracker: {name: uplink, interface: eth0}\n"
                    "    - " +
                    task + "\n"),
      "site.yml:4:105: no tracker \"uplnk\" is defined for this host [did you mean \"uplink\"?]\n"
      "site.yml:4:119: no tracker \"gone\" is defined for this host [one of: uplink]");
  EXPECT_EQ(CompileErrors(OneTask("vrrp_group: {name: pair, instances: [a, b]}")),
            "site.yml:3:44: no vrrp_instance \"a\" is defined for this host [define it with a task "
            "of module \"vrrp_instance\" in this playbook]\n"
            "site.yml:3:47: no vrrp_instance \"b\" is defined for this host [define it with a task "
            "of module \"vrrp_instance\" in this playbook]");
  EXPECT_EQ(CompileErrors(OneTask("tracker: {name: t, service: '10.0.0.100:80'}")),
            "site.yml:3:35: no virtual_service \"tcp 10.0.0.100:80\" is defined for this host "
            "[define it with a task of module \"virtual_service\" in this playbook]");
}

TEST(ClusterRules, OneVirtualRouterIdOnOneInterface) {
  EXPECT_EQ(
      CompileErrors("- hosts: lb1\n  tasks:\n"
                    "    - vrrp_instance: {name: a, interface: eth0, virtual_router_id: 1, "
                    "addresses: 10.0.0.1}\n"
                    "    - vrrp_instance: {name: b, interface: eth0, virtual_router_id: 1, "
                    "addresses: 10.0.0.2}\n"
                    "    - vrrp_instance: {name: c, interface: eth1, virtual_router_id: 1, "
                    "addresses: 10.0.1.1}\n"
                    "    - vrrp_instance: {name: d, interface: eth0, virtual_router_id: 1, "
                    "addresses: 'fe80::1'}\n"),
      "site.yml:4:29: vrrp_instance b and a would be the same virtual router: id 1 on eth0 [give "
      "one of them another virtual_router_id]");
}

TEST(ClusterRules, OneAddressInOneInstance) {
  EXPECT_EQ(CompileErrors("- hosts: lb1\n  tasks:\n"
                          "    - vrrp_instance: {name: a, interface: eth0, virtual_router_id: 1, "
                          "addresses: 10.0.0.1}\n"
                          "    - vrrp_instance: {name: b, interface: eth0, virtual_router_id: 2, "
                          "addresses: 10.0.0.2, excluded_addresses: 10.0.0.1}\n"),
            "site.yml:4:29: 10.0.0.1 is an address of vrrp_instance a and of b");
}

TEST(ClusterRules, TheSameInstanceTwiceOnOneHost) {
  EXPECT_EQ(
      CompileErrors("- hosts: lb1\n  tasks:\n"
                    "    - vrrp_instance: {name: a, interface: eth0, virtual_router_id: 1, "
                    "addresses: 10.0.0.1}\n"
                    "    - vrrp_instance: {name: a, interface: eth0, virtual_router_id: 1, "
                    "addresses: 10.0.0.1}\n"),
      "site.yml:4:29: vrrp_instance a is defined twice on one host [the first definition is at "
      "site.yml:3:29]");
}

TEST(ClusterRules, SettingsThatMakeTwoMastersAreRefused) {
  const std::string start = "site.yml:3:29: vrrp_instance web would have two masters: ";
  const std::string end = " [the settings depend on the host; make them the same]";
  EXPECT_EQ(CompileErrors(Both(ByHost("version", "3", "2"))),
            start + "the version is 2 on lb2 and 3 on lb1" + end);
  EXPECT_EQ(CompileErrors(Both("version: 2, " + ByHost("advert_interval", "'1s'", "'2s'"))),
            start + "the advert interval is 2s on lb2 and 1s on lb1" + end);
  EXPECT_EQ(CompileErrors(Both("version: 2, " + ByHost("password", "'geheim'", "'secret'"))),
            start + "the password on lb2 is not that on lb1" + end);
  EXPECT_EQ(CompileErrors(Both(ByHost("unicast_peers", "['lb2']", "[]"))),
            start + "the way of adverts is multicast on lb2 and unicast on lb1" + end);
  EXPECT_EQ(CompileErrors(Both("priority: 255")),
            start + "both lb2 and lb1 have priority 255, that of the owner" + end);
  EXPECT_EQ(CompileErrors("- hosts: lb1\n  tasks:\n"
                          "    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 1, "
                          "priority: 150, addresses: 10.0.0.1}\n"
                          "- hosts: lb2\n  tasks:\n"
                          "    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 1, "
                          "addresses: [10.0.0.1, 10.0.0.2]}\n"),
            "site.yml:6:29: vrrp_instance web would have two masters: the addresses on lb2 are not "
            "those on lb1 [the other one is at site.yml:3:29]");
}

TEST(ClusterRules, VersionThreeLearnsTheIntervalSoThatItMayDiffer) {
  EXPECT_EQ(CompileErrors(Both(ByHost("advert_interval", "'1s'", "'2s'"))), "no error");
}

TEST(ClusterRules, OneAddressCannotBelongToTwoRouters) {
  EXPECT_EQ(CompileErrors(OneTask("vrrp_instance: {name: web, interface: eth0, virtual_router_id: "
                                  "\"{{ 1 if inventory_hostname == 'lb1' else 2 }}\", addresses: "
                                  "10.0.0.1}",
                                  "directors")),
            "site.yml:3:29: 10.0.0.1 belongs to virtual router 2 on lb2 and to 1 on lb1: both "
            "would hold it");
}

TEST(ClusterRules, AFixedAddressDoesNotMove) {
  EXPECT_EQ(CompileErrors("- hosts: directors\n  tasks:\n"
                          "    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 1, "
                          "addresses: 10.0.0.1, " +
                          kPriority +
                          "}\n"
                          "    - vip: {address: 10.0.0.1, interface: eth0}\n"
                          "      when: inventory_hostname == 'lb2'\n"),
            "site.yml:4:22: 10.0.0.1 is a fixed address of lb2 and moves with vrrp_instance web of "
            "lb1 [take the \"vip\" task out: VRRP sets the address]");
}

TEST(ClusterRules, ADirectorMayBeARealServerToo) {
  EXPECT_EQ(CompileErrors("- hosts: directors\n  tasks:\n"
                          "    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 1, "
                          "addresses: 10.0.0.1, " +
                          kPriority +
                          "}\n"
                          "    - real_server: {vip: 10.0.0.1}\n"),
            "no error");
}

TEST(ClusterRules, BothEndsOfATunnelAgree) {
  const auto errors = [](const std::string& server, const std::string& service) {
    return CompileErrors(
        "- hosts: rs1\n  tasks:\n    - real_server: {vip: 10.0.0.100, tunnel: " + server +
        "}\n- hosts: lb1\n  tasks:\n    - virtual_service: {address: "
        "'10.0.0.100:80', real_servers: [rs1], forward: tun, tunnel: " +
        service + "}\n");
  };
  for (const char* same : {"ipip", "gre", "gue", "gue, tunnel_port: 6666"}) {
    EXPECT_EQ(errors(same, same), "no error");
  }
  EXPECT_EQ(errors("gue", "gue, tunnel_checksum: csum"), "no error");
  EXPECT_EQ(errors("gue", "gue, tunnel_port: 6666"),
            "site.yml:6:34: service tcp 10.0.0.100:80: packets for real server rs1 are wrapped in "
            "gue port 6666, and it unwraps gue port 6080 [give its \"real_server\" task the same "
            "tunnel]");
  EXPECT_EQ(errors("ipip", "gre"),
            "site.yml:6:34: service tcp 10.0.0.100:80: packets for real server rs1 are wrapped in "
            "gre, and it unwraps ipip [give its \"real_server\" task the same tunnel]");
}

TEST(ClusterRules, EqualPrioritiesAreWarnedAbout) {
  EXPECT_EQ(Warnings(Both("priority: 100")),
            "vrrp_instance web: the same priority 100 on lb1, lb2; the higher address becomes "
            "master\n");
  EXPECT_EQ(Warnings(Both(kPriority)), "");
}

TEST(ClusterRules, TwoClustersMayUseOneIdOnDifferentNetworks) {
  const std::string text =
      "- hosts: lb1\n  tasks:\n    - vrrp_instance: {name: a, interface: eth0, virtual_router_id: "
      "51, addresses: 10.0.0.1}\n"
      "- hosts: lb2\n  tasks:\n    - vrrp_instance: {name: b, interface: eth0, virtual_router_id: "
      "51, version: 2, addresses: 10.9.0.1}\n";
  EXPECT_EQ(Warnings(text), "");
  const auto run = CompileText(text);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->virtual_routers.size(), 2U);
}

TEST(ClusterRules, TheRunKnowsWhoSharesAnInstanceAndWhoIsLeftOut) {
  CompileOptions options;
  options.limit = "lb1";
  const auto run = CompileText(Both(kPriority), options);
  ASSERT_TRUE(run) << Format(run.error());
  ASSERT_EQ(run->virtual_routers.size(), 1U);
  EXPECT_EQ(run->virtual_routers[0].members,
            (std::map<std::string, std::string>{{"lb1", "web"}, {"lb2", "web"}}));
  EXPECT_EQ(run->virtual_routers[0].left_out, std::set<std::string>{"lb2"});
}

TEST(ClusterRules, TagsThatLeaveTheInstanceOutCount) {
  CompileOptions options;
  options.tags = {"other"};
  const auto run =
      CompileText(Both(kPriority) + "    - command: /bin/true\n      tags: other\n", options);
  ASSERT_TRUE(run) << Format(run.error());
  EXPECT_EQ(run->virtual_routers.at(0).left_out, (std::set<std::string>{"lb1", "lb2"}));
}

TEST(ClusterRules, HostsOfDifferentPlaysThatShareAnInstanceAreSettledTogetherAtTheEnd) {
  const auto play = [](const std::string& host, const std::string& priority) {
    return "- hosts: " + host +
           "\n  tasks:\n    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 51, "
           "addresses: 10.0.0.100, priority: " +
           priority + "}\n";
  };
  const auto run = CompileText(play("lb1", "150") + play("lb2", "100"));
  ASSERT_TRUE(run) << Format(run.error());
  ASSERT_EQ(run->plays.size(), 3U);
  EXPECT_EQ(run->plays[0].tasks.size(), 1U);
  EXPECT_EQ(run->plays[2].hosts, (std::vector<std::string>{"lb1", "lb2"}));
  EXPECT_EQ(run->plays[2].tasks.at(0).module, "prune");
  const auto together = CompileText(Both(kPriority));
  ASSERT_TRUE(together);
  EXPECT_EQ(together->plays.size(), 1U);
}

TEST(ClusterRules, HostsOfDifferentBatchesThatShareAnInstanceAreSettledTogetherAtTheEnd) {
  std::string text = Both(kPriority);
  text.insert(text.find("\n  tasks:"), "\n  serial: 1");
  const auto run = CompileText(text);
  ASSERT_TRUE(run) << Format(run.error());
  ASSERT_EQ(run->plays.size(), 2U);
  EXPECT_TRUE(run->plays[0].policy.in_batches());
  EXPECT_EQ(run->plays[1].tasks.at(0).module, "prune");
  EXPECT_FALSE(run->plays[1].policy.in_batches());
}

TEST(ConnectionSyncModule, RunsBothRolesWithOneIdAndTheSettingsThatKeepConnections) {
  const auto state = StateOf("connection_sync: {interface: eth0, id: 7}");
  SyncDaemon master;
  master.interface = "eth0";
  master.sync_id = 7;
  SyncDaemon backup = master;
  backup.role = SyncRole::kBackup;
  EXPECT_EQ(state.sync_daemons, (std::vector{master, backup}));
  EXPECT_EQ(state.sysctls, (std::vector<Sysctl>{{"net/ipv4/vs/sync_threshold", "3 0"},
                                                {"net/ipv4/vs/sync_refresh_period", "10"},
                                                {"net/ipv4/vs/sync_retries", "1"}}));
}

TEST(ConnectionSyncModule, ThePlaybooksOwnThresholdStands) {
  const auto run = CompileText(
      "- hosts: lb1\n  tasks:\n    - sysctl: {net.ipv4.vs.sync_threshold: 2 50}\n"
      "    - connection_sync: {interface: eth0}\n");
  ASSERT_TRUE(run) << Format(run.error());
  EXPECT_EQ(run->states.at("lb1").sysctls.front(), (Sysctl{"net/ipv4/vs/sync_threshold", "2 50"}));
  EXPECT_EQ(run->states.at("lb1").sysctls.size(), 3U);
}

TEST(ConnectionSyncModule, StatelessNeedsHashing) {
  const std::string service = "    - virtual_service: {address: '10.0.0.1:80', scheduler: ";
  const std::string play = "- hosts: lb1\n  tasks:\n    - connection_sync: {profile: stateless}\n";
  EXPECT_EQ(CompileErrors(play + service + "mh}\n"), "no error");
  EXPECT_EQ(CompileErrors(play + service + "rr}\n"),
            "site.yml:3:34: the stateless profile needs hashing schedulers, but tcp 10.0.0.1:80 "
            "has scheduler rr [give it \"scheduler: mh\", or take the stateful profile]");
  const auto state = StateOf("connection_sync: {profile: stateless}");
  EXPECT_TRUE(state.sync_daemons.empty());
  EXPECT_EQ(state.sysctls, (std::vector<Sysctl>{{"net/ipv4/vs/sloppy_tcp", "1"}}));
}

TEST(ConnectionSyncModule, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"connection_sync: {}", "24: module \"connection_sync\" needs the key \"interface\""},
      {"connection_sync: {interface: eth0, id: 0}",
       "46: \"id\" of module \"connection_sync\" takes a number from 1 to 255, not 0"},
      {"connection_sync: {interface: eth0, group: 10.0.0.1}",
       "49: \"10.0.0.1\" is no multicast address"},
      {"connection_sync: {interface: eth0, ttl: 0}",
       "47: \"ttl\" of module \"connection_sync\" takes a number from 1 to 255, not 0"},
      {"connection_sync: {profile: statelss}",
       "34: unknown profile \"statelss\" of module \"connection_sync\" [did you mean "
       "\"stateless\"?]"},
      {"connection_sync: {profile: stateless, id: 3}",
       "49: \"id\" means nothing in the stateless profile"},
      {"connection_sync: {interface: eth0, syncid: 3}",
       "42: unknown key \"syncid\" of module \"connection_sync\" [write \"id\"]"},
  };
  for (const auto& [task, want] : rows) {
    EXPECT_EQ(CompileErrors(OneTask(task)), "site.yml:3:" + want) << task;
  }
}

TEST(ConnectionSyncModule, DirectorsThatShareAnInstanceMustHearEachOther) {
  EXPECT_EQ(
      CompileErrors(Both(kPriority) + "    - connection_sync: {interface: eth0, id: \"{{ 1 if "
                                      "inventory_hostname == 'lb1' else 2 }}\"}\n"),
      "site.yml:4:7: connection_sync: lb2 and lb1 would not take each other's connections: "
      "id, group or port differ");
}

TEST(MetricsModule, ListensOnLoopbackOrASocketFile) {
  EXPECT_EQ(StateOf("metrics: {listen: '127.0.0.1:9630'}").metrics,
            std::vector{MetricsListen{"127.0.0.1:9630"}});
  EXPECT_EQ(StateOf("metrics: {listen: /run/drover/metrics.sock}").metrics,
            std::vector{MetricsListen{"/run/drover/metrics.sock"}});
  const std::string error = CompileErrors(OneTask("metrics: {listen: '0.0.0.0:9630'}"));
  EXPECT_EQ(error.substr(0, 14), "site.yml:3:25:") << error;
  EXPECT_EQ(CompileErrors(OneTask("metrics: {}")),
            "site.yml:3:16: module \"metrics\" needs the key \"listen\" [127.0.0.1:9630, or the "
            "path of a socket file]");
}

}  // namespace
}  // namespace drover
