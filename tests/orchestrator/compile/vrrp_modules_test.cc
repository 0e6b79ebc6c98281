// vrrp_instance, vrrp_group and tracker: what they give a host, and what is wrong about them at its
// place.
#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A task with the keys that every instance needs, and more.
std::string Instance(const std::string& more = "", const std::string& name = "web") {
  return "vrrp_instance: {name: " + name +
         ", interface: eth0, virtual_router_id: 51, addresses: 10.0.0.100" +
         (more.empty() ? "" : ", " + more) + "}";
}

VrrpInstance InstanceOf(const std::string& more) {
  const auto state = StateOf(Instance(more));
  EXPECT_EQ(state.vrrp_instances.size(), 1U) << more;
  return state.vrrp_instances.empty() ? VrrpInstance{} : state.vrrp_instances.front();
}

TEST(VrrpInstanceModule, TakesTheDefaultsOfTheProtocol) {
  VrrpInstance want;
  want.name = "web";
  want.interface = "eth0";
  want.vrid = 51;
  want.addresses = {*Prefix::Parse("10.0.0.100/32")};
  EXPECT_EQ(InstanceOf(""), want);
}

TEST(VrrpInstanceModule, ReadsEveryKey) {
  const VrrpInstance instance = InstanceOf(
      "priority: 200, advert_interval: 100ms, down_adverts: 4, preempt: true, preempt_delay: 5s, "
      "excluded_addresses: ['2001:db8::1/64'], source_address: 10.0.0.11, checksum: rfc9568, vmac: "
      "yes, garp: {count: 3, delay: 1s, refresh: 60, refresh_count: 2}, lease: 2s, linger: 300ms, "
      "on_rival: yield, sync_wait: 10s, unicast_peers: [lb2]");
  EXPECT_EQ(instance.priority, 200);
  EXPECT_EQ(instance.advert_interval, milliseconds(100));
  EXPECT_EQ(instance.down_adverts, 4);
  EXPECT_EQ(instance.preempt_delay, seconds(5));
  EXPECT_EQ(instance.excluded_addresses, std::vector{*Prefix::Parse("2001:db8::1/64")});
  EXPECT_EQ(instance.source_address, Ip("10.0.0.11"));
  EXPECT_EQ(instance.checksum, VrrpChecksum::kRfc9568);
  EXPECT_TRUE(instance.vmac);
  EXPECT_EQ(instance.announce, (VrrpAnnounce{3, seconds(1), seconds(60), 2}));
  EXPECT_EQ(instance.lease, seconds(2));
  EXPECT_EQ(instance.linger, milliseconds(300));
  EXPECT_EQ(instance.on_rival, OnRival::kYield);
  EXPECT_EQ(instance.sync_wait, seconds(10));
  EXPECT_EQ(instance.unicast_peers, std::vector{Ip("10.0.0.12")});
}

TEST(VrrpInstanceModule, LeaseCanBeSwitchedOff) {
  EXPECT_EQ(InstanceOf("lease: false").lease, seconds(0));
  EXPECT_EQ(InstanceOf("lease: 0").lease, seconds(0));
  EXPECT_EQ(InstanceOf("lease: true").lease, seconds(1));
}

TEST(VrrpInstanceModule, AListOfAllDirectorsLeavesTheNodeItselfOut) {
  const auto run = CompileText(OneTask(
      Instance("priority: \"{{ 101 if inventory_hostname == 'lb1' else 100 }}\", unicast_peers: "
               "\"{{ groups['directors'] }}\""),
      "directors"));
  ASSERT_TRUE(run) << Format(run.error());
  EXPECT_EQ(run->states.at("lb1").vrrp_instances.at(0).unicast_peers, std::vector{Ip("10.0.0.12")});
  EXPECT_EQ(run->states.at("lb2").vrrp_instances.at(0).unicast_peers, std::vector{Ip("10.0.0.11")});
  EXPECT_EQ(InstanceOf("unicast_peers: [10.0.0.11, 10.0.0.12]").unicast_peers,
            std::vector{Ip("10.0.0.12")});
}

TEST(VrrpInstanceModule, PasswordStandsAloneOrUnderAuthentication) {
  EXPECT_EQ(InstanceOf("version: 2, password: s3cret").password, "s3cret");
  EXPECT_EQ(InstanceOf("version: 2, authentication: {type: pass, password: s3cret}").password,
            "s3cret");
  EXPECT_EQ(InstanceOf("version: 2, authentication: {type: none}").password, "");
}

TEST(VrrpInstanceModule, NoMessageShowsThePasswordOrItsLine) {
  for (const char* more :
       {"version: 2, password: 'geheim-zu-lang'", "password: 'geheim'",
        "version: 2, authentication: {type: pass, password: 'geheim-zu-lang'}",
        "version: 2, password: 'geheim', authentication: {type: none}",
        "version: 2, password: [geheim]", "version: 2, authentication: 'geheim'"}) {
    const auto run = CompileText(OneTask(Instance(more)));
    ASSERT_FALSE(run) << more;
    for (const auto& diagnostic : run.error()) {
      EXPECT_EQ(Format(diagnostic).find("geheim"), std::string::npos) << Format(diagnostic);
      EXPECT_NE(Format(diagnostic).find("site.yml:3:"), std::string::npos);
    }
  }
}

TEST(VrrpInstanceModule, SetsWhatAMoveWithoutLossNeedsOfTheInterface) {
  const std::vector<Sysctl> want = {{"net/ipv4/conf/eth0/arp_ignore", "1"},
                                    {"net/ipv4/conf/eth0/arp_announce", "2"},
                                    {"net/ipv4/conf/eth0/promote_secondaries", "1"}};
  EXPECT_EQ(StateOf(Instance()).sysctls, want);
  EXPECT_EQ(ActionOf<ConvergeTask>(Instance()).state.sysctls, want);
  EXPECT_TRUE(StateOf("vrrp_instance: {name: web6, interface: eth0, virtual_router_id: 51, "
                      "addresses: ['fe80::100', '2001:db8::100']}")
                  .sysctls.empty());
}

TEST(VrrpInstanceModule, ThePlaybooksOwnArpSettingStandsWhereverItIs) {
  const auto run = CompileText("- hosts: lb1\n  tasks:\n    - " + Instance() +
                               "\n    - sysctl: {net.ipv4.conf.eth0.arp_ignore: 2}\n");
  ASSERT_TRUE(run) << Format(run.error());
  const std::vector<Sysctl> implied = {{"net/ipv4/conf/eth0/arp_announce", "2"},
                                       {"net/ipv4/conf/eth0/promote_secondaries", "1"}};
  std::vector<Sysctl> all = implied;
  all.insert(all.begin(), {"net/ipv4/conf/eth0/arp_ignore", "2"});
  EXPECT_EQ(run->states.at("lb1").sysctls, all);
  const auto& task = std::get<Task>(run->plays[0].tasks[0].hosts.at("lb1")[0].action);
  EXPECT_EQ(std::get<ConvergeTask>(task.action).state.sysctls, implied);
}

TEST(VrrpInstanceModule, NeedsNameInterfaceIdAndAddresses) {
  EXPECT_EQ(CompileErrors(OneTask("vrrp_instance: {}")),
            "site.yml:3:22: module \"vrrp_instance\" needs the key \"name\"\n"
            "site.yml:3:22: module \"vrrp_instance\" needs the key \"interface\"\n"
            "site.yml:3:22: module \"vrrp_instance\" needs the key \"virtual_router_id\" [1 to "
            "255, the same on all hosts that share it]\n"
            "site.yml:3:22: module \"vrrp_instance\" needs the key \"addresses\" [the virtual "
            "addresses, one or a list]");
}

TEST(VrrpInstanceModule, EveryOffenceIsSaidAtItsPlace) {
  const std::string of = "of module \"vrrp_instance\" takes ";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"priority: 0", "107: \"priority\" " + of + "a number from 1 to 255, not 0"},
      {"priority: 256", "107: \"priority\" " + of + "a number from 1 to 255, not 256"},
      {"version: 4", "106: \"version\" " + of + "a number from 2 to 3, not 4"},
      {"advert_interval: 5ms", "114: \"advert_interval\" " + of + "10ms to 40950ms, not 5ms"},
      {"advert_interval: 41s", "114: \"advert_interval\" " + of + "10ms to 40950ms, not 41s"},
      {"advert_interval: 15ms",
       "114: version 3 counts the advert interval in steps of 10ms, not 15ms"},
      {"advert_interval: 1500ms, version: 2",
       "114: version 2 counts the advert interval in steps of 1s, not 1500ms [version 3 knows "
       "shorter ones]"},
      {"advert_interval: 256s, version: 2",
       "114: \"advert_interval\" " + of + "1s to 255s, not 256s"},
      {"preempt_delay: 1001s", "112: \"preempt_delay\" " + of + "0s to 1000s, not 1001s"},
      {"preempt: false, preempt_delay: 5s",
       "128: \"preempt_delay\" means nothing with \"preempt: false\""},
      {"down_adverts: 0", "111: \"down_adverts\" " + of + "a number from 1 to 100, not 0"},
      {"lease: 1500ms", "104: \"lease\" takes whole seconds, or false for none, not 1500ms"},
      {"lease: 61s", "104: \"lease\" " + of + "0s to 60s, not 61s"},
      {"linger: 6s", "105: \"linger\" " + of + "0s to 5s, not 6s"},
      {"checksum: crc",
       "107: unknown checksum \"crc\" of module \"vrrp_instance\" [one of: "
       "as_peer, rfc9568, pseudo_header]"},
      {"on_rival: yeild",
       "107: unknown on_rival \"yeild\" of module \"vrrp_instance\" [did you mean \"yield\"?]"},
      {"garp: {cuont: 3}", "104: unknown key \"cuont\" of \"garp\" [did you mean \"count\"?]"},
      {"garp: 5",
       "103: \"garp\" of module \"vrrp_instance\" takes a mapping of count, delay, refresh, "
       "refresh_count, not 5"},
      {"excluded_addresses: [10.0.0.100]", "118: 10.0.0.100 is named twice"},
      {"source_address: '2001:db8::1'",
       "113: adverts of this instance cannot be sent from 2001:db8::1"},
      {"unicast_peers: [lb3]",
       "113: unicast peer \"lb3\" is no host of the inventory and no IP address [did you mean "
       "\"lb1\"?]"},
      {"unicast_peers: [lb1]",
       "112: \"unicast_peers\" names this host only: no peer is left [name the other hosts, or "
       "leave the key out for multicast]"},
      {"unicast_peers: ['2001:db8::2']",
       "113: 2001:db8::2 cannot be a unicast peer of an instance with ipv4 addresses"},
      {"unicast_peers: [lb2, 10.0.0.12]", "118: unicast peer 10.0.0.12 is named twice"},
      {"track: [{name: up, weight: 300}]",
       "124: \"weight\" of \"track\" takes a number from -253 to 253, not 300"},
      {"track: [up, up]", "109: tracker \"up\" is named twice"},
  };
  for (const auto& [more, want] : rows) {
    EXPECT_EQ(CompileErrors(OneTask(Instance(more))), "site.yml:3:" + want) << more;
  }
}

TEST(VrrpInstanceModule, ManyOffencesAreSaidAtOnce) {
  EXPECT_EQ(
      CompileErrors(OneTask("vrrp_instance: {name: 'a b', interface: /eth0, "
                            "virtual_router_id: 0, addresses: [10.0.0.300, 127.0.0.1]}")),
      "site.yml:3:29: \"name\" of module \"vrrp_instance\" takes 1 to 64 characters without "
      "blanks\n"
      "site.yml:3:47: \"/eth0\" is no interface name (1 to 15 characters)\n"
      "site.yml:3:73: \"virtual_router_id\" of module \"vrrp_instance\" takes a number from 1 "
      "to 255, not 0\n"
      "site.yml:3:88: \"10.0.0.300\" is no IP address\n"
      "site.yml:3:100: 127.0.0.1/32 cannot be a virtual address");
}

TEST(VrrpInstanceModule, FamiliesAreKeptApart) {
  EXPECT_EQ(CompileErrors(OneTask("vrrp_instance: {name: a, interface: eth0, virtual_router_id: 1, "
                                  "addresses: [10.0.0.1, '2001:db8::1']}")),
            "site.yml:3:82: an advert holds addresses of one family [the other family goes under "
            "\"excluded_addresses\" or into an instance of its own]");
  EXPECT_EQ(CompileErrors(OneTask("vrrp_instance: {name: a, interface: eth0, virtual_router_id: 1, "
                                  "addresses: '2001:db8::1', version: 2}")),
            "site.yml:3:106: IPv6 needs version 3");
}

TEST(VrrpInstanceModule, WordsOfKeepalivedGetOurs) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"state: MASTER",
       "\"state\" of module \"vrrp_instance\" [every instance starts as backup and the highest "
       "priority takes over; the owner of the addresses has priority 255]"},
      {"virtual_ipaddress: x",
       "\"virtual_ipaddress\" of module \"vrrp_instance\" [write "
       "\"addresses\"]"},
      {"nopreempt: true", "\"nopreempt\" of module \"vrrp_instance\" [write \"preempt: false\"]"},
      {"auth_pass: x", "\"auth_pass\" of module \"vrrp_instance\" [write \"password\"]"},
      {"advert_int: 1", "\"advert_int\" of module \"vrrp_instance\" [write \"advert_interval\"]"},
      {"vrid: 51", "\"vrid\" of module \"vrrp_instance\" [write \"virtual_router_id\"]"},
      {"prioritty: 1", "\"prioritty\" of module \"vrrp_instance\" [did you mean \"priority\"?]"},
  };
  for (const auto& [more, want] : rows) {
    EXPECT_EQ(CompileErrors(OneTask(Instance(more))), "site.yml:3:97: unknown key " + want);
  }
}

TEST(VrrpGroupModule, JoinsInstancesOfTheHost) {
  const auto run = CompileText(
      "- hosts: lb1\n  tasks:\n    - " + Instance() +
      "\n    - vrrp_instance: {name: in, interface: eth1, virtual_router_id: 51, addresses: "
      "192.168.0.1}\n"
      "    - tracker: {name: uplink, interface: eth0}\n"
      "    - vrrp_group: {name: pair, instances: [web, in], track: uplink}\n");
  ASSERT_TRUE(run) << Format(run.error());
  VrrpGroup want;
  want.name = "pair";
  want.instances = {"web", "in"};
  want.track = {{"uplink", 0}};
  EXPECT_EQ(run->states.at("lb1").vrrp_groups, std::vector{want});
}

TEST(VrrpGroupModule, SaysWhatIsWrong) {
  EXPECT_EQ(CompileErrors(OneTask("vrrp_group: {name: pair, instances: [web]}")),
            "site.yml:3:43: a group needs two instances at least");
  EXPECT_EQ(CompileErrors(OneTask("vrrp_group: {name: pair, instances: [web, web]}")),
            "site.yml:3:49: instance \"web\" is named twice");
  EXPECT_EQ(CompileErrors("- hosts: lb1\n  tasks:\n    - " + Instance() +
                          "\n    - vrrp_group: {name: pair, instances: [wbe, in], track: "
                          "[{name: up, weight: 5}]}\n"),
            "site.yml:4:81: trackers of a group have no weight [a group is in fault while one of "
            "its trackers is down]");
}

TEST(TrackerModule, WatchesOneThing) {
  const auto target = [](const std::string& what) {
    const auto trackers = StateOf("tracker: {name: t, " + what + "}").trackers;
    EXPECT_EQ(trackers.size(), 1U);
    return trackers.empty() ? TrackerTarget{} : trackers.front().target;
  };
  EXPECT_EQ(target("interface: eth1"), TrackerTarget(InterfaceTracker{"eth1"}));
  EXPECT_EQ(target("process: haproxy, quorum: 2"), TrackerTarget(ProcessTracker{"haproxy", 2}));
  EXPECT_EQ(target("file: /run/up"), TrackerTarget(FileTracker{"/run/up"}));
  EXPECT_EQ(target("script: '/bin/check -x \"a b\"'"),
            TrackerTarget(ScriptTracker{{"/bin/check", "-x", "a b"}}));
  EXPECT_EQ(target("script: [/bin/check, -x]"), TrackerTarget(ScriptTracker{{"/bin/check", "-x"}}));
}

TEST(TrackerModule, FollowsAServiceOfTheHost) {
  const auto run = CompileText(
      "- hosts: lb1\n  tasks:\n"
      "    - virtual_service: {address: '10.0.0.1:53', protocol: udp, real_servers: [rs1]}\n"
      "    - tracker: {name: a, service: 'udp 10.0.0.1:53'}\n"
      "    - tracker: {name: b, service: {address: '10.0.0.1:53', protocol: udp}}\n");
  ASSERT_TRUE(run) << Format(run.error());
  const TrackerTarget want = ServiceTracker{SocketKey{Transport::kUdp, Ip("10.0.0.1"), 53}};
  EXPECT_EQ(run->states.at("lb1").trackers.at(0).target, want);
  EXPECT_EQ(run->states.at("lb1").trackers.at(1).target, want);
}

TEST(TrackerModule, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"tracker: {name: t}",
       "16: module \"tracker\" names nothing to watch [one of: interface, process, file, script, "
       "service]"},
      {"tracker: {name: t, interface: eth0, file: /x}",
       "49: a tracker watches one thing, here \"interface\" and \"file\" [write a tracker for "
       "each]"},
      {"tracker: {name: t, file: x}", "32: \"x\" is no absolute path"},
      {"tracker: {name: t, script: check}",
       "34: \"check\" is no absolute path [no shell is run and no path is searched: write "
       "/usr/local/bin/…]"},
      {"tracker: {name: t, interface: eth0, timeout: 1s}",
       "52: \"timeout\" goes with \"script\" only"},
      {"tracker: {name: t, interface: eth0, interval: 1s}",
       "53: \"interval\" means nothing for a tracker of an interface: it follows at once"},
      {"tracker: {name: t, file: /x, interval: 10ms}",
       "46: \"interval\" of module \"tracker\" takes 100ms to 3600s, not 10ms"},
      {"tracker: {name: t, file: /x, quorum: 2}", "44: \"quorum\" goes with \"process\" only"},
      {"tracker: {name: t, script: /x, interval: 1s, timeout: 2s}",
       "61: \"timeout\" is longer than \"interval\""},
      {"tracker: {name: t, file: /x, rise: 0}",
       "42: \"rise\" of module \"tracker\" takes a number from 1 to 100, not 0"},
      {"tracker: {name: t, process: x, weight: 3}",
       "38: unknown key \"weight\" of module \"tracker\" [it stands at the instance: track: "
       "[{name: …, weight: …}]]"},
      {"tracker: {name: t, service: web}",
       "35: \"web\" has no port: write ADDRESS:PORT [write IP:PORT, \"udp IP:PORT\" or \"fwmark "
       "N\"]"},
  };
  for (const auto& [task, want] : rows) {
    EXPECT_EQ(CompileErrors(OneTask(task)), "site.yml:3:" + want) << task;
  }
}

}  // namespace
}  // namespace drover
