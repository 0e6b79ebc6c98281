// What a client's connection behind the end of its persistence proves, and what it cannot.

#include "orchestrator/verify/persistence_law.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/verify/evidence.h"

namespace drover {
namespace {

using namespace verify_test;  // NOLINT: the vocabulary of these tests
using std::chrono::seconds;

ExpectedService Persistent(const std::string& scheduler, int timeout) {
  ExpectedService service = Service(scheduler);
  service.persistent = true;
  service.persistence_timeout = seconds(timeout);
  return service;
}

TEST(PersistenceLaw, IsOutlastedWhereItIsShortEnough) {
  EXPECT_EQ(OutlastOf(Service(), seconds(60)), seconds(0));
  EXPECT_EQ(OutlastOf(Persistent("rr", 50), seconds(60)), seconds(52));
  EXPECT_EQ(OutlastOf(Persistent("rr", 60), seconds(60)), seconds(62));
  EXPECT_EQ(OutlastOf(Persistent("rr", 61), seconds(60)), seconds(0));
  EXPECT_EQ(OutlastOf(Persistent("rr", 12), seconds(60)), seconds(14));
  // The connections themselves stay for 10 s and then keep the client for another minute.
  EXPECT_EQ(OutlastOf(Persistent("rr", 5), seconds(60)), seconds(67));
  ExpectedService udp = Persistent("rr", 50);
  udp.key.transport = Transport::kUdp;
  EXPECT_EQ(OutlastOf(udp, seconds(60)), seconds(0));
}

struct Look {
  std::string scheduler = "rr";
  std::string before = "rs1 rs1 rs1";
  std::string later = "rs2";
  std::vector<std::uint32_t> inactive = {0, 0, 0};
  bool foreign = false;
  std::vector<std::uint32_t> weights = {1, 1, 1};
};

const Check& EndOf(const VerifyReport& report) {
  for (const Check& check : report.checks) {
    if (check.law == "persistence-timeout") return check;
  }
  ADD_FAILURE() << "not judged";
  return report.checks.front();
}

VerifyReport JudgeLook(const Look& look) {
  ExpectedService service = Persistent(look.scheduler, 50);
  for (std::size_t i = 0; i < look.weights.size(); ++i) {
    service.servers[i].destination.weight = look.weights[i];
  }
  ProbeOutcome outcome = Outcome(Connections(look.before));
  outcome.services[0].later = Connections(look.later);
  const TableBefore table{.service = kWeb,
                          .active = {0, 0, 0},
                          .inactive = look.inactive,
                          .foreign_traffic = look.foreign};
  return Judge(Expect(service), outcome, {table});
}

TEST(PersistenceLaw, TheClientMovesOn) {
  const VerifyReport report = JudgeLook({});
  EXPECT_TRUE(report.ok()) << Rules(report);
  EXPECT_EQ(EndOf(report).skipped, "");
  EXPECT_EQ(report.services.front().later, std::vector<std::string>{"rs2"});
}

TEST(PersistenceLaw, AClientThatIsRememberedForTooLongIsFound) {
  const VerifyReport report = JudgeLook({.later = "rs1"});
  EXPECT_EQ(Rules(report), "persistence-timeout@rs1");
  EXPECT_EQ(report.findings.front().message,
            "tcp 10.0.0.100:80: the client came to rs1 again, though its persistence of 50 seconds "
            "was over");
}

TEST(PersistenceLaw, SaysWhyStayingProvesNothing) {
  struct Case {
    Look look;
    std::string why;
  };
  const std::vector<Case> cases = {
      {{.later = ""}, "its end was not waited for (--wait-persistence)"},
      {{.scheduler = "wrr", .later = "rs1"}, "wrr may choose the same real server again"},
      {{.later = "rs1", .weights = {1, 0, 0}}, "there is one real server"},
      {{.later = "rs1", .foreign = true}, "other clients took turns meanwhile"},
      {{.later = "rs1", .inactive = {0, 1, 0}},
       "the table held connections before; while one of this client is there, it is remembered"},
  };
  for (const Case& c : cases) {
    const VerifyReport report = JudgeLook(c.look);
    EXPECT_TRUE(report.ok()) << Rules(report);
    EXPECT_EQ(EndOf(report).skipped, c.why);
  }
}

TEST(PersistenceLaw, NoAnswerBehindItIsAFailure) {
  EXPECT_EQ(Rules(JudgeLook({.later = "-"})), "no-answer");
}

TEST(PersistenceLaw, OverUdpTheLawsOfTheSchedulersAreTheSame) {
  const SocketKey names{Transport::kUdp, kWeb.address, 53};
  const auto judge = [&](const std::string& sequence) {
    ExpectedService service = Service();
    service.key = names;
    ProbeOutcome outcome = Outcome(Connections(sequence));
    outcome.services[0].service = names;
    return Judge(Expect(service), outcome);
  };
  const VerifyReport right = judge("rs1 rs2 rs3 rs1 rs2 rs3");
  EXPECT_TRUE(right.ok()) << Rules(right);
  EXPECT_EQ(right.services.front().law, "exact: rr");
  EXPECT_EQ(Rules(judge("rs1 rs1 rs2 rs3 rs2 rs3")), "rr-order");
  EXPECT_EQ(Rules(judge("rs1 - rs3 rs1 - rs3")), "no-answer@rs2");
  ExpectedService unasked = Service();
  unasked.key = names;
  const VerifyReport none = Judge(Expect(unasked), Outcome({}));
  EXPECT_NE(none.notes.front().find("nothing tells what to ask"), std::string::npos);
}

}  // namespace
}  // namespace drover
