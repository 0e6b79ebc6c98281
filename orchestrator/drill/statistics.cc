#include "orchestrator/drill/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

namespace drover {
namespace {

constexpr std::array kQuantiles = {0.9, 0.95, 0.99, 0.999};
constexpr std::array kQuantileWords = {"p90", "p95", "p99", "p99.9"};

// The standard's distributions may differ between libraries; this draws alike everywhere.
std::size_t DrawBelow(std::mt19937_64& random, std::size_t limit) {
  const std::uint64_t bound = UINT64_MAX - UINT64_MAX % limit;
  std::uint64_t drawn = 0;
  do {
    drawn = random();
  } while (drawn >= bound);
  return drawn % limit;
}

double MedianOfSorted(const std::vector<double>& sorted) {
  if (sorted.empty()) return 0;
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

}  // namespace

double NearestRank(const std::vector<double>& sorted, double quantile) {
  // 0.95 * 20 is a little more than 19 in binary.
  const double exact = quantile * static_cast<double>(sorted.size());
  const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(exact - 1e-9)));
  return sorted[std::min(rank, sorted.size()) - 1];
}

double MedianOf(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return MedianOfSorted(samples);
}

SampleSummary Summarize(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {.n = samples.size(),
          .min = samples.front(),
          .median = MedianOfSorted(samples),
          .p95 = NearestRank(samples, 0.95),
          .max = samples.back()};
}

Interval BootstrapMedian(const std::vector<double>& samples, double confidence, std::size_t rounds,
                         std::uint64_t seed) {
  if (samples.empty() || rounds == 0) return {};
  std::mt19937_64 random(seed);
  std::vector<double> medians;
  medians.reserve(rounds);
  std::vector<double> drawn(samples.size());
  for (std::size_t round = 0; round < rounds; ++round) {
    for (double& value : drawn) value = samples[DrawBelow(random, samples.size())];
    medians.push_back(MedianOf(drawn));
  }
  std::sort(medians.begin(), medians.end());
  const double tail = (1 - confidence) / 2;
  return {NearestRank(medians, tail), NearestRank(medians, 1 - tail)};
}

std::uint64_t RunsNeeded(double quantile, double confidence) {
  // All n lie below a higher quantile with probability quantile^n.
  return static_cast<std::uint64_t>(std::ceil(std::log(1 - confidence) / std::log(quantile)));
}

double FailureBound(std::uint64_t passes, double confidence) {
  if (passes == 0) return 1;
  return 1 - std::pow(1 - confidence, 1.0 / static_cast<double>(passes));
}

ClaimStrength StrengthOf(std::uint64_t runs) {
  ClaimStrength strength;
  std::string claim = "shows no percentile";
  std::string next;
  for (std::size_t i = 0; i < kQuantiles.size(); ++i) {
    const std::uint64_t needed = RunsNeeded(kQuantiles[i]);
    if (runs >= needed) {
      strength.quantile = kQuantiles[i];
      claim = "shows that " + std::string(kQuantileWords[i]) + " is at most the maximum";
      continue;
    }
    strength.next = kQuantiles[i];
    strength.next_needs = needed;
    next = "; " + std::string(kQuantileWords[i]) + " needs " + std::to_string(needed);
    break;
  }
  strength.text = "n = " + std::to_string(runs) + " " + claim + " (95 % confidence)" + next;
  return strength;
}

std::uint64_t PoissonQuantile(double mean, double probability) {
  if (mean <= 0) return 0;
  // Logarithms, because exp(-mean) is nothing for a large mean.
  double sum = 0;
  const auto far = static_cast<std::uint64_t>(mean + 40 * std::sqrt(mean) + 100);
  for (std::uint64_t k = 0; k < far; ++k) {
    const auto count = static_cast<double>(k);
    sum += std::exp(count * std::log(mean) - mean - std::lgamma(count + 1));
    if (sum >= probability) return k;
  }
  return far;
}

Cusum CusumOf(const std::vector<double>& samples, const CusumSettings& settings) {
  Cusum cusum;
  const double slack = settings.slack * settings.deviation;
  const double limit = settings.limit * settings.deviation;
  CusumPoint sum;
  std::size_t high_since = 0;
  std::size_t low_since = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (sum.high == 0) high_since = i;
    if (sum.low == 0) low_since = i;
    sum.high = std::max(0.0, samples[i] - (settings.mean + slack) + sum.high);
    sum.low = std::max(0.0, settings.mean - slack - samples[i] + sum.low);
    cusum.points.push_back(sum);
    if (cusum.alarm || (sum.high <= limit && sum.low <= limit)) continue;
    cusum.alarm = i;
    cusum.upward = sum.high > limit;
    cusum.since = cusum.upward ? high_since : low_since;
  }
  return cusum;
}

}  // namespace drover
