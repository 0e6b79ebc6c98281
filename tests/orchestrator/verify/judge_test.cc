// The judge over whole evidence: every way to sabotage a cluster must be found and named, and a
// right cluster must pass.

#include "orchestrator/verify/judge.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/verify/evidence.h"

namespace drover {
namespace {

using namespace verify_test;  // NOLINT: the vocabulary of these tests

ProbeOutcome WithArp(std::map<std::string, std::uint32_t> answers) {
  ProbeOutcome outcome = Outcome(Connections("rs1 rs2 rs3", 10));
  outcome.arp.front().answers = std::move(answers);
  return outcome;
}

TEST(Judge, RightClusterHasNoFindingAndItsNumbers) {
  const VerifyReport report = Judge(Expect(), Outcome(Connections("rs2 rs3 rs1", 10)));
  EXPECT_TRUE(report.ok()) << Rules(report);
  ASSERT_EQ(report.services.size(), 1U);
  const ServiceEvidence& evidence = report.services.front();
  EXPECT_EQ(evidence.service, "tcp 10.0.0.100:80");
  EXPECT_EQ(evidence.connections, 30U);
  EXPECT_EQ(evidence.failed, 0U);
  EXPECT_EQ(evidence.law, "exact: rr");
  ASSERT_EQ(evidence.servers.size(), 3U);
  for (const ServerCount& server : evidence.servers) EXPECT_EQ(server.connections, 10U);
  EXPECT_EQ(evidence.sequence.front(), "rs2");
  EXPECT_EQ(report.arp,
            std::vector<std::string>{"10.0.0.100 on eth0: lb1 (02:00:00:00:00:01) 4 answers"});
  EXPECT_TRUE(report.notes.empty());
}

// Two proxies share the VIP and serve port 80 themselves.
VerifyExpectation Proxies() {
  ExpectedService service{.key = kWeb, .scheduler = "", .servers = {}, .own = true};
  service.servers = {Server("lb1", "10.0.0.1"), Server("lb2", "10.0.0.2")};
  return {.services = {std::move(service)},
          .directors = {"lb1", "lb2"},
          .real_servers = {},
          .vips = {kWeb.address}};
}

TEST(Judge, APortOfTheOwnerIsAnsweredByOneHost) {
  const VerifyReport right = Judge(Proxies(), Outcome(Connections("lb1", 12)));
  EXPECT_TRUE(right.ok()) << Rules(right);
  EXPECT_EQ(right.services.front().law, "exact: whoever has the VIP");
  for (const Check& check : right.checks) EXPECT_NE(check.law, "weight-zero");
  const VerifyReport split = Judge(Proxies(), Outcome(Connections("lb1 lb2", 6)));
  EXPECT_EQ(Rules(split), "several-owners");
  const VerifyReport stranger = Judge(Proxies(), Outcome(Connections("rs1", 12)));
  EXPECT_EQ(Rules(stranger), "wrong-host@rs1");
  const VerifyReport virtual_mac = Judge(Proxies(), Outcome(Connections("00:00:5e:00:01:33", 12)));
  EXPECT_TRUE(virtual_mac.ok()) << Rules(virtual_mac);
  ProbeOutcome dead = Outcome({});
  dead.services.front().connections = {NoAnswer("connection refused"),
                                       NoAnswer("connection refused")};
  const VerifyReport refused = Judge(Proxies(), dead);
  EXPECT_EQ(Rules(refused), "no-answer");
  EXPECT_NE(refused.findings.front().remedy.find("tracker"), std::string::npos);
  EXPECT_EQ(refused.findings.front().remedy.find("ipvsadm"), std::string::npos);
}

TEST(Judge, AVipWithoutServicesIsAskedForToo) {
  VerifyExpectation expectation = Proxies();
  expectation.services.clear();
  ProbeOutcome outcome = Outcome({});
  outcome.services.clear();
  EXPECT_TRUE(Judge(expectation, outcome).ok());
  outcome.arp.front().answers = {{Mac("lb1"), 4}, {Mac("lb2"), 4}};
  EXPECT_EQ(Rules(Judge(expectation, outcome)), "arp-double-owner");
  outcome.arp.clear();
  const VerifyReport silent = Judge(expectation, outcome);
  ASSERT_FALSE(silent.checks.empty());
  EXPECT_EQ(silent.checks.front().skipped, "nobody was asked who has it");
}

TEST(Judge, EverySabotageIsNamed) {
  struct Case {
    std::string name;
    std::string sequence;
    std::string rules;
  };
  const std::vector<Case> cases = {
      {"rotation in another order", "rs3 rs1 rs2 rs3 rs1 rs2", ""},
      {"begun round", "rs1 rs2 rs3 rs1", ""},
      {"fewer connections than servers", "rs3 rs1", ""},
      {"all to one", "rs2 rs2 rs2 rs2 rs2 rs2", "rr-distribution@rs2"},
      {"one server left out", "rs1 rs2 rs1 rs2 rs1 rs2", "rr-distribution@rs3"},
      {"skew", "rs1 rs1 rs2 rs3 rs1 rs1 rs2 rs3", "rr-distribution"},
      {"even counts, no rotation", "rs1 rs2 rs3 rs3 rs2 rs1", "rr-order"},
      {"turn twice within a round", "rs1 rs1 rs2 rs3", "rr-order"},
      {"one server dead", "rs1 - rs3 rs1 - rs3", "no-answer@rs2"},
      {"one server dead, the others out of order", "rs1 - rs3 rs3 - rs1", "no-answer@rs2 rr-order"},
      {"now and then one fails", "rs1 rs2 rs3 rs1 - rs3 rs1 rs2 rs3", "no-answer@rs2"},
      {"two fail in turn", "rs1 rs2 rs3 - rs2 - rs1 rs2 rs3", "no-answer"},
      {"failure took no turn", "rs1 rs2 - rs3 rs1 rs2 rs3", "no-answer"},
      {"nobody answers", "- - - -", "no-answer"},
      {"director serves itself", "rs1 lb1 rs3 rs1 lb1 rs3", "reply-path@lb1"},
      {"database host serves", "rs1 db1 rs3 rs1 db1 rs3", "wrong-host@db1"},
      {"unknown card serves", "rs1 06:66:66:66:66:66 rs3", "wrong-host"},
  };
  for (const Case& c : cases) {
    const VerifyReport report = Judge(Expect(), Outcome(Connections(c.sequence)));
    EXPECT_EQ(Rules(report), c.rules) << c.name;
    for (const Finding& finding : report.findings) {
      EXPECT_FALSE(finding.message.empty() || finding.why.empty() || finding.remedy.empty())
          << c.name;
    }
  }
}

TEST(Judge, SilentServerIsNamedWithItsShareAndReason) {
  const VerifyReport report = Judge(Expect(), Outcome(Connections("rs1 - rs3")));
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings.front().message,
            "tcp 10.0.0.100:80: 1 of 3 connections got no answer: timed out after 2 s; rs2 never "
            "answered");
  EXPECT_NE(report.findings.front().remedy.find("virtual address is on lo"), std::string::npos);
  EXPECT_EQ(report.services.front().sequence, (std::vector<std::string>{"rs1", "-", "rs3"}));
}

TEST(Judge, RefusedConnectionsPointAtTheServiceNotTheHost) {
  std::vector<ProbeConnection> connections = Connections("rs1 rs2 rs3 rs1 rs2");
  connections.push_back(NoAnswer("connection refused"));
  const VerifyReport report = Judge(Expect(), Outcome(connections));
  ASSERT_EQ(Rules(report), "no-answer@rs3");
  EXPECT_EQ(report.findings.front().message,
            "tcp 10.0.0.100:80: 1 of 6 connections got no answer: connection refused; it was the "
            "turn of rs3 (1)");
  EXPECT_NE(report.findings.front().remedy.find("nobody listens"), std::string::npos);
}

TEST(Judge, WhereNobodyAsksTheServersACheckIsTheRemedy) {
  ExpectedService service = Service("rr");
  const auto remedy = [&] {
    const VerifyReport report = Judge(Expect(service), Outcome(Connections("rs1 - rs3 rs1 - rs3")));
    return report.findings.empty() ? "" : report.findings.front().remedy;
  };
  EXPECT_EQ(remedy().find("check: {tcp: {}}"), std::string::npos);
  service.checked = false;
  EXPECT_NE(remedy().find("check: {tcp: {}}"), std::string::npos);
}

TEST(Judge, ServerThatTookTheConnectionAndFailedIsNamedByItsMac) {
  std::vector<ProbeConnection> connections = Connections("rs1 rs2 rs3");
  connections[1] = NoAnswer("connection reset by the server");
  connections[1].reply_mac = Mac("rs2");
  ExpectedService service = Service("wlc");
  EXPECT_EQ(Rules(Judge(Expect(service), Outcome(connections))), "no-answer@rs2");
}

TEST(Judge, ArpIsHeldToOneDirector) {
  struct Case {
    std::string name;
    std::map<std::string, std::uint32_t> answers;
    std::string rules;
  };
  const std::vector<Case> cases = {
      {"the other director", {{Mac("lb2"), 4}}, ""},
      {"virtual router's MAC", {{"00:00:5e:00:01:33", 4}}, ""},
      {"real server too", {{Mac("lb1"), 4}, {Mac("rs2"), 1}}, "arp-real-server@rs2"},
      {"real server alone", {{Mac("rs2"), 4}}, "arp-real-server@rs2 arp-no-owner"},
      {"two directors", {{Mac("lb1"), 4}, {Mac("lb2"), 4}}, "arp-double-owner"},
      {"nobody", {}, "arp-no-owner"},
      {"another known host", {{Mac("lb1"), 4}, {Mac("db1"), 4}}, "arp-stranger@db1"},
      {"an unknown host", {{Mac("lb1"), 4}, {"06:66:66:66:66:66", 4}}, "arp-stranger"},
  };
  for (const Case& c : cases) {
    const VerifyReport report = Judge(Expect(), WithArp(c.answers));
    EXPECT_EQ(Rules(report), c.rules) << c.name;
  }
}

TEST(Judge, SeveralFaultsAreAllReported) {
  ProbeOutcome outcome = Outcome(Connections("rs1 rs1 rs1 rs1"));
  outcome.arp.front().answers = {{Mac("lb1"), 4}, {Mac("rs1"), 4}};
  EXPECT_EQ(Rules(Judge(Expect(), outcome)), "rr-distribution@rs1 arp-real-server@rs1");
}

TEST(Judge, PageThatContradictsTheMacIsAFinding) {
  ProbeOutcome outcome =
      Outcome({Answer("rs1", "rs1"), Answer("rs2", "rs1"), Answer("rs3", "rs3")});
  const VerifyReport report = Judge(Expect(), outcome);
  ASSERT_EQ(Rules(report), "wrong-page@rs2");
  EXPECT_EQ(report.findings.front().message,
            "tcp 10.0.0.100:80: 1 answer came from rs2's network card, but the page names rs1");
}

TEST(Judge, RepliesThroughTheDirectorAreFoundWithDirectRoutingOnly) {
  const std::vector<ProbeConnection> connections = {Answer("lb1", "rs1"), Answer("lb1", "rs2"),
                                                    Answer("lb1", "rs3")};
  EXPECT_EQ(Rules(Judge(Expect(), Outcome(connections))),
            "reply-path@lb1 reply-path@lb1 reply-path@lb1");
  ExpectedService nat = Service();
  for (ExpectedServer& server : nat.servers) server.destination.forward = Forwarding::kNat;
  const VerifyReport report = Judge(Expect(nat), Outcome(connections));
  EXPECT_TRUE(report.ok()) << Rules(report);
  EXPECT_EQ(report.services.front().sequence, (std::vector<std::string>{"rs1", "rs2", "rs3"}));
}

TEST(Judge, DirectorThatIsARealServerMayAnswer) {
  ExpectedService service = Service();
  service.servers[0] = Server("lb1", "10.0.0.1");
  EXPECT_TRUE(Judge(Expect(service), Outcome(Connections("lb1 rs2 rs3", 2))).ok());
  // …but a page of another server that comes from its MAC came back through it.
  const VerifyReport report = Judge(
      Expect(service), Outcome({Answer("lb1", "lb1"), Answer("lb1", "rs2"), Answer("rs3", "rs3")}));
  EXPECT_EQ(Rules(report), "reply-path@lb1");
}

TEST(Judge, NothingIsClaimedWhereAnswerersCannotBeToldApart) {
  ExpectedService nat = Service();
  for (ExpectedServer& server : nat.servers) server.destination.forward = Forwarding::kNat;
  const VerifyReport report = Judge(Expect(nat), Outcome(Connections("lb1 lb1 lb1")));
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.services.front().law, "not judged: 3 of 3 answers do not tell who gave them");
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes.front().find("http path"), std::string::npos);
}

TEST(Judge, PersistenceKeepsOneClientOnOneServer) {
  ExpectedService service = Service();
  service.persistent = true;
  const auto judge = [&](const std::string& sequence) {
    return Rules(Judge(Expect(service), Outcome(Connections(sequence))));
  };
  EXPECT_EQ(judge("rs2 rs2 rs2 rs2"), "");
  EXPECT_EQ(judge("rs2 rs2 rs3 rs2"), "persistence");
}

TEST(Judge, DrainedServerMustTakeNothing) {
  ExpectedService service = Service();
  service.servers[1].destination.weight = 0;
  const auto judge = [&](const std::string& sequence) {
    return Judge(Expect(service), Outcome(Connections(sequence)));
  };
  EXPECT_EQ(Rules(judge("rs1 rs3 rs1 rs3")), "");
  const VerifyReport report = judge("rs1 rs2 rs3 rs1 rs2 rs3");
  ASSERT_EQ(Rules(report), "weight-zero@rs2");
  EXPECT_EQ(report.findings.front().message,
            "tcp 10.0.0.100:80: rs2 has weight 0 but took 2 new connections");
  service.persistent = true;  // its template may still bring a client back
  EXPECT_EQ(Rules(judge("rs2 rs2")), "");
  EXPECT_EQ(judge("rs2 rs2").notes.size(), 1U);
}

TEST(Judge, FullyDrainedServiceMustNotAnswer) {
  ExpectedService service = Service();
  for (ExpectedServer& server : service.servers) server.destination.weight = 0;
  EXPECT_EQ(Rules(Judge(Expect(service), Outcome(Connections("- - -")))), "");
  EXPECT_EQ(Rules(Judge(Expect(service), Outcome(Connections("rs1 - -")))), "weight-zero@rs1");
}

TEST(Judge, ErrorPagesAreFoundByServer) {
  std::vector<ProbeConnection> connections = Connections("rs1 rs2 rs3", 2);
  connections[1].http_status = 503;
  connections[4].http_status = 503;
  const VerifyReport report = Judge(Expect(), Outcome(connections));
  ASSERT_EQ(Rules(report), "http-status@rs2");
  EXPECT_EQ(report.findings.front().message,
            "tcp 10.0.0.100:80: 2 answers of rs2 had the HTTP status 503");
}

TEST(Judge, WhatCouldNotBeProbedIsANoteNotSilence) {
  ExpectedService udp = Service();
  udp.key.transport = Transport::kUdp;
  ProbeOutcome outcome = Outcome({});
  outcome.arp.front().on_link = false;
  const VerifyReport report = Judge(Expect(udp), outcome);
  EXPECT_TRUE(report.ok());
  EXPECT_TRUE(report.services.empty());
  ASSERT_EQ(report.notes.size(), 2U);
  EXPECT_EQ(report.notes[0],
            "udp 10.0.0.100:80: not probed, nothing tells what to ask: a check {dns: ...} "
            "or {udp: {payload, expect}} does");
  EXPECT_NE(report.notes[1].find("not on a network of the probing host"), std::string::npos);

  outcome.arp.clear();
  EXPECT_EQ(Judge(Expect(udp), outcome).notes[1], "10.0.0.100: nobody was asked who has it");
}

TEST(Judge, LatencyIsTakenByNearestRankOverAnswersOnly) {
  std::vector<ProbeConnection> connections;
  for (int i = 1; i <= 200; ++i) {
    connections.push_back(Answer(i % 3 == 0 ? "rs3" : i % 3 == 1 ? "rs1" : "rs2"));
    connections.back().total_time = std::chrono::microseconds(201 - i);
  }
  connections.push_back(NoAnswer());
  connections.back().total_time = std::chrono::seconds(9);
  const ServiceEvidence evidence = Judge(Expect(), Outcome(connections)).services.front();
  EXPECT_EQ(evidence.median.count(), 100);
  EXPECT_EQ(evidence.p99.count(), 198);
  EXPECT_EQ(evidence.max.count(), 200);
  EXPECT_EQ(evidence.failed, 1U);
}

}  // namespace
}  // namespace drover
