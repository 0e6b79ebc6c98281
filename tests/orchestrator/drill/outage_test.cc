// The definitions of outage, fates, brown-out and time to clean, on made-up series of probes.

#include "orchestrator/drill/outage.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr ProbeTime kPeriod = milliseconds(1);

// One letter per probe: '.' ok, 'x' not; "300." is 300 times '.'.
std::vector<ProbePoint> Series(std::string_view text, ProbeTime period = kPeriod) {
  std::vector<ProbePoint> points;
  int count = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      count = count * 10 + (c - '0');
      continue;
    }
    for (int i = 0; i < std::max(count, 1); ++i) {
      points.push_back({period * points.size(), c == '.'});
    }
    count = 0;
  }
  return points;
}

std::vector<Outage> OutagesOf(std::string_view text, ProbeTime from = ProbeTime(0)) {
  return FindOutages(Series(text), kPeriod, from);
}

TEST(Outage, LastsFromTheLastSuccessToTheRecoveryLessAPeriod) {
  const auto outages = OutagesOf("500.310x500.");
  ASSERT_EQ(outages.size(), 1U);
  const Outage& outage = outages.front();
  EXPECT_EQ(outage.last_ok, milliseconds(499));
  EXPECT_EQ(outage.first_bad, milliseconds(500));
  EXPECT_EQ(outage.last_bad, milliseconds(809));
  EXPECT_EQ(outage.next_ok, milliseconds(810));
  EXPECT_EQ(outage.bad, 310U);
  EXPECT_EQ(outage.gap(), milliseconds(310));
  EXPECT_EQ(outage.at_least(), milliseconds(310));
}

TEST(Outage, OfASingleProbeIsOnePeriod) {
  const auto outages = OutagesOf("200.x200.");
  ASSERT_EQ(outages.size(), 1U);
  EXPECT_EQ(outages.front().gap(), kPeriod);
}

TEST(Outage, IsNoneWhereEverythingSucceeds) {
  EXPECT_TRUE(OutagesOf("1000.").empty());
  EXPECT_TRUE(OutagesOf("").empty());
  EXPECT_FALSE(LongestOf({}).has_value());
}

TEST(Outage, GoesOnWhileSuccessesDoNotLast) {
  // Fifty good probes between two losses are no recovery: of the hundred behind each of them more
  // than one fails.
  const auto outages = OutagesOf("100.20x50.20x300.");
  ASSERT_EQ(outages.size(), 1U);
  EXPECT_EQ(outages.front().next_ok, milliseconds(190));
  EXPECT_EQ(outages.front().gap(), milliseconds(90));
  EXPECT_EQ(outages.front().bad, 40U);
}

TEST(Outage, EndsWhere99OfTheNextHundredSucceed) {
  struct Case {
    const char* name;
    const char* series;
    ProbeTime want;  // t_ok+
  };
  const std::vector<Case> cases = {
      {"100 of 100", "10.5x101.", milliseconds(15)},
      {"99 of 100, the first fails", "10.5x.x200.", milliseconds(15)},
      {"99 of 100, the last fails", "10.5x.99.x200.", milliseconds(15)},
      {"98 of 100, the last two fail", "10.5x.98.xx200.", milliseconds(116)},
      {"the second failure is the 101st", "10.5x.x99.x200.", milliseconds(15)},
  };
  for (const Case& c : cases) {
    const auto outages = OutagesOf(c.series);
    ASSERT_FALSE(outages.empty()) << c.name;
    EXPECT_EQ(outages.front().next_ok, c.want) << c.name;
  }
}

TEST(Outage, RecoveryIsUnprovenWithoutAHundredProbesBehindIt) {
  const auto unproven = OutagesOf("100.50x100.");
  ASSERT_EQ(unproven.size(), 1U);
  EXPECT_FALSE(unproven.front().next_ok.has_value());
  EXPECT_FALSE(unproven.front().gap().has_value());
  EXPECT_EQ(unproven.front().at_least(), milliseconds(50));
  const auto proven = OutagesOf("100.50x101.");
  ASSERT_EQ(proven.size(), 1U);
  EXPECT_EQ(proven.front().gap(), milliseconds(50));
}

TEST(Outage, WithoutRecoveryLastsAtLeastToTheLastBadProbe) {
  const auto outages = OutagesOf("100.400x");
  ASSERT_EQ(outages.size(), 1U);
  EXPECT_FALSE(outages.front().gap().has_value());
  EXPECT_EQ(outages.front().at_least(), milliseconds(400));
  EXPECT_EQ(outages.front().bad, 400U);
}

TEST(Outage, WithoutASuccessBeforeHasNoBeginning) {
  const auto outages = OutagesOf("30x200.");
  ASSERT_EQ(outages.size(), 1U);
  EXPECT_FALSE(outages.front().last_ok.has_value());
  EXPECT_FALSE(outages.front().gap().has_value());
  EXPECT_EQ(outages.front().at_least(), milliseconds(30));
  const auto nothing = OutagesOf("30x");
  ASSERT_EQ(nothing.size(), 1U);
  EXPECT_EQ(nothing.front().at_least(), milliseconds(30));
}

TEST(Outage, TwoAreToldApartAndTheLongestIsTheFaults) {
  const auto outages = OutagesOf("100.7x200.30x200.x200.");
  ASSERT_EQ(outages.size(), 3U);
  EXPECT_EQ(outages[0].gap(), milliseconds(7));
  EXPECT_EQ(outages[1].gap(), milliseconds(30));
  EXPECT_EQ(outages[1].last_ok, milliseconds(306));
  EXPECT_EQ(outages[2].gap(), milliseconds(1));
  EXPECT_EQ(LongestOf(outages), outages[1]);
}

TEST(Outage, BeforeTheInjectionIsNotTheFaults) {
  const auto outages = OutagesOf("100.50x200.10x200.", milliseconds(160));
  ASSERT_EQ(outages.size(), 1U);
  EXPECT_EQ(outages.front().gap(), milliseconds(10));
}

TEST(Outage, LossBelowOneInAHundredIsALonelyProbeEach) {
  const auto outages = OutagesOf("100.x150.x150.x150.");
  ASSERT_EQ(outages.size(), 3U);
  for (const Outage& outage : outages) EXPECT_EQ(outage.gap(), kPeriod);
}

TEST(Outage, LossAboveOneInAHundredIsOneOutageUntilItEnds) {
  std::string series = "100.";
  for (int i = 0; i < 20; ++i) series += "x40.";  // 2.4 %
  const auto outages = OutagesOf(series + "300.");
  // Behind the second last loss only one of the next hundred fails; the last one stands alone.
  ASSERT_EQ(outages.size(), 2U);
  EXPECT_EQ(outages.front().gap(), milliseconds(18 * 41 + 1));
  EXPECT_EQ(outages.front().bad, 19U);
  EXPECT_EQ(outages.back().gap(), kPeriod);
}

ProbeLog Log(std::initializer_list<ProbeFate> fates) {
  ProbeLog log;
  log.header.series = {{.name = "other"}, {.name = "path"}};
  ProbeTime planned{0};
  for (const ProbeFate fate : fates) {
    log.records.push_back({.series = 1, .planned = planned, .sent = planned, .fate = fate});
    log.records.push_back(
        {.series = 0, .planned = planned, .sent = planned, .fate = ProbeFate::kLost});
    planned += kPeriod;
  }
  return log;
}

TEST(ProbeTally, KeepsTheFatesApart) {
  const ProbeLog log =
      Log({ProbeFate::kOk, ProbeFate::kLost, ProbeFate::kLost, ProbeFate::kLate, ProbeFate::kError,
           ProbeFate::kWrong, ProbeFate::kUnsent, ProbeFate::kOk});
  const ProbeTally all = TallyOf(log, 1, ProbeTime(0), milliseconds(8));
  EXPECT_EQ(all, (ProbeTally{.ok = 2, .lost = 2, .late = 1, .error = 1, .wrong = 1, .unsent = 1}));
  EXPECT_EQ(all.sent(), 7U);
  EXPECT_EQ(all.bad(), 5U);
  EXPECT_EQ(TallyOf(log, 1, milliseconds(2), milliseconds(4)), (ProbeTally{.lost = 1, .late = 1}));
}

TEST(ProbePoints, LeaveOutWhatWasNotSentAndComeInOrder) {
  ProbeLog log = Log({ProbeFate::kOk, ProbeFate::kUnsent, ProbeFate::kLate, ProbeFate::kWrong});
  std::swap(log.records[0], log.records[4]);
  const auto points = PointsOf(log, 1);
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[0].planned, ProbeTime(0));
  EXPECT_TRUE(points[0].ok);
  EXPECT_EQ(points[1].planned, milliseconds(2));
  EXPECT_FALSE(points[1].ok);
  EXPECT_FALSE(points[2].ok);
}

TEST(BrownOut, IsAWindowBelow999PerMilleOutsideTheOutage) {
  const auto points = Series("250.20x200.x500.");
  const auto outages = FindOutages(points, kPeriod, ProbeTime(0));
  ASSERT_EQ(outages.size(), 2U);
  const auto outage = LongestOf(outages);
  const auto found = FindBrownOuts(points, &*outage);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front(), (BrownOut{.from = milliseconds(400), .ok = 99, .sent = 100}));
  EXPECT_EQ(FindBrownOuts(points, nullptr).size(), 2U);  // the outage lies in 200…300
}

TEST(BrownOut, NeedsMoreThanOneInAThousand) {
  // 2,000 probes per window: one bad one is 99.95 %, two are 99.9 %, three are less.
  const ProbeTime fast(50);
  EXPECT_TRUE(FindBrownOuts(Series("100.x1899.", fast), nullptr).empty());
  EXPECT_TRUE(FindBrownOuts(Series("100.xx1898.", fast), nullptr).empty());
  EXPECT_EQ(FindBrownOuts(Series("100.xxx1897.", fast), nullptr).size(), 1U);
}

TEST(BrownOut, ProbesInsideTheOutageDoNotCount) {
  const auto points = Series("250.20x300.");
  const auto outage = LongestOf(FindOutages(points, kPeriod, ProbeTime(0)));
  EXPECT_TRUE(FindBrownOuts(points, &*outage).empty());
  const auto unfinished = Series("250.20x");
  const auto open = LongestOf(FindOutages(unfinished, kPeriod, ProbeTime(0)));
  EXPECT_TRUE(FindBrownOuts(unfinished, &*open).empty());
}

TEST(TimeToClean, IsTheLastBadProbeSinceTheInjection) {
  const auto points = Series("100.20x100.x300.");
  EXPECT_EQ(TimeToClean(points, milliseconds(90)), milliseconds(220 - 90));
  EXPECT_EQ(TimeToClean(points, milliseconds(220)), ProbeTime(0));
  EXPECT_EQ(TimeToClean(points, milliseconds(221)), ProbeTime(0));
  EXPECT_EQ(TimeToClean({}, ProbeTime(0)), ProbeTime(0));
}

}  // namespace
}  // namespace drover
