// What many drills say together, on made-up histories.

#include "orchestrator/history/trend.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

DrillRecord ARun(std::size_t number, double outage, VerdictKind verdict = VerdictKind::kPass) {
  return {.id = "run" + std::to_string(number),
          .playbook = "site.yml",
          .inventory = "prod",
          .started_us = static_cast<std::int64_t>(number),
          .verdict = verdict,
          .measured = {{Quantity::kOutage, outage, 1, false}},
          .predicted = PredictedOutage{261, 384, true}};
}

// Spread evenly over the law, in an order that has no trend.
std::vector<DrillRecord> Even(std::size_t count, double shift = 0) {
  std::vector<DrillRecord> runs;
  for (std::size_t i = 0; i < count; ++i) {
    runs.push_back(ARun(i, 262 + shift + static_cast<double>(i * 37 % 100)));
  }
  return runs;
}

TEST(DrillTrend, SumsUpTheRunsOfAFault) {
  std::vector<DrillRecord> runs = Even(60);
  runs.push_back(ARun(60, 300, VerdictKind::kInconclusive));
  const auto trends = TrendsOf(runs);
  ASSERT_EQ(trends.size(), 1U);
  const DrillTrend& trend = trends.front();
  EXPECT_EQ(trend.runs, 61U);
  EXPECT_EQ(trend.verdicts.at(VerdictKind::kPass), 60U);
  EXPECT_EQ(trend.verdicts.at(VerdictKind::kInconclusive), 1U);
  EXPECT_EQ(trend.outage.n, 60U) << "an inconclusive run says nothing about the outage";
  EXPECT_EQ(trend.outage.min, 262);
  EXPECT_GE(trend.outage.p95, trend.outage.median);
  EXPECT_EQ(trend.strength.quantile, 0.95);
  EXPECT_NEAR(trend.failure_bound, 0.0487, 0.0001);
  ASSERT_TRUE(trend.law);
  EXPECT_GT(trend.law->p_value, 0.05);
  ASSERT_TRUE(trend.regression);
  EXPECT_FALSE(trend.regression->is_worse);
  ASSERT_TRUE(trend.drift);
  EXPECT_FALSE(trend.drift->alarm);
}

TEST(DrillTrend, FindsABatchThatIsWorseAndTheDriftBehindIt) {
  std::vector<DrillRecord> runs = Even(40);
  for (std::size_t i = 0; i < 10; ++i) runs.push_back(ARun(40 + i, 420, VerdictKind::kFail));
  const DrillTrend trend = TrendsOf(runs).front();
  ASSERT_TRUE(trend.regression);
  EXPECT_TRUE(trend.regression->is_worse) << trend.regression_text;
  ASSERT_TRUE(trend.drift);
  EXPECT_TRUE(trend.drift->alarm);
  EXPECT_TRUE(trend.drift->upward) << trend.drift_text;
  EXPECT_EQ(trend.passes_since_failure, 0U);
  EXPECT_EQ(trend.failure_bound, 1);
}

TEST(DrillTrend, SaysWhenRunsAreTooFew) {
  const DrillTrend trend = TrendsOf(Even(6)).front();
  EXPECT_FALSE(trend.regression);
  EXPECT_FALSE(trend.drift);
  EXPECT_FALSE(trend.law);
  EXPECT_FALSE(trend.strength.quantile);
  EXPECT_NE(trend.regression_text.find("too few"), std::string::npos);
}

TEST(DrillTrend, LeavesOutRunsUnderOtherTimers) {
  std::vector<DrillRecord> runs = Even(3);
  for (DrillRecord& run : runs) run.predicted = PredictedOutage{2609, 3632, true};
  runs.push_back(ARun(3, 300));
  const DrillTrend trend = TrendsOf(runs).front();
  EXPECT_EQ(trend.other_timers, 3U);
  EXPECT_EQ(trend.outage.n, 1U);
  EXPECT_EQ(trend.runs, 4U);
}

TEST(DrillTrend, KeepsFaultsAndClustersApart) {
  std::vector<DrillRecord> runs = Even(3);
  runs[1].fault = Fault::kHandover;
  runs[2].inventory = "staging";
  const auto trends = TrendsOf(runs);
  ASSERT_EQ(trends.size(), 3U);
  EXPECT_EQ(trends.back().fault, Fault::kHandover);
}

TEST(DrillTrend, AMeasurementWithoutAnEndIsNoSample) {
  std::vector<DrillRecord> runs = Even(2);
  runs[1].measured.front().at_least = true;
  EXPECT_EQ(TrendsOf(runs).front().outage.n, 1U);
}

TEST(Sparkline, GoesFromTheLeastToTheGreatest) {
  EXPECT_EQ(Sparkline({0, 7, 3.5}, 10), "▁█▅");
  EXPECT_EQ(Sparkline({5, 5}, 10), "▁▁");
  EXPECT_EQ(Sparkline({100, 0, 1}, 2), "▁█");
  EXPECT_EQ(Sparkline({}, 10), "");
}

TEST(RecordOf, TakesTheJournalsFacts) {
  DrillJournal journal;
  journal.id = "20260131-120000-handover-1a2b";
  journal.prediction.fault = Fault::kHandover;
  journal.prediction.envelopes.push_back({.quantity = Quantity::kOutage, .most = 20});
  journal.measured = {{Quantity::kOutage, 3, 1, true}};
  journal.verdict = {.kind = VerdictKind::kFail, .reasons = {"slow"}};
  const DrillRecord record = RecordOf(journal, "/evidence");
  EXPECT_EQ(record.id, journal.id);
  EXPECT_EQ(record.fault, Fault::kHandover);
  EXPECT_EQ(record.verdict, VerdictKind::kFail);
  EXPECT_EQ(record.folder, "/evidence");
  EXPECT_EQ(record.predicted, (PredictedOutage{0, 20, false}));
  EXPECT_FALSE(record.Outage());
}

TEST(RecordOf, CountsWhatAVerificationFound) {
  VerifyReport report;
  report.services = {{.connections = 30, .failed = 1}, {.connections = 12}};
  report.findings = {{.rule = "arp-owner", .host = "rs1", .message = "answers"}};
  const VerificationRecord record = RecordOf("client", report);
  EXPECT_EQ(record.prober, "client");
  EXPECT_EQ(record.connections, 42U);
  EXPECT_EQ(record.failed, 1U);
  EXPECT_EQ(record.findings, std::vector<std::string>{"arp-owner rs1: answers"});
  EXPECT_FALSE(record.ok());
}

TEST(RecordOf, CountsWhatAWholeVerificationFound) {
  Verification verification;
  verification.probes = {{.host = "client1"}, {.host = "client2", .error = "no helper"}};
  verification.probes.front().report.services = {{.connections = 30, .failed = 2}};
  verification.cluster.findings = {{.rule = "state", .host = "lb2", .message = "no sync"}};
  verification.unreachable = {{"rs1", "no route"}};
  const VerificationRecord record = RecordOf(verification);
  EXPECT_EQ(record.prober, "client1 client2");
  EXPECT_EQ(record.connections, 30U);
  EXPECT_EQ(record.failed, 2U);
  EXPECT_EQ(record.findings,
            (std::vector<std::string>{"probe client2: no helper", "state lb2: no sync",
                                      "unreachable rs1: no route"}));
}

}  // namespace
}  // namespace drover
