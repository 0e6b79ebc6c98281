// How late a prober was, as a histogram of fixed size: 32 steps per doubling, so that a quantile is
// right to about three percent whatever its size.
//
// Pure.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "protocol/probe_log.h"

namespace drover {

class LagHistogram {
 public:
  void Add(ProbeTime lag) {
    ++counts_[BucketOf(static_cast<std::uint64_t>(std::max<std::int64_t>(0, lag.count())))];
    ++count_;
    max_ = std::max(max_, lag);
  }
  // A probe that was not sent: later than any other.
  void AddUnsent() {
    ++count_;
    ++unsent_;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t unsent() const { return unsent_; }
  [[nodiscard]] ProbeTime max() const { return max_; }
  // Nearest rank, the upper end of its step but not above max(); ProbeTime::max() when it falls on
  // probes that were not sent. 0 for none.
  [[nodiscard]] ProbeTime Quantile(double quantile) const {
    if (count_ == 0) return ProbeTime(0);
    const auto rank = static_cast<std::uint64_t>(
        std::max(1.0, std::ceil(quantile * static_cast<double>(count_) - 1e-9)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (seen >= rank) return std::min(max_, ProbeTime(EndOf(bucket)));
    }
    return ProbeTime::max();
  }

 private:
  static constexpr int kStepBits = 5;
  static constexpr std::uint64_t kSteps = 1U << kStepBits;
  static constexpr std::size_t kBuckets = kSteps * (64 - kStepBits + 1);

  static std::size_t BucketOf(std::uint64_t value) {
    if (value < kSteps) return value;
    const int shift = std::bit_width(value) - kStepBits - 1;
    return (static_cast<std::size_t>(shift) + 1) * kSteps + (value >> shift) - kSteps;
  }
  // The largest value of a bucket.
  static std::int64_t EndOf(std::size_t bucket) {
    if (bucket < kSteps) return static_cast<std::int64_t>(bucket);
    const std::size_t shift = bucket / kSteps - 1;
    return static_cast<std::int64_t>(((bucket % kSteps + kSteps + 1) << shift) - 1);
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t unsent_ = 0;
  ProbeTime max_{0};
};

}  // namespace drover
