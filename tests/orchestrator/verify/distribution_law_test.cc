// The schedulers' laws on sequences: what a round is, what breaks it, which laws are exact.

#include "orchestrator/verify/distribution_law.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/verify/evidence.h"

namespace drover {
namespace {

using namespace verify_test;  // NOLINT: the vocabulary of these tests

ExpectedService Weighted(const std::string& scheduler, const std::vector<std::uint32_t>& weights) {
  ExpectedService service = Service(scheduler);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    service.servers[i].destination.weight = weights[i];
  }
  return service;
}

TEST(DistributionLaw, EachSchedulerSaysHowItIsJudged) {
  struct Case {
    std::string scheduler;
    std::vector<std::string> flags;
    std::string law;
  };
  const std::vector<Case> cases = {
      {"rr", {}, "exact: rr"},
      {"wrr", {}, "exact: wrr"},
      {"sh", {}, "exact: sh"},
      {"mh", {"mh-fallback"}, "exact: mh"},
      {"mh", {"mh-port"}, "exact: mh"},
      {"dh", {}, "exact: dh"},
      {"fo", {}, "exact: fo"},
      {"ovf", {}, "exact: ovf"},
      {"lblc", {}, "members only: lblc chooses by the connections that all clients have open"},
  };
  for (const Case& c : cases) {
    ExpectedService service = Service(c.scheduler);
    service.scheduler_flags = c.flags;
    EXPECT_EQ(LawOf(service).text, c.law);
    service.persistent = true;
    EXPECT_EQ(LawOf(service).text, "exact: persistent");
  }
  ExpectedService limited = Service();
  limited.servers[0].destination.upper_threshold = 10;
  EXPECT_EQ(LawOf(limited).text, "members only: connection thresholds may skip a server");
}

TEST(DistributionLaw, WrrGivesEveryServerItsShareOfEveryRound) {
  struct Case {
    std::string name;
    std::vector<std::uint32_t> weights;
    std::string sequence;
    std::string rules;
  };
  const std::vector<Case> cases = {
      {"5:1 from its start", {5, 1, 0}, "rs1 rs1 rs1 rs1 rs1 rs2 rs1 rs1 rs1 rs1 rs1 rs2", ""},
      {"5:1 from anywhere", {5, 1, 0}, "rs1 rs2 rs1 rs1 rs1 rs1 rs1 rs2", ""},
      {"common divisor", {200, 100, 100}, "rs1 rs1 rs2 rs3 rs1 rs1 rs2 rs3 rs1", ""},
      {"too much for one", {2, 1, 1}, "rs1 rs1 rs1 rs2 rs3 rs1 rs1 rs1", "wrr-distribution"},
      {"as rr", {2, 1, 1}, "rs1 rs2 rs3 rs1 rs2 rs3 rs1 rs2 rs3", "wrr-distribution"},
      {"right shares, order changes", {2, 1, 1}, "rs1 rs1 rs2 rs3 rs3 rs2 rs1 rs1", "wrr-order"},
      {"one left out", {2, 1, 1}, "rs1 rs1 rs2 rs1 rs1 rs2", "wrr-distribution@rs3"},
  };
  for (const Case& c : cases) {
    const VerifyReport report =
        Judge(Expect(Weighted("wrr", c.weights)), Outcome(Connections(c.sequence)));
    EXPECT_EQ(Rules(report), c.rules) << c.name;
  }
}

TEST(DistributionLaw, HashesAndFailoverKeepOneClientOnOneServer) {
  struct Case {
    std::string scheduler;
    std::string sequence;
    std::string rules;
  };
  const std::vector<Case> cases = {
      {"sh", "rs2 rs2 rs2", ""},
      {"sh", "rs2 rs1 rs2", "sh-distribution"},
      {"mh", "rs3 rs3", ""},
      {"mh", "rs3 rs1", "mh-distribution"},
      {"dh", "rs1 rs2", "dh-distribution"},
      {"fo", "rs1 rs1 rs1", ""},
      {"fo", "rs2 rs2 rs2", ""},
      {"fo", "rs1 rs2 rs2", "fo-distribution@rs3"},
      {"wlc", "rs1 rs1 rs2", ""},
      {"lc", "rs1 db1 rs2", "wrong-host@db1"},
  };
  for (const Case& c : cases) {
    const VerifyReport report =
        Judge(Expect(Service(c.scheduler)), Outcome(Connections(c.sequence)));
    EXPECT_EQ(Rules(report), c.rules) << c.scheduler << ": " << c.sequence;
  }
}

TEST(DistributionLaw, BreakOfOrderIsShownWithItsPlaceAndOtherClientsAreNamed) {
  const VerifyReport report =
      Judge(Expect(), Outcome(Connections("rs1 rs2 rs3 rs1 rs3 rs2 rs1 rs2 rs3")));
  ASSERT_EQ(Rules(report), "rr-order");
  EXPECT_EQ(report.findings.front().message,
            "tcp 10.0.0.100:80: the servers do not take turns as rr must: connection 5 went to rs3 "
            "where it was the turn of rs2 (rs1 3, rs2 3 and rs3 3)");
  EXPECT_NE(report.findings.front().remedy.find("their connections take turns too"),
            std::string::npos);
}

TEST(DistributionLaw, SeveralPortsOfOneHostAreSeveralTurns) {
  ExpectedService service = Service();
  service.servers[2] = Server("rs1", "10.0.0.11");
  service.servers[2].destination.port = 81;
  EXPECT_EQ(Rules(Judge(Expect(service), Outcome(Connections("rs1 rs2 rs1", 4)))), "");
  EXPECT_EQ(Rules(Judge(Expect(service), Outcome(Connections("rs1 rs2", 6)))), "rr-distribution");
}

TEST(DistributionLaw, HugeWeightsNeedNoHugeRound) {
  EXPECT_TRUE(RoundOf({"rs1", "rs1"}, {{"rs1", 4000000000U}, {"rs2", 1}}).has_value());
  EXPECT_FALSE(RoundOf({}, {}).has_value());
}

}  // namespace
}  // namespace drover
