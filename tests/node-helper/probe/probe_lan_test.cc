// The prober on a real network: a director that routes each connection for the VIP to one of two
// real servers (by the kernel's multipath hash, as ip_vs may be missing here), which answer past
// it. What is sabotaged must show in the evidence, and in the judgement.

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "node-helper/tasks/probe_task.h"
#include "orchestrator/verify/judge.h"
#include "tests/node-helper/probe/lan.h"

namespace drover {
namespace {

// Cannot be made, so that a test leaves no file; the ports begin at random then.
const std::string kNoPortFile = "/proc/no/such/file";

using std::chrono::milliseconds;

const IpAddress kVip = *IpAddress::Parse("10.9.0.100");
const SocketKey kWeb{Transport::kTcp, kVip, 80};

class ProbeLan : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { allowed_ = EnterLan(); }

  void SetUp() override {
    if (!allowed_) GTEST_SKIP() << "needs root for network namespaces";
    director_ = std::make_unique<LanHost>("lb1", 16);
    first_ = std::make_unique<LanHost>("rs1", 17);
    second_ = std::make_unique<LanHost>("rs2", 18);
    ASSERT_TRUE(director_->ok() && first_->ok() && second_->ok());
    // Only TCP to the VIP is routed on; ARP for it still finds a local address.
    ASSERT_TRUE(director_->Run(
        "ip addr add 10.9.0.100/32 dev eth0 && ip rule add pref 100 lookup local && ip rule del "
        "pref 0 && ip rule add pref 10 to 10.9.0.100 ipproto tcp lookup 100 && ip route add table "
        "100 default nexthop via 10.9.0.17 dev eth0 nexthop via 10.9.0.18 dev eth0 && cd "
        "/proc/sys/net/ipv4 && echo 1 > ip_forward && echo 1 > fib_multipath_hash_policy && echo 0 "
        "> conf/all/send_redirects && echo 0 > conf/eth0/send_redirects && echo 0 > "
        "conf/all/rp_filter && echo 0 > conf/eth0/rp_filter"));
    for (const LanHost* server : {first_.get(), second_.get()}) {
      ASSERT_TRUE(
          server->Run("ip addr add 10.9.0.100/32 dev lo && cd /proc/sys/net/ipv4/conf/all && echo "
                      "1 > arp_ignore && echo 2 > arp_announce"));
    }
    RunShell("ip neigh flush dev br0");
  }

  [[nodiscard]] ProbeTask Probe(std::uint32_t connections) const {
    ProbeTask probe;
    probe.services = {{kWeb, connections, "/", milliseconds(3000)}};
    probe.vips = {kVip};
    for (const LanHost* host : {director_.get(), first_.get(), second_.get()}) {
      probe.peers.push_back({host->name(), *IpAddress::Parse(host->address())});
    }
    probe.arp_window = milliseconds(100);
    return probe;
  }

  static ProbeOutcome Run(const ProbeTask& probe, const std::string& message = "") {
    const TaskResult result = RunProbeTask(Task{}, probe, kNoPortFile);
    EXPECT_EQ(result.status, TaskStatus::kOk);
    EXPECT_EQ(result.message, message);
    const auto* outcome = std::get_if<ProbeOutcome>(&result.detail);
    return outcome == nullptr ? ProbeOutcome{} : *outcome;
  }

  static VerifyReport Verify(const ProbeOutcome& outcome) {
    const auto server = [](const std::string& name, const std::string& address) {
      return ExpectedServer{name, {.address = *IpAddress::Parse(address), .port = 80}};
    };
    return Judge({.services = {{.key = kWeb,
                                .scheduler = "lblc",
                                .persistent = false,
                                .servers = {server("rs1", "10.9.0.17"), server("rs2", "10.9.0.18")},
                                .scheduler_flags = {}}},
                  .directors = {"lb1"},
                  .real_servers = {"rs1", "rs2"}},
                 outcome);
  }

  static std::string Rules(const VerifyReport& report) {
    std::string rules;
    for (const Finding& finding : report.findings) {
      rules += (rules.empty() ? "" : " ") + finding.rule + "@" + finding.host;
    }
    return rules;
  }

  static bool allowed_;
  std::unique_ptr<LanHost> director_;
  std::unique_ptr<LanHost> first_;
  std::unique_ptr<LanHost> second_;
};

bool ProbeLan::allowed_ = false;

TEST_F(ProbeLan, EachConnectionShowsTheMacAndThePageOfItsRealServer) {
  const ProbeOutcome outcome = Run(Probe(30));
  ASSERT_EQ(outcome.services.size(), 1U);
  ASSERT_EQ(outcome.services[0].connections.size(), 30U);
  std::map<std::string, std::string> page_of = {{first_->mac(), "this is rs1"},
                                                {second_->mac(), "this is rs2"}};
  std::set<std::string> seen;
  for (const ProbeConnection& connection : outcome.services[0].connections) {
    ASSERT_FALSE(connection.error) << connection.error->message;
    EXPECT_EQ(connection.body, page_of[connection.reply_mac]) << connection.reply_mac;
    EXPECT_EQ(connection.http_status, 200);
    EXPECT_GT(connection.connect_time.count(), 0);
    EXPECT_GT(connection.total_time, connection.connect_time);
    seen.insert(connection.body);
  }
  EXPECT_EQ(seen.size(), 2U);
  ASSERT_EQ(outcome.arp.size(), 1U);
  EXPECT_TRUE(outcome.arp[0].on_link);
  EXPECT_FALSE(outcome.arp[0].local);
  EXPECT_EQ(outcome.arp[0].interface, "br0");
  ASSERT_EQ(outcome.arp[0].answers.size(), 1U);
  EXPECT_GE(outcome.arp[0].answers.at(director_->mac()), 4U);  // two rounds in two forms
  EXPECT_EQ(outcome.peers, (std::vector<PeerMac>{{"lb1", director_->mac(), "br0"},
                                                 {"rs1", first_->mac(), "br0"},
                                                 {"rs2", second_->mac(), "br0"}}));
  EXPECT_EQ(Rules(Verify(outcome)), "");
}

TEST_F(ProbeLan, EachQuestionOverUdpShowsTheMacAndTheWordsOfWhoAnswers) {
  ProbeTask probe = Probe(0);
  probe.services = {
      {{Transport::kUdp, *IpAddress::Parse(first_->address()), 53}, 30, "", milliseconds(3000)}};
  probe.services[0].question = UdpCheck{"who", "this is"};
  ProbeOutcome outcome = Run(probe);
  ASSERT_EQ(outcome.services.size(), 1U);
  ASSERT_EQ(outcome.services[0].connections.size(), 30U);
  EXPECT_EQ(outcome.services[0].source, "10.9.0.1");
  std::set<std::uint16_t> ports;
  for (const ProbeConnection& answer : outcome.services[0].connections) {
    ASSERT_FALSE(answer.error) << answer.error->message;
    EXPECT_EQ(answer.body, "this is rs1");
    EXPECT_EQ(answer.reply_mac, first_->mac());
    EXPECT_EQ(answer.reply_ttl, 64);
    EXPECT_GT(answer.total_time.count(), 0);
    ports.insert(answer.local_port);
  }
  EXPECT_EQ(ports.size(), 30U);  // a port of its own each
  // An answer that is not the expected one is none, and silence ends with the patience.
  probe.services[0].connections = 2;
  probe.services[0].question = UdpCheck{"who", "that is"};
  outcome = Run(probe);
  ASSERT_TRUE(outcome.services[0].connections[0].error);
  EXPECT_EQ(outcome.services[0].connections[0].error->message,
            "an answer, but not the expected one");
  EXPECT_NE(outcome.services[0].connections[0].reply_mac, "");
  probe.services[0].question = DnsCheck{"www.example.net", "A"};  // its answer is not DNS
  probe.services[0].timeout = milliseconds(200);
  outcome = Run(probe);
  ASSERT_TRUE(outcome.services[0].connections[0].error);
  EXPECT_EQ(outcome.services[0].connections[0].error->message, "no answer in time");
}

TEST_F(ProbeLan, OneMoreConnectionGoesOutWhenPersistenceIsOver) {
  ProbeTask probe = Probe(2);
  probe.services[0].outlast = milliseconds(700);
  const auto start = std::chrono::steady_clock::now();
  const ProbeOutcome outcome = Run(probe);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(700));
  ASSERT_EQ(outcome.services[0].later.size(), 1U);
  EXPECT_FALSE(outcome.services[0].later[0].error);
  EXPECT_TRUE(outcome.services[0].later[0].body.starts_with("this is rs"));
  EXPECT_NE(outcome.services[0].later[0].reply_mac, "");
}

TEST_F(ProbeLan, RealServerThatAnswersArpIsCaught) {
  ASSERT_TRUE(second_->Run("echo 0 > /proc/sys/net/ipv4/conf/all/arp_ignore"));
  const ProbeOutcome outcome = Run(Probe(3));
  ASSERT_EQ(outcome.arp[0].answers.size(), 2U);
  EXPECT_EQ(outcome.arp[0].answers.count(second_->mac()), 1U);
  EXPECT_EQ(Rules(Verify(outcome)), "arp-real-server@rs2");
}

// arp_ignore=1 hides the VIP from questions, but with arp_announce=0 the server's own question for
// us says that the VIP lives at its MAC.
TEST_F(ProbeLan, RealServerThatAsksInTheNameOfTheVipIsCaught) {
  ASSERT_TRUE(
      second_->Run("echo 0 > /proc/sys/net/ipv4/conf/all/arp_announce; ip neigh flush dev eth0"));
  const ProbeOutcome outcome = Run(Probe(30));
  ASSERT_EQ(outcome.arp[0].answers.size(), 2U);
  EXPECT_EQ(outcome.arp[0].answers.count(second_->mac()), 1U);
  EXPECT_EQ(Rules(Verify(outcome)), "arp-poison@rs2");
}

// One that knows all who ask it, as it does on a quiet network, has nobody to look for. It is made
// to look for a client that nobody knows.
TEST_F(ProbeLan, RealServerThatKnowsTheClientIsProvokedToShowInWhoseNameItAsks) {
  ASSERT_TRUE(second_->Run(
      "echo 0 > /proc/sys/net/ipv4/conf/all/arp_announce; ping -c 1 -W 1 10.9.0.1 > /dev/null"));
  ProbeTask probe = Probe(0);
  probe.services.clear();
  ProbeOutcome outcome = Run(probe);
  EXPECT_EQ(outcome.arp[0].answers.count(second_->mac()), 0U);
  for (ProbePeer& peer : probe.peers) peer.real_server = peer.name != "lb1";
  outcome = Run(probe);
  EXPECT_EQ(outcome.arp[0].answers.count(first_->mac()), 0U);
  ASSERT_EQ(outcome.arp[0].requests.count(second_->mac()), 1U);
  EXPECT_TRUE(second_->Run("! ip addr | grep -q 10.9.0.25"));
}

TEST_F(ProbeLan, LargeRequestsAndTheTimeToLiveOfAnswersAreSeen) {
  ProbeTask probe = Probe(4);
  probe.services[0].uploads = 3;
  const ProbeOutcome outcome = Run(probe);
  ASSERT_EQ(outcome.services[0].uploads.size(), 3U);
  for (const ProbeConnection& upload : outcome.services[0].uploads) {
    ASSERT_FALSE(upload.error) << upload.error->message;
    EXPECT_EQ(upload.http_status, 200);
  }
  EXPECT_EQ(outcome.services[0].source, "10.9.0.1");
  for (const ProbeConnection& connection : outcome.services[0].connections) {
    EXPECT_EQ(connection.reply_ttl, 64);
    EXPECT_NE(connection.local_port, 0);
  }
}

TEST_F(ProbeLan, DirectorThatSendsRedirectsIsCaught) {
  ASSERT_TRUE(director_->Run("cd /proc/sys/net/ipv4/conf && echo 1 > all/send_redirects"));
  const ProbeOutcome outcome = Run(Probe(30));
  ASSERT_EQ(outcome.redirects.size(), 1U);
  EXPECT_EQ(outcome.redirects[0].mac, director_->mac());
  EXPECT_EQ(Rules(Verify(outcome)), "icmp-redirect@lb1");
}

TEST_F(ProbeLan, RealServerWithoutTheVipLeavesItsConnectionsUnanswered) {
  ASSERT_TRUE(second_->Run("ip addr del 10.9.0.100/32 dev lo"));
  // The hash falls as it likes; so many connections with these weights reach both.
  ASSERT_TRUE(director_->Run(
      "ip route replace table 100 default nexthop via 10.9.0.17 dev eth0 weight 2 nexthop via "
      "10.9.0.18 dev eth0 weight 1"));
  ProbeTask probe = Probe(40);
  probe.services[0].http_path.clear();
  probe.services[0].timeout = milliseconds(100);
  const ProbeOutcome outcome = Run(probe);
  std::size_t failed = 0;
  for (const ProbeConnection& connection : outcome.services[0].connections) {
    if (!connection.error) {
      EXPECT_EQ(connection.reply_mac, first_->mac());
      continue;
    }
    ++failed;
    EXPECT_EQ(connection.error->code, ErrorCode::kTimeout);
    EXPECT_EQ(connection.error->message, "no answer in time");
    EXPECT_EQ(connection.reply_mac, "");
  }
  EXPECT_GT(failed, 0U);
  EXPECT_LT(failed, 40U);
  EXPECT_EQ(Rules(Verify(outcome)), "no-answer@rs2");
}

TEST_F(ProbeLan, ConnectionsWithoutPageAreResetAndStillKnownByTheirMac) {
  ProbeTask probe = Probe(200);
  probe.services[0].http_path.clear();
  const ProbeOutcome outcome = Run(probe);
  ASSERT_EQ(outcome.services[0].connections.size(), 200U);
  for (const ProbeConnection& connection : outcome.services[0].connections) {
    EXPECT_FALSE(connection.error) << connection.error->message;
    EXPECT_TRUE(connection.reply_mac == first_->mac() || connection.reply_mac == second_->mac());
    EXPECT_EQ(connection.http_status, 0);
  }
  EXPECT_TRUE(RunShell("! grep -q : /proc/net/tcp || ! ss -Htan state time-wait | grep -q ."));
  EXPECT_EQ(Rules(Verify(outcome)), "");
}

TEST_F(ProbeLan, DeadServiceIsNotWaitedForToTheEnd) {
  ProbeTask probe = Probe(1000);
  probe.services[0].service.port = 81;
  const ProbeOutcome outcome =
      Run(probe, "tcp 10.9.0.100:81: stopped after 10 of 1000 connections, the last 10 failed");
  ASSERT_EQ(outcome.services[0].connections.size(), 10U);
  for (const ProbeConnection& connection : outcome.services[0].connections) {
    ASSERT_TRUE(connection.error);
    EXPECT_EQ(connection.error->message, "connection refused");
    EXPECT_EQ(connection.error->code, ErrorCode::kUnreachable);
  }
}

TEST_F(ProbeLan, WhatIsNotOnALinkCostsNoTime) {
  ProbeTask probe;
  probe.services = {{{Transport::kUdp, kVip, 53}, 5, "", milliseconds(1000)}};
  probe.vips = {*IpAddress::Parse("192.0.2.1"), *IpAddress::Parse("2001:db8:ffff::1")};
  probe.peers = {{"far", *IpAddress::Parse("192.0.2.2")},
                 {"me", *IpAddress::Parse("10.9.0.1")},
                 {"rs1", *IpAddress::Parse(first_->address())}};
  probe.arp_window = milliseconds(5000);
  const auto start = std::chrono::steady_clock::now();
  const ProbeOutcome outcome = Run(
      probe,
      "udp 10.9.0.100:53: only TCP services and UDP services with a question are probed, with a "
      "port");
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2500));
  EXPECT_FALSE(outcome.arp[0].on_link);
  EXPECT_FALSE(outcome.arp[1].on_link);
  EXPECT_EQ(outcome.peers,
            (std::vector<PeerMac>{
                {"far", ""}, {"me", "02:00:00:00:09:01", "br0"}, {"rs1", first_->mac(), "br0"}}));
}

TEST_F(ProbeLan, NeighbourDiscoveryFindsTheOwnerOfAnIpv6Vip) {
  ASSERT_TRUE(director_->Run("ip addr add 2001:db8:9::100/128 dev eth0 nodad"));
  ASSERT_TRUE(first_->Run("ip addr add 2001:db8:9::100/128 dev lo nodad"));  // silent on lo
  ProbeTask probe;
  const IpAddress vip = *IpAddress::Parse("2001:db8:9::100");
  probe.vips = {vip};
  // A link that came up just now may lose the first solicitation; the next one goes out a second
  // later.
  probe.services = {{{Transport::kTcp, vip, 80}, 3, "/", milliseconds(4000)}};
  probe.peers = {{"rs1", *IpAddress::Parse("2001:db8:9::17")}};
  probe.arp_window = milliseconds(100);
  ProbeOutcome outcome = Run(probe);
  ASSERT_EQ(outcome.arp[0].answers.size(), 1U);
  EXPECT_GE(outcome.arp[0].answers.at(director_->mac()), 2U);
  EXPECT_EQ(outcome.peers[0].mac, first_->mac());
  for (const ProbeConnection& connection : outcome.services[0].connections) {
    ASSERT_FALSE(connection.error);
    EXPECT_EQ(connection.reply_mac, director_->mac());
    EXPECT_EQ(connection.body, "this is lb1");
  }
  ASSERT_TRUE(second_->Run("ip addr add 2001:db8:9::100/128 dev eth0 nodad"));
  outcome = Run(probe);
  EXPECT_EQ(outcome.arp[0].answers.count(second_->mac()), 1U);
}

TEST_F(ProbeLan, VipOfTheProbingHostItselfIsNeverClaimedByItsQuestions) {
  ASSERT_TRUE(RunShell("ip addr del 10.9.0.1/24 dev br0 && ip addr add 10.9.0.100/24 dev br0"));
  ASSERT_TRUE(first_->Run("ip neigh flush dev eth0"));
  ProbeTask probe = Probe(0);
  probe.services.clear();
  probe.peers.clear();
  const ProbeOutcome outcome = Run(probe);
  EXPECT_TRUE(RunShell("ip addr del 10.9.0.100/24 dev br0 && ip addr add 10.9.0.1/24 dev br0"));
  EXPECT_TRUE(outcome.arp[0].local);
  EXPECT_TRUE(outcome.arp[0].on_link);
  EXPECT_EQ(outcome.arp[0].answers.count(director_->mac()), 1U);  // a second owner
  EXPECT_TRUE(first_->Run("! ip neigh | grep -q 10.9.0.100"));
}

TEST_F(ProbeLan, WithoutTheRightToSeePacketsTheEvidenceSaysSo) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> had{};
  ASSERT_EQ(syscall(SYS_capget, &header, had.data()), 0);
  auto without = had;
  without[0].effective &= ~(1U << CAP_NET_RAW);
  ASSERT_EQ(syscall(SYS_capset, &header, without.data()), 0);
  const TaskResult result = RunProbeTask(Task{}, Probe(2), kNoPortFile);
  ASSERT_EQ(syscall(SYS_capset, &header, had.data()), 0);
  EXPECT_EQ(result.status, TaskStatus::kOk);
  EXPECT_NE(result.message.find("were not asked"), std::string::npos);
  EXPECT_NE(result.message.find("MAC answers came was not seen"), std::string::npos);
  const auto& outcome = std::get<ProbeOutcome>(result.detail);
  EXPECT_FALSE(outcome.arp[0].on_link);
  EXPECT_FALSE(outcome.services[0].connections[0].error);
  EXPECT_EQ(outcome.services[0].connections[0].reply_mac, "");
  EXPECT_EQ(Rules(Verify(outcome)), "");  // pages still tell the servers apart
}

TEST_F(ProbeLan, CheckModeProbesNothingAndABadPathIsRefused) {
  Task check;
  check.check = true;
  const TaskResult skipped = RunProbeTask(check, Probe(3), kNoPortFile);
  EXPECT_EQ(skipped.status, TaskStatus::kSkipped);
  EXPECT_EQ(skipped.message, "would probe 1 service");
  ProbeTask bad = Probe(3);
  bad.services[0].http_path = "no slash";
  EXPECT_EQ(RunProbeTask(Task{}, bad, kNoPortFile).code, ErrorCode::kInvalid);
}

TEST_F(ProbeLan, EndsWhenNobodyWaitsOrItsTimeIsOver) {
  const TaskResult abandoned = RunProbeTask(Task{}, Probe(1000), kNoPortFile, [] { return true; });
  EXPECT_EQ(std::get<ProbeOutcome>(abandoned.detail).services[0].connections.size(), 0U);
  Task hurried;
  hurried.timeout = milliseconds(400);
  const auto start = std::chrono::steady_clock::now();
  const TaskResult cut = RunProbeTask(hurried, Probe(100000), kNoPortFile);
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(1500));
  EXPECT_NE(cut.message.find("of 100000 connections"), std::string::npos);
  EXPECT_EQ(std::get<ProbeOutcome>(cut.detail).arp[0].answers.size(), 1U);  // still asked
}

}  // namespace
}  // namespace drover
