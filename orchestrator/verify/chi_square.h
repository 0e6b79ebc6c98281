// Pearson's test of counts against shares, for the one scheduler that chooses at random (twos).
//
// Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace drover {

// P(X >= statistic) for the chi-square law with so many degrees of freedom (at least 1).
double ChiSquareTail(double statistic, int degrees);

// One count with the share (any unit) that it should have.
struct Cell {
  std::uint64_t count = 0;
  double share = 0;
};
struct ChiSquare {
  double statistic = 0;
  double p_value = 1;
  double least_expected = 0;  // below 5 the law does not hold
};
// Of at least two cells with shares above 0.
ChiSquare TestShares(const std::vector<Cell>& cells);

}  // namespace drover
