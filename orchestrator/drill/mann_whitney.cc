// Mann and Whitney's test of whether new samples are greater than a baseline.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "orchestrator/drill/statistics.h"

namespace drover {
namespace {

// Counting out takes n * m * n * m steps.
constexpr std::size_t kExactPairs = 1000;

// Pairs in which the new one is greater; ties count a half.
double CountPairs(const std::vector<double>& fresh, const std::vector<double>& baseline) {
  double pairs = 0;
  for (const double left : fresh) {
    for (const double right : baseline) pairs += left > right ? 1 : (left == right ? 0.5 : 0);
  }
  return pairs;
}

// Sizes of the groups of equal values among all samples.
std::vector<double> TieGroups(const std::vector<double>& fresh,
                              const std::vector<double>& baseline) {
  std::vector<double> all = fresh;
  all.insert(all.end(), baseline.begin(), baseline.end());
  std::sort(all.begin(), all.end());
  std::vector<double> groups;
  for (std::size_t i = 0; i < all.size();) {
    const auto end =
        std::upper_bound(all.begin() + static_cast<std::ptrdiff_t>(i), all.end(), all[i]);
    const auto next = static_cast<std::size_t>(end - all.begin());
    if (next - i > 1) groups.push_back(static_cast<double>(next - i));
    i = next;
  }
  return groups;
}

// P(U >= u) when every order of n new and m old samples is as likely as any other. The number of
// orders with a given U obeys count(n, m, u) = count(n-1, m, u-m) + count(n, m-1, u).
double ExactTail(std::size_t n, std::size_t m, double u) {
  std::vector<std::vector<double>> counts(m + 1, std::vector<double>(n * m + 1, 0));
  for (auto& row : counts) row[0] = 1;  // no new sample: U is 0
  for (std::size_t i = 1; i <= n; ++i) {
    std::vector<std::vector<double>> next(m + 1, std::vector<double>(n * m + 1, 0));
    next[0][0] = 1;
    for (std::size_t j = 1; j <= m; ++j) {
      for (std::size_t x = 0; x <= i * j; ++x) {
        next[j][x] = next[j - 1][x] + (x >= j ? counts[j][x - j] : 0);
      }
    }
    counts = std::move(next);
  }
  double tail = 0;
  double all = 0;
  for (std::size_t x = 0; x <= n * m; ++x) {
    all += counts[m][x];
    if (static_cast<double>(x) >= u) tail += counts[m][x];
  }
  return tail / all;
}

double NormalTail(const std::vector<double>& fresh, const std::vector<double>& baseline, double u) {
  const auto n = static_cast<double>(fresh.size());
  const auto m = static_cast<double>(baseline.size());
  const double all = n + m;
  double ties = 0;
  for (const double group : TieGroups(fresh, baseline)) ties += group * group * group - group;
  const double variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
  if (variance <= 0) return 1;  // all samples are equal
  const double z = (u - n * m / 2 - 0.5) / std::sqrt(variance);
  return std::erfc(z / std::numbers::sqrt2) / 2;
}

}  // namespace

MannWhitney MannWhitneyGreater(const std::vector<double>& fresh,
                               const std::vector<double>& baseline) {
  MannWhitney test;
  if (fresh.empty() || baseline.empty()) return test;
  test.u = CountPairs(fresh, baseline);
  test.exact = fresh.size() * baseline.size() <= kExactPairs && TieGroups(fresh, baseline).empty();
  test.p_value = test.exact ? ExactTail(fresh.size(), baseline.size(), test.u)
                            : NormalTail(fresh, baseline, test.u);
  return test;
}

Regression CompareWithBaseline(const std::vector<double>& fresh,
                               const std::vector<double>& baseline, double alpha) {
  Regression regression;
  if (fresh.empty() || baseline.empty()) return regression;
  const double before = MedianOf(baseline);
  regression.test = MannWhitneyGreater(fresh, baseline);
  regression.effect = MedianOf(fresh) - before;
  regression.minimum = std::max(kMinimumEffectMs, kMinimumEffectShare * before);
  regression.is_worse = regression.test.p_value < alpha && regression.effect >= regression.minimum;
  return regression;
}

}  // namespace drover
