// The books of a series: fates, order, bounds; and the histogram of the prober's own lag.

#include "node-helper/drill/probe_book.h"

#include <gtest/gtest.h>

#include <random>

namespace drover {
namespace {

using std::chrono::milliseconds;

class ProbeBookTest : public testing::Test {
 protected:
  // Written and read again.
  ProbeLog Log() {
    log_.Finish();
    auto decoded = DecodeProbeLog(log_.bytes());
    EXPECT_TRUE(decoded.has_value());
    return decoded.value_or(ProbeLog{});
  }
  std::uint64_t Begin(int planned_ms, std::uint32_t tag = 0) {
    return book_.Begin(milliseconds(planned_ms), milliseconds(planned_ms) + ProbeTime(50), tag);
  }
  void Expire(int at_ms) {
    book_.Expire(milliseconds(at_ms),
                 [this](std::uint64_t, std::uint32_t tag) { gone_.push_back(tag); });
  }

  static ProbeLogHeader Header() {
    return {.series = {{.name = "path", .period = milliseconds(1), .deadline = milliseconds(100)}}};
  }
  ProbeLogWriter log_{Header()};
  ProbeBook book_{0, Header().series[0], milliseconds(300), log_};
  std::vector<std::uint32_t> gone_;
};

TEST_F(ProbeBookTest, TellsOkFromLateByThePlannedTime) {
  const auto ok = Begin(0);
  const auto late = Begin(1);
  book_.Answered(ok, milliseconds(100), 0, 0);
  book_.Answered(late, milliseconds(101) + ProbeTime(1), 0, 0);
  const ProbeLog log = Log();
  ASSERT_EQ(log.records.size(), 2U);
  EXPECT_EQ(log.records[0].fate, ProbeFate::kOk);
  EXPECT_EQ(log.records[0].latency(), milliseconds(100));
  EXPECT_EQ(log.records[0].lag(), ProbeTime(50));
  EXPECT_EQ(log.records[1].fate, ProbeFate::kLate);
}

TEST_F(ProbeBookTest, WritesInTheOrderOfPlanning) {
  const auto first = Begin(0);
  const auto second = Begin(1);
  const auto third = Begin(2);
  book_.Answered(third, milliseconds(3), 0, 0);
  book_.Failed(second, milliseconds(4), ProbeError::kReset);
  EXPECT_EQ(log_.records(), 0U);
  book_.Answered(first, milliseconds(5), 0, 0);
  EXPECT_EQ(log_.records(), 3U);
  EXPECT_EQ(book_.pending(), 0U);
  const ProbeLog log = Log();
  EXPECT_EQ(log.records[1].fate, ProbeFate::kError);
  EXPECT_EQ(log.records[1].error, ProbeError::kReset);
  EXPECT_EQ(log.records[2].planned, milliseconds(2));
}

TEST_F(ProbeBookTest, GivesUpWhatIsNotAnswered) {
  Begin(0, 7);
  const auto answered = Begin(1, 8);
  Begin(2, 9);
  book_.Answered(answered, milliseconds(2), 0, 0);
  EXPECT_EQ(book_.NextExpiry(), milliseconds(300));
  Expire(299);
  EXPECT_TRUE(gone_.empty());
  Expire(301);
  EXPECT_EQ(gone_, std::vector<std::uint32_t>{7});
  Expire(1000);
  EXPECT_EQ(gone_, (std::vector<std::uint32_t>{7, 9}));
  EXPECT_EQ(book_.NextExpiry(), ProbeTime::max());
  const ProbeLog log = Log();
  ASSERT_EQ(log.records.size(), 3U);
  EXPECT_EQ(log.records[0].fate, ProbeFate::kLost);
  EXPECT_EQ(log.records[1].fate, ProbeFate::kOk);
}

TEST_F(ProbeBookTest, TheFirstWordAboutAProbeCounts) {
  const auto probe = Begin(0);
  Begin(1);
  book_.Failed(probe, milliseconds(1), ProbeError::kRefused);
  book_.Answered(probe, milliseconds(2), 0, 0);
  EXPECT_FALSE(book_.IsPending(probe));
  Expire(1000);
  book_.Answered(probe, milliseconds(2000), 0, 0);       // long gone
  book_.Answered(probe + 99, milliseconds(2000), 0, 0);  // never was
  const ProbeLog log = Log();
  ASSERT_EQ(log.records.size(), 2U);
  EXPECT_EQ(log.records[0].fate, ProbeFate::kError);
}

TEST_F(ProbeBookTest, AWrongServerIsWrongEvenWhenLate) {
  const auto probe = Begin(0);
  book_.SetFlow(probe, 5, 4444);
  book_.Answered(probe, milliseconds(200), log_.Responder("rs2"), 0, /*wrong=*/true);
  const ProbeLog log = Log();
  EXPECT_EQ(log.records[0].fate, ProbeFate::kWrong);
  EXPECT_EQ(log.records[0].stream, 5U);
  EXPECT_EQ(log.records[0].local_port, 4444);
  EXPECT_EQ(log.responders[log.records[0].responder], "rs2");
}

TEST_F(ProbeBookTest, CountsWhatHappenedSinceItWasLastAsked) {
  book_.Answered(Begin(0), milliseconds(1), 0, 0);
  book_.Unsent(milliseconds(1));
  auto tally = book_.TakeTally();
  EXPECT_EQ(tally[static_cast<std::size_t>(ProbeFate::kOk)], 1U);
  EXPECT_EQ(tally[static_cast<std::size_t>(ProbeFate::kUnsent)], 1U);
  tally = book_.TakeTally();
  EXPECT_EQ(tally[static_cast<std::size_t>(ProbeFate::kOk)], 0U);
  EXPECT_EQ(book_.lag().count(), 2U);
  EXPECT_EQ(book_.lag().unsent(), 1U);
}

TEST_F(ProbeBookTest, NeverHoldsMoreThanWhatIsWaitedFor) {
  std::mt19937 random(1);
  std::size_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto id = Begin(i);
    if (random() % 3 == 0) book_.Answered(id, milliseconds(i + 1), 0, 0);
    Expire(i);
    most = std::max(most, book_.pending());
  }
  EXPECT_LE(most, 301U);
}

TEST(LagHistogramTest, IsRightToThreePercentOverAllSizes) {
  std::mt19937_64 random(3);
  std::vector<std::int64_t> lags;
  LagHistogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    lags.push_back(static_cast<std::int64_t>(random() >> (20 + random() % 44)));
    histogram.Add(ProbeTime(lags.back()));
  }
  std::sort(lags.begin(), lags.end());
  for (const double quantile : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(quantile * 20'000);
    const auto exact = static_cast<double>(lags[rank - 1]);
    const auto found = static_cast<double>(histogram.Quantile(quantile).count());
    EXPECT_GE(found, exact) << quantile;
    EXPECT_LE(found, exact * 1.032 + 1) << quantile;
  }
  EXPECT_EQ(histogram.max().count(), lags.back());
}

TEST(LagHistogramTest, UnsentIsBeyondEverything) {
  LagHistogram histogram;
  EXPECT_EQ(histogram.Quantile(0.99), ProbeTime(0));
  for (int i = 0; i < 98; ++i) histogram.Add(ProbeTime(10));
  histogram.AddUnsent();
  EXPECT_EQ(histogram.Quantile(0.98), ProbeTime(10));
  EXPECT_EQ(histogram.Quantile(0.99), ProbeTime::max());
}

}  // namespace
}  // namespace drover
