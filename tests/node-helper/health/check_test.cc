// Rise and fall, doubt, jitter, and what the settings promise.

#include "node-helper/health/check.h"

#include <gtest/gtest.h>

namespace drover::health {
namespace {

using std::chrono::milliseconds;

const ProbeResult kGood{.ok = true, .latency = std::chrono::microseconds(300)};
const ProbeResult kBad{.ok = false, .reason = "connection refused"};
constexpr Timing kSteady{.jitter_percent = 0};

TEST(HealthCheck, TheFirstAnswerOfAServerThatIsTakenForUpConfirmsIt) {
  Timing timing = kSteady;
  timing.initially_up = true;
  Check check(timing, 1, Time{});
  EXPECT_TRUE(check.up());
  EXPECT_EQ(check.ProbeEnded(kGood), (Verdict{true, "first answer"}));
}

TEST(HealthCheck, AServerTakenForDownNeedsItsRise) {
  Check check(kSteady, 1, Time{});
  EXPECT_FALSE(check.up());
  EXPECT_FALSE(check.ProbeEnded(kGood));
  EXPECT_EQ(check.ProbeEnded(kGood), (Verdict{true, "answered 2 times in a row"}));
  EXPECT_FALSE(check.ProbeEnded(kGood));
}

TEST(HealthCheck, FallCountsFailuresInARowOnly) {
  Check check(kSteady, 1, Time{});
  check.ProbeEnded(kGood);
  check.ProbeEnded(kGood);
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(check.ProbeEnded(kBad));
    EXPECT_FALSE(check.ProbeEnded(kBad));
    EXPECT_TRUE(check.in_doubt());
    EXPECT_FALSE(check.ProbeEnded(kGood)) << "a success in between starts the count anew";
    EXPECT_FALSE(check.in_doubt());
  }
  EXPECT_FALSE(check.ProbeEnded(kBad));
  EXPECT_FALSE(check.ProbeEnded(kBad));
  EXPECT_EQ(check.ProbeEnded(kBad), (Verdict{false, "connection refused, 3 times in a row"}));
  EXPECT_FALSE(check.up());
  EXPECT_EQ(check.last_failure(), "connection refused");
}

TEST(HealthCheck, DoubtProbesFaster) {
  Timing timing = kSteady;
  timing.fast_interval = milliseconds(200);
  Check check(timing, 1, Time{});
  const Time now{std::chrono::seconds(5)};
  check.ProbeEnded(kGood);
  check.ProbeStarted(now);
  EXPECT_EQ(check.next_probe(), now + milliseconds(200));
  check.ProbeEnded(kGood);
  check.ProbeStarted(now);
  EXPECT_EQ(check.next_probe(), now + milliseconds(2000));
}

TEST(HealthCheck, TheFirstFailureAlreadyBringsTheNextProbeNearer) {
  Timing timing = kSteady;
  timing.fast_interval = milliseconds(200);
  timing.initially_up = true;
  Check check(timing, 1, Time{});
  const Time now{std::chrono::seconds(5)};
  check.ProbeStarted(now);
  check.ProbeEnded(kGood);
  EXPECT_EQ(check.next_probe(), now + milliseconds(2000));
  check.ProbeStarted(now);
  check.ProbeEnded(kBad);
  EXPECT_EQ(check.next_probe(), now + milliseconds(200));
}

TEST(HealthCheck, JitterStaysInItsBoundsAndSpreadsThousandChecks) {
  Timing timing;
  timing.jitter_percent = 10;
  std::vector<int> tenths(10);
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Check check(timing, seed, Time{});
    const auto first =
        std::chrono::duration_cast<milliseconds>(check.next_probe().time_since_epoch());
    ASSERT_LE(first, milliseconds(1000));
    ++tenths[static_cast<std::size_t>(std::min<std::int64_t>(first.count() / 100, 9))];
    check.ProbeStarted(Time{});
    ASSERT_GE(check.next_probe(), Time(milliseconds(1800)));
    ASSERT_LE(check.next_probe(), Time(milliseconds(2200)));
  }
  for (const int tenth : tenths) EXPECT_GT(tenth, 50);
}

TEST(HealthCheck, WorstDetectionIsWhatTheSettingsPromise) {
  EXPECT_EQ(Check::WorstDetection(kSteady), milliseconds(2000 + 2 * 2000 + 1000));
  Timing fast = kSteady;
  fast.fast_interval = milliseconds(200);
  EXPECT_EQ(Check::WorstDetection(fast), milliseconds(2000 + 2 * 1000 + 1000))
      << "a server that hangs costs the timeout each time";
}

TEST(HealthCheck, ARunOfFailuresGoesOnInTheProcessThatComesAfter) {
  Check before(kSteady, 1, Time{});
  before.ProbeEnded(kGood);
  before.ProbeEnded(kGood);
  before.ProbeEnded(kBad);
  before.ProbeEnded(kBad);
  const Time now{milliseconds(500)};
  Check after(kSteady, 2, now);
  after.Recall(before.Remember(), now);
  EXPECT_EQ(after.Remember(), before.Remember());
  EXPECT_EQ(after.ProbeEnded(kBad), (Verdict{false, "connection refused, 3 times in a row"}));
}

TEST(HealthCheck, AMemoryOfTheFarFutureDoesNotStopTheProbes) {
  Check check(kSteady, 1, Time{});
  check.Recall({.up = true, .next_probe = Time{std::chrono::hours(1)}}, Time{});
  EXPECT_LE(check.next_probe(), Time{kSteady.interval});
}

}  // namespace
}  // namespace drover::health
