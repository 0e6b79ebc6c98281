// The prober's own lag, and when it voids a run.

#include "orchestrator/drill/generator.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

ProbeLog LogWithLags(const std::vector<int>& lags_us) {
  ProbeLog log;
  log.header.series = {{.name = "path", .period = ProbeTime(1000)}};
  for (const int lag : lags_us) {
    const ProbeTime planned(1000 * log.records.size());
    log.records.push_back({.planned = planned,
                           .sent = planned + ProbeTime(std::max(lag, 0)),
                           .fate = lag < 0 ? ProbeFate::kUnsent : ProbeFate::kLost});
  }
  return log;
}

// `good` probes with 10 us of lag and `bad` with another.
ProbeLog Mixed(int good, int bad, int lag_us) {
  std::vector<int> lags(static_cast<std::size_t>(good), 10);
  lags.insert(lags.end(), static_cast<std::size_t>(bad), lag_us);
  return LogWithLags(lags);
}

TEST(GeneratorLag, IsTakenAtTheNearestRank) {
  std::vector<int> lags;
  for (int i = 1; i <= 200; ++i) lags.push_back(i);
  const GeneratorLag lag = LagOf(LogWithLags(lags), 0);
  EXPECT_EQ(lag.p50, ProbeTime(100));
  EXPECT_EQ(lag.p99, ProbeTime(198));
  EXPECT_EQ(lag.max, ProbeTime(200));
  EXPECT_EQ(lag.planned, 200U);
  EXPECT_FALSE(lag.is_void);
  EXPECT_EQ(lag.reason, "");
}

TEST(GeneratorLag, VoidsARunAboveHalfAPeriodAtTheNinetyNinthPercentile) {
  EXPECT_FALSE(LagOf(Mixed(990, 10, 900), 0).is_void);  // one in a hundred may be late
  const GeneratorLag late = LagOf(Mixed(989, 11, 900), 0);
  EXPECT_TRUE(late.is_void);
  EXPECT_EQ(late.reason,
            "series path: the prober was 900 us late at the 99th percentile, more than half its "
            "period (500 us)");
  EXPECT_FALSE(LagOf(Mixed(0, 100, 500), 0).is_void);
  EXPECT_TRUE(LagOf(Mixed(0, 100, 501), 0).is_void);
}

TEST(GeneratorLag, WhatWasNotSentIsLaterThanAnything) {
  EXPECT_FALSE(LagOf(Mixed(990, 10, -1), 0).is_void);
  const GeneratorLag lag = LagOf(Mixed(989, 11, -1), 0);
  EXPECT_TRUE(lag.is_void);
  EXPECT_TRUE(lag.p99_unsent);
  EXPECT_EQ(lag.unsent, 11U);
  EXPECT_EQ(lag.reason, "series path: the prober did not send 11 of 1000 probes");
}

TEST(GeneratorLag, OfNothingIsVoid) {
  EXPECT_TRUE(LagOf(LogWithLags({}), 0).is_void);
  EXPECT_TRUE(LagOf(LogWithLags({-1}), 0).is_void);
}

}  // namespace
}  // namespace drover
