#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

std::string Playbook(const std::string& verify, const std::string& scheduler = "rr") {
  return "- hosts: real_servers\n  tasks:\n    - real_server: {vip: '{{ vip }}'}\n"
         "- hosts: directors\n  tasks:\n"
         "    - virtual_service: {address: '{{ vip }}:80', scheduler: " +
         scheduler +
         ", real_servers: \"{{ groups['real_servers'] }}\"}\n"
         "    - virtual_service: {address: '{{ vip }}:53', protocol: udp}\n"
         "    - vip: {address: '{{ vip }}', interface: eth0}\n"
         "      when: inventory_hostname == groups['directors'][0]\n"
         "- hosts: probes\n  tasks:\n    - verify: " +
         verify + "\n";
}

const HostTask& VerifyOf(const CompiledRun& run) {
  return run.plays.at(2).tasks.at(0).hosts.at("control").at(0);
}

TEST(VerifyModule, ProbesEveryTcpServiceOfThePlaybook) {
  const auto run = CompileText(Playbook("{}"));
  ASSERT_TRUE(run) << Format(run.error());
  const auto& probe = std::get<ProbeTask>(std::get<Task>(VerifyOf(*run).action).action);
  ASSERT_EQ(probe.services.size(), 1U);
  EXPECT_EQ(ToString(ServiceKey(probe.services[0].service)), "tcp 10.0.0.100:80");
  EXPECT_EQ(probe.services[0].connections, 12U);
  EXPECT_EQ(probe.services[0].http_path, "");
  EXPECT_EQ(probe.vips, std::vector{Ip("10.0.0.100")});
  std::vector<std::string> peers;
  for (const auto& peer : probe.peers) peers.push_back(peer.name);
  EXPECT_EQ(peers, (std::vector<std::string>{"lb1", "lb2", "rs1", "rs2", "rs3"}));
}

TEST(VerifyModule, AsksAUdpServiceTheQuestionOfItsCheck) {
  struct Case {
    std::string check;
    std::optional<CheckKind> question;
  };
  const std::vector<Case> cases = {
      {"", std::nullopt},
      {"check: {dns: {name: www.example.net, type: A}}, ", DnsCheck{"www.example.net", "A"}},
      {"check: {udp: {payload: who, expect: me}}, ", UdpCheck{"who", "me"}},
      {"check: {udp: {payload: who}}, ", std::nullopt},  // silence would do, too
      {"check: {dns: {}, port: 5353}, ", std::nullopt},  // asked elsewhere than clients ask
  };
  for (const Case& c : cases) {
    std::string playbook = Playbook("{}");
    const std::string service = "protocol: udp";
    playbook.replace(playbook.find(service), service.size(),
                     "protocol: udp, " + c.check + "real_servers: [rs1, rs2, rs3]");
    const auto run = CompileText(playbook);
    ASSERT_TRUE(run) << Format(run.error());
    const auto& probe = std::get<ProbeTask>(std::get<Task>(VerifyOf(*run).action).action);
    ASSERT_EQ(probe.services.size(), c.question ? 2U : 1U) << c.check;
    if (!c.question) continue;
    EXPECT_EQ(ToString(ServiceKey(probe.services[1].service)), "udp 10.0.0.100:53");
    EXPECT_EQ(probe.services[1].question, c.question) << c.check;
    EXPECT_EQ(probe.services[1].connections, 12U);
    EXPECT_EQ(probe.services[1].http_path, "");
  }
}

TEST(VerifyModule, WaitsOutAPersistenceOfUpToAMinute) {
  struct Case {
    std::string persistence;
    std::string verify;
    std::chrono::seconds outlast;
  };
  using std::chrono::seconds;
  const std::vector<Case> cases = {{"50s", "{}", seconds(52)},
                                   {"60s", "{}", seconds(62)},
                                   {"61s", "{}", seconds(0)},
                                   {"61s", "{wait_persistence: 2m}", seconds(63)},
                                   {"50s", "{wait_persistence: 0s}", seconds(0)}};
  for (const Case& c : cases) {
    const auto run = CompileText(Playbook(c.verify, "rr, persistence: " + c.persistence));
    ASSERT_TRUE(run) << Format(run.error());
    const auto& probe = std::get<ProbeTask>(std::get<Task>(VerifyOf(*run).action).action);
    EXPECT_EQ(probe.services[0].outlast, c.outlast) << c.persistence << c.verify;
  }
}

TEST(VerifyModule, ExpectsTheTableAndTheOneHolderOfTheVip) {
  const auto run = CompileText(Playbook("{}"));
  ASSERT_TRUE(run) << Format(run.error());
  const auto& expectation = VerifyOf(*run).expectation;
  ASSERT_TRUE(expectation);
  EXPECT_EQ(expectation->directors, std::vector<std::string>{"lb1"});
  EXPECT_EQ(expectation->real_servers, (std::vector<std::string>{"rs1", "rs2", "rs3"}));
  ASSERT_EQ(expectation->services.size(), 2U);
  EXPECT_EQ(expectation->services[0].scheduler, "rr");
  ASSERT_EQ(expectation->services[0].servers.size(), 3U);
  EXPECT_EQ(expectation->services[0].servers[1].name, "rs2");
  EXPECT_EQ(expectation->services[0].servers[1].destination.address, Ip("10.0.0.22"));
}

TEST(VerifyModule, AsksForThePageThatTheCheckAsksForAndSendsLargeRequestsToo) {
  std::string playbook = Playbook("{}");
  const std::string service = "real_servers: \"{{ groups['real_servers'] }}\"";
  playbook.insert(playbook.find(service), "check: {http: {path: /health}}, ");
  const auto run = CompileText(playbook);
  ASSERT_TRUE(run) << Format(run.error());
  const auto& probe = std::get<ProbeTask>(std::get<Task>(VerifyOf(*run).action).action);
  EXPECT_EQ(probe.services[0].http_path, "/health");
  EXPECT_EQ(probe.services[0].uploads, 3U);
  std::vector<std::string> provoked;
  for (const auto& peer : probe.peers) {
    if (peer.real_server) provoked.push_back(peer.name);
  }
  EXPECT_EQ(provoked, (std::vector<std::string>{"rs1", "rs2", "rs3"}));
  playbook.replace(playbook.find("verify: {}"), 10, "verify: {http: false}");
  const auto without = CompileText(playbook);
  ASSERT_TRUE(without) << Format(without.error());
  const auto& plain = std::get<ProbeTask>(std::get<Task>(VerifyOf(*without).action).action);
  EXPECT_EQ(plain.services[0].http_path, "");
  EXPECT_EQ(plain.services[0].uploads, 0U);
}

TEST(VerifyModule, TakesNumbersPathsAndChoices) {
  const auto run = CompileText(Playbook(
      "{connections: 30, http: {path: /health}, timeout: 500ms, services: ['{{ vip }}']}"));
  ASSERT_TRUE(run) << Format(run.error());
  const auto& probe = std::get<ProbeTask>(std::get<Task>(VerifyOf(*run).action).action);
  EXPECT_EQ(probe.services[0].connections, 30U);
  EXPECT_EQ(probe.services[0].http_path, "/health");
  EXPECT_EQ(probe.services[0].timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(CompileErrors(Playbook("{services: ['10.0.0.100:8080']}")),
            "site.yml:12:27: \"10.0.0.100:8080\" is no virtual service over TCP or UDP of "
            "this playbook, and no port of an address that its instances move [did you mean "
            "\"10.0.0.100:80\"?]");
  EXPECT_EQ(CompileErrors(Playbook("{connections: 0}")),
            "site.yml:12:29: \"connections\" of module \"verify\" takes a number from 1 to 100000, "
            "not 0");
  EXPECT_EQ(CompileErrors(Playbook("{http: {path: health}}")),
            "site.yml:12:22: \"http\": the path \"health\" must start with / and have no blanks");
}

constexpr const char* kProxies =
    "- hosts: directors\n  tasks:\n"
    "    - vrrp_instance: {name: web, interface: eth0, virtual_router_id: 51, addresses: "
    "[10.0.0.100, "
    "10.0.0.101], excluded_addresses: ['fe80::1', '2001:db8::1'],\n"
    "                      priority: \"{{ 100 if inventory_hostname == 'lb1' else 95 }}\"}\n"
    "- hosts: probes\n  tasks:\n    - verify: ";

const HostTask& ProofOf(const CompiledRun& run) {
  return run.plays.at(1).tasks.at(0).hosts.at("control").at(0);
}

TEST(VerifyModule, WithoutServicesLooksAtTheAddressesThatMove) {
  const auto run = CompileText(kProxies + std::string("{}\n"));
  ASSERT_TRUE(run) << Format(run.error());
  const auto& probe = std::get<ProbeTask>(std::get<Task>(ProofOf(*run).action).action);
  EXPECT_TRUE(probe.services.empty());
  EXPECT_EQ(probe.vips, (std::vector{Ip("10.0.0.100"), Ip("10.0.0.101"), Ip("2001:db8::1")}));
  const auto& expectation = ProofOf(*run).expectation;
  ASSERT_TRUE(expectation);
  EXPECT_EQ(expectation->vips, probe.vips);
  EXPECT_EQ(expectation->directors, (std::vector<std::string>{"lb1", "lb2"}));
  EXPECT_EQ(expectation->holders.at(Ip("10.0.0.101")), (std::vector<std::string>{"lb1", "lb2"}));
  EXPECT_TRUE(expectation->real_servers.empty());
}

TEST(VerifyModule, APortWithoutAServiceIsServedByWhoeverHasTheAddress) {
  const auto run =
      CompileText(kProxies + std::string("{services: ['10.0.0.101:80'], http: {path: /}}\n"));
  ASSERT_TRUE(run) << Format(run.error());
  const auto& probe = std::get<ProbeTask>(std::get<Task>(ProofOf(*run).action).action);
  ASSERT_EQ(probe.services.size(), 1U);
  EXPECT_EQ(ToString(ServiceKey(probe.services[0].service)), "tcp 10.0.0.101:80");
  EXPECT_EQ(probe.services[0].connections, 12U);
  EXPECT_EQ(probe.services[0].uploads, 1U);
  EXPECT_EQ(probe.vips, std::vector{Ip("10.0.0.101")});
  const auto& expectation = ProofOf(*run).expectation;
  ASSERT_TRUE(expectation);
  ASSERT_EQ(expectation->services.size(), 1U);
  EXPECT_TRUE(expectation->services[0].own);
  ASSERT_EQ(expectation->services[0].servers.size(), 2U);
  EXPECT_EQ(expectation->services[0].servers[1].name, "lb2");
  EXPECT_EQ(expectation->services[0].servers[1].destination.address, Ip("10.0.0.12"));
}

TEST(VerifyModule, ProbesThePortsThatGetTheMarkOfAService) {
  const auto run = CompileText(
      "- hosts: directors\n  tasks:\n"
      "    - virtual_service:\n"
      "        fwmark: 7\n"
      "        marks: ['{{ vip }}:80', '{{ vip }}:443', 'udp {{ vip }}:443']\n"
      "        scheduler: rr\n"
      "        real_servers: \"{{ groups['real_servers'] }}\"\n"
      "        check: [{tcp: {}, port: 80}, {https: {}, port: 443}]\n"
      "    - vip: {address: '{{ vip }}', interface: eth0}\n"
      "      when: inventory_hostname == groups['directors'][0]\n"
      "- hosts: probes\n  tasks:\n    - verify: {http: {path: /}}\n");
  ASSERT_TRUE(run) << Format(run.error());
  const auto& work = ProofOf(*run);
  const auto& probe = std::get<ProbeTask>(std::get<Task>(work.action).action);
  ASSERT_EQ(probe.services.size(), 2U);
  EXPECT_EQ(ToString(ServiceKey(probe.services[0].service)), "tcp 10.0.0.100:80");
  EXPECT_EQ(probe.services[0].http_path, "/");
  EXPECT_EQ(ToString(ServiceKey(probe.services[1].service)), "tcp 10.0.0.100:443");
  EXPECT_EQ(probe.services[1].http_path, "");  // it speaks TLS
  ASSERT_TRUE(work.expectation);
  for (const ExpectedService& service : work.expectation->services) {
    EXPECT_EQ(ToString(service.table()), "fwmark 7 ipv4");
    EXPECT_EQ(service.servers.size(), 3U);
    EXPECT_TRUE(service.checked);
  }
  EXPECT_EQ(work.expectation->directors, std::vector<std::string>{"lb1"});
  EXPECT_EQ(work.expectation->real_servers, (std::vector<std::string>{"rs1", "rs2", "rs3"}));
}

TEST(VerifyModule, KnowsTheWholeClusterWhateverTagsAndLimitsLeaveOut) {
  CompileOptions options;
  options.limit = "control";
  const auto limited = CompileText(Playbook("{}"), options);
  ASSERT_TRUE(limited) << Format(limited.error());
  EXPECT_EQ(VerifyOf(*limited).expectation->directors, std::vector<std::string>{"lb1"});
}

}  // namespace
}  // namespace drover
