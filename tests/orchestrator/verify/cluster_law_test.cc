// What the hosts show of themselves: each way to break a cluster that no probe sees, or not whole,
// must be found and named, and a right cluster must pass.

#include "orchestrator/verify/cluster_law.h"

#include <gtest/gtest.h>

#include "orchestrator/verify/counter_law.h"
#include "orchestrator/verify/host_law.h"
#include "tests/orchestrator/verify/evidence.h"

namespace drover {
namespace {

using namespace verify_test;  // NOLINT: the vocabulary of these tests

const IpAddress kVip = kWeb.address;
const IpAddress kClient = *IpAddress::Parse("10.0.0.9");

VirtualService Table(const std::string& scheduler = "rr") {
  VirtualService service{.key = kWeb, .scheduler = scheduler};
  for (const ExpectedServer& server : Service().servers) {
    service.destinations.push_back(server.destination);
  }
  return service;
}

ServiceTraffic Traffic(std::uint64_t each) {
  ServiceTraffic traffic{.service = kWeb, .connections = 3 * each, .packets_in = 10 * each};
  for (const ExpectedServer& server : Service().servers) {
    traffic.servers.push_back({.endpoint = server.destination.endpoint(), .connections = each});
  }
  return traffic;
}

void Set(Observation& seen, const std::string& setting, const std::string& value,
         const std::string& interface = "all") {
  seen.sysctls.push_back({"net/ipv4/conf/" + interface + "/" + setting, value});
}

// lb1 is master; rs1 to rs3 serve; 30 connections came in between the looks.
ClusterEvidence RightCluster() {
  ClusterEvidence evidence;
  for (const std::string host : {"lb1", "lb2"}) {
    HostEvidence& seen = evidence.hosts[host];
    DesiredState& state = evidence.states[host];
    state.services = {Table()};
    VrrpInstance instance;
    instance.name = "web";
    instance.priority = host == "lb1" ? 150 : 100;
    instance.addresses = {Prefix::Host(kVip)};
    state.vrrp_instances = {instance};
    seen.before.emplace();
    seen.before->addresses = {
        {"eth0", *Prefix::Parse(host == "lb1" ? "10.0.0.1/24" : "10.0.0.2/24")}};
    if (host == "lb1") seen.before->addresses.push_back({"eth0", Prefix::Host(kVip)});
    seen.before->services = {Table()};
    seen.before->traffic = {Traffic(5)};
    seen.after = seen.before;
    if (host == "lb1") seen.after->traffic = {Traffic(15)};
  }
  for (int i = 1; i <= 3; ++i) {
    HostEvidence& seen = evidence.hosts["rs" + std::to_string(i)];
    seen.before.emplace();
    seen.before->addresses = {{"eth0", *Prefix::Parse("10.0.0.1" + std::to_string(i) + "/24")},
                              {"lo", Prefix::Host(kVip)}};
    Set(*seen.before, "arp_ignore", "1");
    Set(*seen.before, "arp_announce", "2");
    Set(*seen.before, "rp_filter", "0");
    seen.after = seen.before;
    seen.after->routes = {{{kVip, kClient}, true, "eth0", std::nullopt}};
  }
  return evidence;
}

std::map<std::string, ProbedTraffic> Probed(const std::string& sequence, int times) {
  const VerifyReport report = Judge(Expect(), Outcome(Connections(sequence, times)));
  ProbedTraffic traffic;
  traffic.Add(report.services.front());
  return {{report.services.front().service, traffic}};
}

VerifyReport JudgeAll(const ClusterEvidence& evidence,
                      const std::map<std::string, ProbedTraffic>& probed = Probed("rs1 rs2 rs3",
                                                                                  10)) {
  VerifyReport report;
  JudgeDirectors(Expect(), evidence, report);
  JudgeHosts(Expect(), evidence, {kClient}, report);
  JudgeCounters(Expect(), evidence, probed, report);
  return report;
}

TEST(ClusterLaw, RightClusterHoldsEveryLaw) {
  const VerifyReport report = JudgeAll(RightCluster());
  EXPECT_TRUE(report.ok()) << Rules(report);
  EXPECT_TRUE(report.notes.empty());
  for (const Check& check : report.checks) {
    EXPECT_EQ(check.skipped, "") << check.law << " " << check.subject;
  }
  EXPECT_EQ(report.checks.size(), 1U + 2 + 1 + 5 + 3 * 3 + 1);
}

// No virtual service: two proxies, whose port is their own matter.
TEST(ClusterLaw, ProxiesAreJudgedByTheirAddressAlone) {
  VerifyExpectation expectation{.services = {},
                                .directors = {"lb1", "lb2"},
                                .holders = {{kVip, {"lb1", "lb2"}}},
                                .real_servers = {},
                                .vips = {kVip}};
  ExpectedService service{.key = kWeb, .scheduler = "", .servers = {}, .own = true};
  service.servers = {Server("lb1", "10.0.0.1"), Server("lb2", "10.0.0.2")};
  expectation.services = {service};
  ClusterEvidence evidence = RightCluster();
  for (const std::string host : {"lb1", "lb2"}) {
    HostEvidence& seen = evidence.hosts[host];
    evidence.states[host].services.clear();
    seen.before->services.clear();
    seen.before->traffic.clear();
    seen.after = seen.before;
  }
  const auto judge = [&] {
    VerifyReport report;
    JudgeDirectors(expectation, evidence, report);
    JudgeHosts(expectation, evidence, {kClient}, report);
    JudgeCounters(expectation, evidence, {{"tcp 10.0.0.100:80", ProbedTraffic{}}}, report);
    return report;
  };
  const VerifyReport right = judge();
  EXPECT_TRUE(right.ok()) << Rules(right);
  for (const Check& check : right.checks) {
    EXPECT_EQ(check.skipped, "") << check.law << " " << check.subject;
    EXPECT_NE(check.law, "counters");
    EXPECT_NE(check.law, "equal-rules");
    EXPECT_NE(check.law, "vip-on-real-server");
  }
  for (auto* look : {&evidence.hosts["lb2"].before, &evidence.hosts["lb2"].after}) {
    (*look)->addresses.push_back({"eth0", Prefix::Host(kVip)});
    (*look)->services = {Table()};
  }
  EXPECT_EQ(Rules(judge()), "two-masters@lb2 service-stale@lb2");
}

TEST(ClusterLaw, EachSabotageIsNamedWithHostAndRule) {
  struct Case {
    std::string name;
    void (*harm)(ClusterEvidence& evidence);
    std::string rules;
  };
  const std::vector<Case> cases = {
      {"second master",
       [](ClusterEvidence& e) {
         e.hosts["lb2"].before->addresses.push_back({"eth0", Prefix::Host(kVip)});
         e.hosts["lb2"].after->addresses.push_back({"eth0", Prefix::Host(kVip)});
       },
       "two-masters@lb2"},
      {"handover between the looks",
       [](ClusterEvidence& e) {
         e.hosts["lb2"].after->addresses.push_back({"eth0", Prefix::Host(kVip)});
       },
       ""},
      {"no master", [](ClusterEvidence& e) { e.hosts["lb1"].before->addresses.pop_back(); },
       "no-master"},
      {"stale service on the standby",
       [](ClusterEvidence& e) {
         VirtualService stale = Table();
         std::get<SocketKey>(stale.key).port = 81;
         e.hosts["lb2"].before->services.push_back(stale);
       },
       "service-stale@lb2"},
      {"service of another address is nobody's business",
       [](ClusterEvidence& e) {
         VirtualService other = Table();
         std::get<SocketKey>(other.key).address = *IpAddress::Parse("10.0.0.200");
         e.hosts["lb2"].before->services.push_back(other);
       },
       ""},
      {"weights differ",
       [](ClusterEvidence& e) { e.hosts["lb2"].after->services[0].destinations[1].weight = 9; },
       "rules-unequal@lb2"},
      {"order differs, and does not matter to rr",
       [](ClusterEvidence& e) {
         auto& list = e.hosts["lb2"].after->services[0].destinations;
         std::swap(list[0], list[1]);
       },
       ""},
      {"order differs, and matters to mh",
       [](ClusterEvidence& e) {
         for (const char* host : {"lb1", "lb2"}) e.hosts[host].after->services = {Table("mh")};
         auto& list = e.hosts["lb2"].after->services[0].destinations;
         std::swap(list[0], list[1]);
       },
       "rules-unequal@lb2"},
      {"VIP is missing on a real server",
       [](ClusterEvidence& e) {
         e.hosts["rs3"].after->addresses.pop_back();
         e.hosts["rs3"].drift = {{"add", "address 10.0.0.100/32 on lo", "", "", "missing"}};
       },
       "vip-missing@rs3"},
      {"arp_announce 0",
       [](ClusterEvidence& e) {
         e.hosts["rs2"].after->sysctls[1].value = "0";
         e.hosts["rs2"].drift = {
             {"change", "sysctl net.ipv4.conf.all.arp_announce", "0", "2", "is 0"}};
       },
       "arp-announce@rs2"},
      {"the interface makes up for all",
       [](ClusterEvidence& e) {
         e.hosts["rs2"].after->sysctls[1].value = "0";
         Set(*e.hosts["rs2"].after, "arp_announce", "2", "eth0");
       },
       ""},
      {"arp_announce 1 is not enough",
       [](ClusterEvidence& e) { e.hosts["rs2"].after->sysctls[1].value = "1"; },
       "arp-announce@rs2"},
      {"arp_ignore 0", [](ClusterEvidence& e) { e.hosts["rs1"].after->sysctls[0].value = "0"; },
       "arp-ignore@rs1"},
      {"a filter of ARP does what the settings do",
       [](ClusterEvidence& e) {
         e.hosts["rs1"].after->sysctls[0].value = "0";
         e.hosts["rs1"].after->path = {ArpFilter{kVip, *IpAddress::Parse("10.0.0.11")}};
         e.states["rs1"].path = e.hosts["rs1"].after->path;
       },
       ""},
      {"the filter of ARP is gone",
       [](ClusterEvidence& e) {
         e.hosts["rs1"].after->sysctls[0].value = "0";
         e.states["rs1"].path = {ArpFilter{kVip, *IpAddress::Parse("10.0.0.11")}};
         e.hosts["rs1"].drift = {
             {"add", "arp filter 10.0.0.100", "", "asks as 10.0.0.11", "missing"}};
       },
       "arp-filter@rs1"},
      {"a tunnel is gone",
       [](ClusterEvidence& e) {
         e.hosts["rs1"].drift = {{"add", "tunnel lvs-ipip", "", "ipip at 10.0.0.11", "missing"}};
       },
       "tunnel@rs1"},
      {"nobody takes what comes in GUE",
       [](ClusterEvidence& e) {
         e.hosts["rs1"].drift = {{"add", "gue receiver 6080", "", "on UDP port 6080", "missing"}};
       },
       "gue-receiver@rs1"},
      {"answers go through a director",
       [](ClusterEvidence& e) {
         e.hosts["rs1"].after->routes[0].gateway = *IpAddress::Parse("10.0.0.2");
       },
       "return-path@rs1"},
      {"no way back", [](ClusterEvidence& e) { e.hosts["rs1"].after->routes[0].reachable = false; },
       "return-path@rs1"},
      {"strict filter on another card",
       [](ClusterEvidence& e) {
         e.hosts["rs1"].after->routes[0].interface = "eth1";
         Set(*e.hosts["rs1"].after, "rp_filter", "1", "eth0");
       },
       "rp-filter@rs1"},
      {"wrong weight",
       [](ClusterEvidence& e) {
         e.hosts["lb1"].drift = {{"change", "real server 10.0.0.12:80 of service tcp 10.0.0.100:80",
                                  "dr weight 9", "dr weight 1", "weight is 9"}};
       },
       "server-weight@lb1"},
      {"wrapped in another way",
       [](ClusterEvidence& e) {
         e.hosts["lb1"].drift = {{"change", "real server 10.0.0.12:80 of service tcp 10.0.0.100:80",
                                  "tun weight 1 thresholds 1/2",
                                  "tun by gre weight 1 thresholds 1/2",
                                  "packets are wrapped in ipip"}};
       },
       "server-settings@lb1"},
      {"persistence left on",
       [](ClusterEvidence& e) {
         e.hosts["lb1"].drift = {{"change", "service tcp 10.0.0.100:80",
                                  "rr persistent 300s mask 32", "rr", "settings differ"}};
       },
       "service-persistence@lb1"},
      {"connections that passed nobody",
       [](ClusterEvidence& e) { e.hosts["lb1"].after->traffic = {Traffic(14)}; },
       "counter-mismatch@lb1"},
      {"a standby forwards",
       [](ClusterEvidence& e) { e.hosts["lb2"].after->traffic = {Traffic(6)}; },
       "standby-traffic@lb2"},
      {"answers came back through the director",
       [](ClusterEvidence& e) { e.hosts["lb1"].after->traffic[0].packets_out = 7; },
       "reply-through-director@lb1"},
      {"one answers for another",
       [](ClusterEvidence& e) {
         ++e.hosts["lb1"].after->traffic[0].servers[0].connections;
         --e.hosts["lb1"].after->traffic[0].servers[1].connections;
       },
       "counter-mismatch@rs1 counter-mismatch@rs2"},
  };
  for (const Case& c : cases) {
    ClusterEvidence evidence = RightCluster();
    c.harm(evidence);
    const VerifyReport report = JudgeAll(evidence);
    EXPECT_EQ(Rules(report), c.rules) << c.name;
    for (const Finding& finding : report.findings) {
      EXPECT_FALSE(finding.message.empty() || finding.why.empty() || finding.remedy.empty())
          << c.name;
    }
  }
}

TEST(ClusterLaw, ServersOfDriftAreCalledByTheirNames) {
  ClusterEvidence evidence = RightCluster();
  evidence.hosts["lb1"].drift = {{"change", "real server 10.0.0.12:80 of service tcp 10.0.0.100:80",
                                  "dr weight 9", "dr weight 1", "weight is 9"}};
  EXPECT_EQ(JudgeAll(evidence).findings.front().message,
            "real server rs2 (10.0.0.12:80) of service tcp 10.0.0.100:80 is \"dr weight 9\" on lb1 "
            "where it should be \"dr weight 1\"");
}

// Ports 80 and 443 of one service by mark: 30 connections to each, 60 in its table.
TEST(ClusterLaw, PortsOfOneMarkAreCountedTogetherAndComparedOnce) {
  const ServiceKey by_mark = FwmarkKey{7, Family::kIpv4};
  ClusterEvidence evidence = RightCluster();
  for (const std::string host : {"lb1", "lb2"}) {
    for (auto* seen : {&evidence.hosts[host].before, &evidence.hosts[host].after}) {
      (*seen)->services.front().key = by_mark;
      (*seen)->traffic.front().service = by_mark;
    }
    evidence.states[host].services.front().key = by_mark;
  }
  evidence.hosts["lb1"].after->traffic = {Traffic(25)};
  evidence.hosts["lb1"].after->traffic.front().service = by_mark;
  VerifyExpectation expectation = Expect();
  expectation.services.front().mark = FwmarkKey{7, Family::kIpv4};
  expectation.services.push_back(expectation.services.front());
  expectation.services.back().key.port = 443;
  std::map<std::string, ProbedTraffic> probed;
  const VerifyReport seen = Judge(Expect(), Outcome(Connections("rs1 rs2 rs3", 10)));
  for (int port = 0; port < 2; ++port) probed["fwmark 7 ipv4"].Add(seen.services.front());
  VerifyReport report;
  JudgeDirectors(expectation, evidence, report);
  JudgeCounters(expectation, evidence, probed, report);
  EXPECT_TRUE(report.ok()) << Rules(report);
  std::vector<std::string> judged;
  for (const Check& check : report.checks) {
    EXPECT_EQ(check.skipped, "") << check.law;
    if (check.subject == "fwmark 7 ipv4") judged.push_back(check.law);
  }
  EXPECT_EQ(judged, (std::vector<std::string>{"equal-rules", "counters"}));
  EXPECT_EQ(CountedConnections(expectation, evidence, expectation.services.back()), 60U);
}

// One of two boxes has another card than the inventory says.
TEST(ClusterLaw, MarksLeaveOutTheMacThatTheOtherDirectorHas) {
  ClusterEvidence evidence;
  const MacAddress first{2, 0, 0, 0, 0, 1};
  const MacAddress second{2, 0, 0, 0, 0, 2};
  evidence.states["lb1"].path = {PacketMark{kWeb, 7, {second}}};
  evidence.states["lb2"].path = {PacketMark{kWeb, 7, {first}}};
  const auto judge = [&](const std::string& mac_of_lb2) {
    VerifyReport report;
    JudgeExceptions(evidence, {{"lb1", MacText(first), "eth0"}, {"lb2", mac_of_lb2, "eth0"}},
                    report);
    EXPECT_EQ(report.checks.size(), 2U);
    return Rules(report);
  };
  EXPECT_EQ(judge(MacText(second)), "");
  EXPECT_EQ(judge("02:00:00:00:00:09"), "mark-exception@lb1");
  EXPECT_EQ(judge(""), "");  // not on the probe's network: nobody knows
}

// Two boxes that balance and serve.
TEST(ClusterLaw, ADirectorThatServesSendsAnswersOfItsOwn) {
  ClusterEvidence evidence = RightCluster();
  evidence.hosts["lb1"].after->traffic.front().packets_out = 41;
  VerifyExpectation expectation = Expect();
  expectation.services.front().servers.front().name = "lb1";
  VerifyReport report;
  JudgeCounters(expectation, evidence, Probed("rs1 rs2 rs3", 10), report);
  EXPECT_EQ(Rules(report).find("reply-through-director"), std::string::npos) << Rules(report);
}

// The director of a tunnel says of full packets that they are too big; answers are more than that.
TEST(ClusterLaw, MessagesOfTooBigPacketsAreNoAnswers) {
  const auto judge = [](Forwarding forward, std::uint64_t packets_out) {
    ClusterEvidence evidence = RightCluster();
    evidence.hosts["lb1"].after->traffic.front().packets_out = packets_out;
    VerifyExpectation expectation = Expect();
    for (auto& server : expectation.services.front().servers) server.destination.forward = forward;
    auto probed = Probed("rs1 rs2 rs3", 10);
    probed.begin()->second.uploads = 3;
    VerifyReport report;
    JudgeCounters(expectation, evidence, probed, report);
    return Rules(report);
  };
  EXPECT_EQ(judge(Forwarding::kTun, 3), "");
  EXPECT_EQ(judge(Forwarding::kTun, 31), "reply-through-director@lb1");
  EXPECT_EQ(judge(Forwarding::kDr, 3), "reply-through-director@lb1");
}

TEST(ClusterLaw, ForeignTrafficIsANoteAndCountersMayStandStill) {
  ClusterEvidence evidence = RightCluster();
  evidence.hosts["lb1"].after->traffic = {Traffic(16)};
  VerifyReport report = JudgeAll(evidence);
  EXPECT_TRUE(report.ok()) << Rules(report);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].find("3 connections of other clients"), std::string::npos);
  evidence.hosts["lb1"].after->traffic = {Traffic(5)};
  evidence.hosts["lb1"].after->sysctls = {{"net/ipv4/vs/run_estimation", "0"}};
  report = JudgeAll(evidence);
  EXPECT_TRUE(report.ok()) << Rules(report);
  EXPECT_NE(report.checks.back().skipped.find("run_estimation"), std::string::npos);
}

TEST(ClusterLaw, HostThatGivesNoAnswerIsNotCalledWrong) {
  ClusterEvidence evidence = RightCluster();
  evidence.hosts["lb2"] = {.error = Error{ErrorCode::kUnreachable, "no route"}};
  const VerifyReport report = JudgeAll(evidence);
  EXPECT_TRUE(report.ok()) << Rules(report);
  EXPECT_EQ(report.checks.front().skipped, "not all directors could be looked at");
}

TEST(ClusterLaw, ExpectationFollowsTheTableWhereThereIsAReason) {
  ClusterEvidence evidence = RightCluster();
  auto& table = evidence.hosts["lb1"].before->services[0].destinations;
  std::swap(table[0], table[2]);
  table[0].weight = 0;  // rs3, drained
  table[1].weight = 7;  // rs2, for no reason
  NodeStatus status;
  ServiceStatus service;
  service.service = kWeb;
  for (const ExpectedServer& server : Service().servers) {
    ServerStatus one;
    one.endpoint = server.destination.endpoint();
    one.wanted = 1;
    one.weight = server.name == "rs3" ? 0 : 1;
    service.servers.push_back(one);
  }
  status.services = {service};
  evidence.hosts["lb1"].status = status;
  const VerifyExpectation now = AsItIsNow(Expect(), evidence);
  ASSERT_EQ(now.services.front().servers.size(), 3U);
  EXPECT_TRUE(now.services.front().order_seen);
  EXPECT_EQ(now.services.front().servers[0].name, "rs3");
  EXPECT_EQ(now.services.front().servers[0].destination.weight, 0U);
  EXPECT_EQ(now.services.front().servers[0].last_weight, 1U);
  EXPECT_EQ(now.services.front().servers[1].destination.weight, 1U);
}

TEST(ClusterLaw, WhileTheSorryServerStandsInEverythingIsForIt) {
  ClusterEvidence evidence = RightCluster();
  auto& table = evidence.hosts["lb1"].before->services[0].destinations;
  table = {Server("", "10.0.0.13").destination};  // rs3 here says sorry for rs1 and rs2
  ExpectedService wanted = Service();
  wanted.servers.pop_back();
  NodeStatus status;
  ServiceStatus service;
  service.service = kWeb;
  service.sorry = true;
  for (const ExpectedServer& server : wanted.servers) {
    ServerStatus down;
    down.endpoint = server.destination.endpoint();
    down.wanted = 1;
    service.servers.push_back(down);
  }
  status.services = {service};
  evidence.hosts["lb1"].status = status;
  const VerifyExpectation now = AsItIsNow(Expect(wanted), evidence);
  ASSERT_EQ(now.services.front().servers.size(), 1U);
  EXPECT_EQ(now.services.front().servers[0].name, "rs3");
  EXPECT_EQ(Rules(Judge(now, Outcome(Connections("rs3 rs3")))), "");
  EXPECT_EQ(Rules(Judge(now, Outcome(Connections("- -")))), "no-answer@rs3");
}

}  // namespace
}  // namespace drover
