// Numbers over many drills of one fault: a summary that is honest about how few they are, whether
// they follow the protocol's law, and whether a new batch is worse than the ones before.
//
// Pure and repeatable: what is random takes a seed. Samples need no order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover {

// Nearest rank: the smallest sample that at least the share `quantile` does not exceed. `sorted`
// ascending and not empty, 0 < quantile <= 1.
double NearestRank(const std::vector<double>& sorted, double quantile);
// The middle one, or the mean of the two in the middle; 0 for none.
double MedianOf(std::vector<double> samples);

struct Interval {
  double low = 0;
  double high = 0;
  bool operator==(const Interval&) const = default;
};

struct SampleSummary {
  std::size_t n = 0;
  double min = 0;
  double median = 0;
  double p95 = 0;  // nearest rank
  double max = 0;
};
SampleSummary Summarize(std::vector<double> samples);

// Percentile bootstrap: the median's interval at `confidence` (0 to 1) over `rounds` resamplings.
// A single sample is its own interval; none is 0.
Interval BootstrapMedian(const std::vector<double>& samples, double confidence, std::size_t rounds,
                         std::uint64_t seed);

// --- how many runs a claim needs

// n without exceedance that shows "the quantile is <= X" with `confidence`: 0.95 at 95 % needs 59.
std::uint64_t RunsNeeded(double quantile, double confidence = 0.95);
// After n passes without a failure: the failure probability is at most this, with `confidence`.
double FailureBound(std::uint64_t passes, double confidence = 0.95);
// Whether n is enough for the claim, in words: "40 runs show p90 <= max at 95 %; p95 needs 59".
struct ClaimStrength {
  std::optional<double> quantile;  // the highest of 0.9, 0.95, 0.99, 0.999 that n can claim
  std::optional<double> next;      // the one after it
  std::uint64_t next_needs = 0;    // runs
  std::string text;
};
ClaimStrength StrengthOf(std::uint64_t runs);

// --- laws

// One-sample Kolmogorov-Smirnov.
struct KsResult {
  double statistic = 0;  // D
  double p_value = 1;
};
// Of the samples against the uniform law on [low, high], which a crash at a random phase follows.
KsResult KsAgainstUniform(std::vector<double> samples, double low, double high);
// P(D_n < d), exact (Marsaglia, Tsang, Wang: Evaluating Kolmogorov's Distribution, 2003).
double KolmogorovProbability(std::size_t n, double d);

// The smallest k with P(X <= k) >= probability for a Poisson law.
std::uint64_t PoissonQuantile(double mean, double probability);

// --- regression

struct MannWhitney {
  double u = 0;        // pairs in which the new sample is greater; ties count a half
  double p_value = 1;  // one-sided: of new ones that are not greater
  bool exact = false;  // counted out; else the normal law with corrections for ties and continuity
};
MannWhitney MannWhitneyGreater(const std::vector<double>& fresh,
                               const std::vector<double>& baseline);

inline constexpr std::size_t kBaselineRuns = 30;
inline constexpr double kMinimumEffectShare = 0.10;
inline constexpr double kMinimumEffectMs = 5;

// Whether a batch is worse than its baseline: unlikely to be chance, and by an amount that matters
// (10 % or 5 ms of the median, whichever is more).
struct Regression {
  MannWhitney test;
  double effect = 0;   // median of the new ones less that of the baseline
  double minimum = 0;  // that matters
  bool is_worse = false;
};
Regression CompareWithBaseline(const std::vector<double>& fresh,
                               const std::vector<double>& baseline, double alpha = 0.01);

// Tabular CUSUM for slow drift: sums of what exceeds `slack`, in standard deviations of the
// reference.
struct CusumSettings {
  double mean = 0;       // of the reference
  double deviation = 1;  // of the reference
  double slack = 0.5;    // k: half the shift to be found
  double limit = 5;      // h
};
struct CusumPoint {
  double high = 0;  // C+ in the samples' unit
  double low = 0;   // C-
  bool operator==(const CusumPoint&) const = default;
};
struct Cusum {
  std::vector<CusumPoint> points;
  std::optional<std::size_t> alarm;  // index of the first sample beyond the limit, either side
  std::optional<std::size_t> since;  // where the sum that alarmed began to grow
  bool upward = false;               // of the alarm: it got slower
};
Cusum CusumOf(const std::vector<double>& samples, const CusumSettings& settings);

}  // namespace drover
