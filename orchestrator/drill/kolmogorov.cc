// The Kolmogorov-Smirnov test against a uniform law, exact for any number of samples.

#include <algorithm>
#include <cmath>

#include "orchestrator/drill/statistics.h"

namespace drover {
namespace {

// A square matrix with a decimal exponent of its own, because its powers leave the range of double.
struct Matrix {
  std::size_t size = 0;
  std::vector<double> cells;
  int exponent = 0;

  explicit Matrix(std::size_t m) : size(m), cells(m * m, 0) {}
  double& at(std::size_t row, std::size_t column) { return cells[row * size + column]; }
  [[nodiscard]] double at(std::size_t row, std::size_t column) const {
    return cells[row * size + column];
  }
};

constexpr double kBig = 1e140;
constexpr int kBigExponent = 140;

Matrix Product(const Matrix& left, const Matrix& right) {
  Matrix product(left.size);
  for (std::size_t i = 0; i < left.size; ++i) {
    for (std::size_t k = 0; k < left.size; ++k) {
      const double factor = left.at(i, k);
      for (std::size_t j = 0; j < left.size; ++j) product.at(i, j) += factor * right.at(k, j);
    }
  }
  product.exponent = left.exponent + right.exponent;
  if (product.at(left.size / 2, left.size / 2) > kBig) {
    for (double& cell : product.cells) cell /= kBig;
    product.exponent += kBigExponent;
  }
  return product;
}

Matrix Power(const Matrix& base, std::size_t exponent) {
  if (exponent == 1) return base;
  const Matrix half = Power(base, exponent / 2);
  const Matrix square = Product(half, half);
  return exponent % 2 == 0 ? square : Product(base, square);
}

// H of the paper: d = (k - h) / n.
Matrix TransitionMatrix(std::size_t m, double h) {
  Matrix matrix(m);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < m; ++j) matrix.at(i, j) = i + 1 >= j ? 1 : 0;
  }
  for (std::size_t i = 0; i < m; ++i) {
    matrix.at(i, 0) -= std::pow(h, static_cast<double>(i + 1));
    matrix.at(m - 1, i) -= std::pow(h, static_cast<double>(m - i));
  }
  matrix.at(m - 1, 0) += 2 * h - 1 > 0 ? std::pow(2 * h - 1, static_cast<double>(m)) : 0;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      for (std::size_t g = 1; g <= i + 1 - j; ++g) matrix.at(i, j) /= static_cast<double>(g);
    }
  }
  return matrix;
}

}  // namespace

double KolmogorovProbability(std::size_t n, double d) {
  if (n == 0 || d <= 0) return 0;
  if (d >= 1) return 1;
  const auto count = static_cast<double>(n);
  const double s = d * d * count;
  // Far out the exact way loses its digits and takes long; this is good to seven of them (paper).
  if (s > 18.0 || (s > 3.76 && n > 99)) {
    return 1 - 2 * std::exp(-(2.000071 + 0.331 / std::sqrt(count) + 1.409 / count) * s);
  }
  const auto k = static_cast<std::size_t>(count * d) + 1;
  const std::size_t m = 2 * k - 1;
  const Matrix power = Power(TransitionMatrix(m, static_cast<double>(k) - count * d), n);
  double probability = power.at(k - 1, k - 1);
  int exponent = power.exponent;
  for (std::size_t i = 1; i <= n; ++i) {
    probability *= static_cast<double>(i) / count;
    if (probability < 1 / kBig) {
      probability *= kBig;
      exponent -= kBigExponent;
    }
  }
  return probability * std::pow(10, exponent);
}

KsResult KsAgainstUniform(std::vector<double> samples, double low, double high) {
  if (samples.empty() || high <= low) return {};
  std::sort(samples.begin(), samples.end());
  const auto count = static_cast<double>(samples.size());
  double distance = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double law = std::clamp((samples[i] - low) / (high - low), 0.0, 1.0);
    const auto before = static_cast<double>(i);
    distance = std::max({distance, law - before / count, (before + 1) / count - law});
  }
  return {distance, std::max(0.0, 1 - KolmogorovProbability(samples.size(), distance))};
}

}  // namespace drover
