#include "orchestrator/verify/chi_square.h"

#include <algorithm>
#include <cmath>

namespace drover {
namespace {

constexpr int kMaxSteps = 1000;
constexpr double kEnough = 1e-15;

// The regularised incomplete gamma functions P (as a series) and Q (as a continued fraction):
// DLMF 8.11.4 and 8.9.2.
double LowerSeries(double a, double x) {
  double term = 1 / a;
  double sum = term;
  for (int n = 1; n < kMaxSteps && term > sum * kEnough; ++n) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * std::exp(a * std::log(x) - x - std::lgamma(a));
}

double UpperFraction(double a, double x) {
  constexpr double kTiny = 1e-300;
  double b = x + 1 - a;
  double c = 1 / kTiny;
  double d = 1 / b;
  double fraction = d;
  for (int n = 1; n < kMaxSteps; ++n) {
    const double step = n * (a - n);
    b += 2;
    d = step * d + b;
    c = b + step / c;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = std::abs(c) < kTiny ? kTiny : c;
    fraction *= d * c;
    if (std::abs(d * c - 1) < kEnough) break;
  }
  return fraction * std::exp(a * std::log(x) - x - std::lgamma(a));
}

}  // namespace

double ChiSquareTail(double statistic, int degrees) {
  const double a = degrees / 2.0;
  const double x = statistic / 2;
  if (x <= 0) return 1;
  return x < a + 1 ? 1 - LowerSeries(a, x) : UpperFraction(a, x);
}

ChiSquare TestShares(const std::vector<Cell>& cells) {
  double shares = 0;
  double total = 0;
  for (const Cell& cell : cells) {
    shares += cell.share;
    total += static_cast<double>(cell.count);
  }
  ChiSquare result;
  result.least_expected = total;
  for (const Cell& cell : cells) {
    const double expected = total * cell.share / shares;
    if (expected <= 0) continue;
    const double off = static_cast<double>(cell.count) - expected;
    result.statistic += off * off / expected;
    result.least_expected = std::min(result.least_expected, expected);
  }
  result.p_value = ChiSquareTail(result.statistic, static_cast<int>(cells.size()) - 1);
  return result;
}

}  // namespace drover
