// When the cluster could bear the next fault again.
//
//   Time to redundancy = both directors healthy, synced, gate green.
//
// Pure.
#pragma once

#include <optional>
#include <vector>

#include "protocol/probe_log.h"

namespace drover {

// The cluster as it was at one look.
struct RedundancySample {
  ProbeTime at{0};
  bool directors_healthy = false;  // both
  bool synced = false;
  bool gate_green = false;

  [[nodiscard]] bool redundant() const { return directors_healthy && synced && gate_green; }
};

struct TimeToRedundancy {
  ProbeTime value{0};       // from the injection to the first look since which all is well
  ProbeTime resolution{0};  // since the look before: the truth is in (value - resolution, value]
  bool operator==(const TimeToRedundancy&) const = default;
};

// None when the last look was not well, or nobody looked since the injection. 0 when it was well
// all the time.
std::optional<TimeToRedundancy> RedundancyAfter(const std::vector<RedundancySample>& samples,
                                                ProbeTime injection);

}  // namespace drover
