// Statistics against values that others published or computed; where the source is not named, it is
// SciPy 1.10.

#include "orchestrator/drill/statistics.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace drover {
namespace {

TEST(SampleSummary, UsesNearestRankForItsPercentile) {
  std::vector<double> samples(59);
  std::iota(samples.rbegin(), samples.rend(), 1);
  const SampleSummary summary = Summarize(samples);
  EXPECT_EQ(summary.n, 59U);
  EXPECT_EQ(summary.min, 1);
  EXPECT_EQ(summary.median, 30);
  EXPECT_EQ(summary.p95, 57);  // 56.05 of 59
  EXPECT_EQ(summary.max, 59);
  EXPECT_EQ(Summarize({4, 1, 3, 2}).median, 2.5);
  EXPECT_EQ(Summarize({7}).p95, 7);
  EXPECT_EQ(Summarize({}).n, 0U);
}

TEST(NearestRank, IsNotFooledByBinaryFractions) {
  std::vector<double> samples(20);
  std::iota(samples.begin(), samples.end(), 1);
  EXPECT_EQ(NearestRank(samples, 0.95), 19);
  EXPECT_EQ(NearestRank(samples, 1), 20);
  EXPECT_EQ(NearestRank(samples, 0.0001), 1);
}

TEST(Bootstrap, GivesTheIntervalOfTheMedian) {
  // 200,000 resamplings with NumPy give 280 to 322.
  const std::vector<double> samples = {260, 270, 275, 280, 290, 300, 301,
                                       305, 310, 322, 330, 341, 355};
  EXPECT_EQ(BootstrapMedian(samples, 0.95, 10'000, 1), (Interval{280, 322}));
}

TEST(Bootstrap, IsRepeatableAndDependsOnItsSeed) {
  std::mt19937 random(2);
  std::vector<double> samples;
  for (int i = 0; i < 40; ++i) samples.push_back(static_cast<double>(random() % 100'000));
  EXPECT_EQ(BootstrapMedian(samples, 0.95, 200, 7), BootstrapMedian(samples, 0.95, 200, 7));
  EXPECT_NE(BootstrapMedian(samples, 0.95, 200, 7), BootstrapMedian(samples, 0.95, 200, 8));
}

TEST(Bootstrap, OfOneOrNoSampleIsItself) {
  EXPECT_EQ(BootstrapMedian({5}, 0.95, 100, 1), (Interval{5, 5}));
  EXPECT_EQ(BootstrapMedian({}, 0.95, 100, 1), (Interval{0, 0}));
}

TEST(Bootstrap, CoversTheTrueMedianAsOftenAsItSays) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> law(0, 1);
  int covered = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<double> samples(31);
    for (double& sample : samples) sample = law(random);
    const Interval interval = BootstrapMedian(samples, 0.95, 400, random());
    covered += interval.low <= 0.5 && 0.5 <= interval.high ? 1 : 0;
  }
  EXPECT_GE(covered, 365);  // 91 %
  EXPECT_LE(covered, 395);
}

TEST(Claims, NeedTheKnownNumberOfRuns) {
  EXPECT_EQ(RunsNeeded(0.9), 29U);
  EXPECT_EQ(RunsNeeded(0.95), 59U);
  EXPECT_EQ(RunsNeeded(0.99), 299U);
  EXPECT_EQ(RunsNeeded(0.999), 2995U);
  EXPECT_NEAR(FailureBound(52), 0.056, 0.0005);
  EXPECT_EQ(FailureBound(0), 1);
}

TEST(Claims, SayWhatSoManyRunsShow) {
  struct Case {
    std::uint64_t runs;
    const char* want;
  };
  const std::vector<Case> cases = {
      {0, "n = 0 shows no percentile (95 % confidence); p90 needs 29"},
      {28, "n = 28 shows no percentile (95 % confidence); p90 needs 29"},
      {29, "n = 29 shows that p90 is at most the maximum (95 % confidence); p95 needs 59"},
      {59, "n = 59 shows that p95 is at most the maximum (95 % confidence); p99 needs 299"},
      {299, "n = 299 shows that p99 is at most the maximum (95 % confidence); p99.9 needs 2995"},
      {2995, "n = 2995 shows that p99.9 is at most the maximum (95 % confidence)"},
  };
  for (const Case& c : cases) EXPECT_EQ(StrengthOf(c.runs).text, c.want);
  EXPECT_EQ(StrengthOf(60).quantile, 0.95);
  EXPECT_EQ(StrengthOf(60).next, 0.99);
  EXPECT_EQ(StrengthOf(60).next_needs, 299U);
}

TEST(Kolmogorov, HasThePublishedProbabilities) {
  // n = 10, d = 0.274 is the worked example of Marsaglia, Tsang and Wang (2003), section 2; for one
  // sample the law is 2d - 1; n = 299 was computed in fractions.
  struct Case {
    std::size_t n;
    double d;
    double want;
    double tolerance;
  };
  const std::vector<Case> cases = {
      {10, 0.274, 0.6284796154565045, 1e-13},
      {1, 0.7, 0.4, 1e-14},
      {5, 0.3, 0.336, 1e-13},
      {59, 0.1, 0.43740500137126903, 1e-12},
      {59, 0.05, 0.0031292960059440874, 1e-12},
      {299, 0.06, 0.7771305002334314, 1e-12},
      {2000, 0.04, 0.9967694313023786, 1e-9},
      {2000, 0.06, 0.9999989395961842, 1e-7},
      {16000, 0.016, 0.9994523491420106, 1e-6},
      {100, 0.2, 0.9994448072672011, 1e-6},
  };
  for (const Case& c : cases) {
    EXPECT_NEAR(KolmogorovProbability(c.n, c.d), c.want, c.tolerance) << c.n << ", " << c.d;
  }
  EXPECT_EQ(KolmogorovProbability(10, 0), 0);
  EXPECT_EQ(KolmogorovProbability(10, 1), 1);
}

TEST(Kolmogorov, FindsOutagesThatDoNotFollowTheLawOfARandomPhase) {
  // Crash outages at I = 1 s and p = 100 must be uniform on 2609…3609 ms.
  const KsResult fits =
      KsAgainstUniform({3100, 2700, 2750, 2810, 2905, 3020, 3250, 3400, 3480, 3555}, 2609, 3609);
  EXPECT_NEAR(fits.statistic, 0.109, 1e-12);
  EXPECT_NEAR(fits.p_value, 0.998545919130712, 1e-10);
  // Injected always right after an advert: bunched at the beginning.
  const KsResult bunched =
      KsAgainstUniform({2640, 2650, 2655, 2660, 2700, 2710, 2720, 2730, 2750, 2760}, 2609, 3609);
  EXPECT_NEAR(bunched.statistic, 0.849, 1e-12);
  EXPECT_NEAR(bunched.p_value, 1.2364990025312533e-08, 1e-12);
}

TEST(Kolmogorov, SamplesOutsideTheLawSpeakAgainstIt) {
  EXPECT_NEAR(KsAgainstUniform({1, 2, 3}, 10, 20).statistic, 1, 1e-12);
  EXPECT_LT(KsAgainstUniform({1, 2, 3}, 10, 20).p_value, 1e-9);
  EXPECT_EQ(KsAgainstUniform({}, 0, 1).p_value, 1);
}

TEST(Poisson, HasItsQuantiles) {
  struct Case {
    double mean;
    std::uint64_t low, median, high;
  };
  for (const Case& c : std::vector<Case>{{0.006, 0, 0, 1},
                                         {0.75, 0, 1, 5},
                                         {3, 0, 3, 10},
                                         {50, 28, 50, 75},
                                         {1000, 898, 1000, 1106},
                                         {0, 0, 0, 0}}) {
    EXPECT_EQ(PoissonQuantile(c.mean, 0.0005), c.low) << c.mean;
    EXPECT_EQ(PoissonQuantile(c.mean, 0.5), c.median) << c.mean;
    EXPECT_EQ(PoissonQuantile(c.mean, 0.9995), c.high) << c.mean;
  }
}

TEST(MannWhitneyTest, CountsOutSmallSamples) {
  // All of two above all of three: one of ten orders.
  const MannWhitney extreme = MannWhitneyGreater({5.5, 6.5}, {1, 2, 3});
  EXPECT_TRUE(extreme.exact);
  EXPECT_EQ(extreme.u, 6);
  EXPECT_NEAR(extreme.p_value, 0.1, 1e-12);
  const MannWhitney some = MannWhitneyGreater({19, 22, 16, 29, 24}, {20, 11, 17, 12});
  EXPECT_EQ(some.u, 17);
  EXPECT_NEAR(some.p_value, 0.05555555555555555, 1e-12);
}

TEST(MannWhitneyTest, CountsOutABaselineOfThirty) {
  std::vector<double> fresh;
  std::vector<double> baseline;
  for (int i = 0; i < 20; ++i) fresh.push_back(100 + 2 * i);
  for (int i = 0; i < 30; ++i) baseline.push_back(71 + 2 * i);
  const MannWhitney test = MannWhitneyGreater(fresh, baseline);
  EXPECT_TRUE(test.exact);
  EXPECT_EQ(test.u, 480);
  EXPECT_NEAR(test.p_value, 0.00011446517363954818, 1e-13);
}

TEST(MannWhitneyTest, TakesTheNormalLawWithTies) {
  const MannWhitney test = MannWhitneyGreater({310, 315, 320, 305, 330, 312},
                                              {300, 302, 298, 305, 301, 299, 304, 303, 297, 300});
  EXPECT_FALSE(test.exact);
  EXPECT_EQ(test.u, 59.5);
  EXPECT_NEAR(test.p_value, 0.0008159958643549865, 1e-12);
  EXPECT_EQ(MannWhitneyGreater({3, 3}, {3, 3, 3}).p_value, 1);
  EXPECT_EQ(MannWhitneyGreater({}, {1}).p_value, 1);
}

TEST(Regression, NeedsChanceRuledOutAndAnEffectThatMatters) {
  std::vector<double> baseline;
  for (int i = 0; i < 30; ++i) baseline.push_back(300 + 0.1 * i);
  const auto shifted = [&](double by) {
    std::vector<double> fresh;
    for (int i = 0; i < 10; ++i) fresh.push_back(300.05 + 0.3 * i + by);
    return CompareWithBaseline(fresh, baseline);
  };
  const Regression tiny = shifted(10);  // significant, but 10 ms of 300 do not matter
  EXPECT_LT(tiny.test.p_value, 1e-6);
  EXPECT_FALSE(tiny.is_worse);
  EXPECT_NEAR(tiny.minimum, 30.145, 1e-9);
  EXPECT_TRUE(shifted(40).is_worse);
  EXPECT_FALSE(shifted(-40).is_worse);
  EXPECT_FALSE(CompareWithBaseline({1000}, {300, 301}).is_worse);  // two and one show nothing
}

TEST(Regression, BelowFiftyMillisecondsFiveMatter) {
  std::vector<double> baseline(30, 20.0);
  EXPECT_FALSE(CompareWithBaseline(std::vector<double>(10, 24.0), baseline).is_worse);
  EXPECT_TRUE(CompareWithBaseline(std::vector<double>(10, 25.0), baseline).is_worse);
}

TEST(CusumTest, FindsTheShiftOfTheTextbook) {
  // Montgomery, Introduction to Statistical Quality Control, tables 9.1 and 9.2: mean 10, deviation
  // 1, k = 0.5, h = 5; the mean moved by one deviation after sample 20.
  const std::vector<double> samples = {9.45,  7.99,  9.29,  11.66, 12.16, 10.18, 8.04,  11.46,
                                       9.20,  10.34, 9.03,  11.47, 10.51, 9.40,  10.08, 9.37,
                                       10.62, 10.31, 8.52,  10.84, 10.90, 9.33,  12.29, 11.50,
                                       10.60, 11.08, 10.38, 11.62, 11.31, 10.52};
  const Cusum cusum = CusumOf(samples, {.mean = 10, .deviation = 1, .slack = 0.5, .limit = 5});
  ASSERT_EQ(cusum.points.size(), 30U);
  EXPECT_NEAR(cusum.points[0].low, 0.05, 1e-9);
  EXPECT_NEAR(cusum.points[1].low, 1.56, 1e-9);
  EXPECT_NEAR(cusum.points[4].high, 2.82, 1e-9);
  EXPECT_NEAR(cusum.points[28].high, 5.28, 1e-9);
  ASSERT_TRUE(cusum.alarm.has_value());
  EXPECT_EQ(*cusum.alarm, 28U);  // sample 29
  EXPECT_EQ(cusum.since, 22U);   // sample 23: seven in a row above zero
  EXPECT_TRUE(cusum.upward);
}

TEST(CusumTest, TellsFasterFromSlower) {
  const CusumSettings settings{.mean = 300, .deviation = 4};
  const Cusum faster = CusumOf(std::vector<double>(20, 290), settings);
  ASSERT_TRUE(faster.alarm.has_value());
  EXPECT_FALSE(faster.upward);
  EXPECT_EQ(faster.since, 0U);
  EXPECT_FALSE(CusumOf(std::vector<double>(1000, 301), settings).alarm.has_value());
  EXPECT_FALSE(CusumOf({}, settings).alarm.has_value());
}

}  // namespace
}  // namespace drover
