// Whether the prober drove a run as planned. An open loop is only as good as its sending: a prober
// that was late or silent itself has seen its own outage, not the cluster's, and voids the run.
//
// Pure.
#pragma once

#include <string>

#include "protocol/probe_log.h"

namespace drover {

// Lag of a series: actual minus planned send time. A probe that was not sent counts as later than
// any other.
struct GeneratorLag {
  std::uint64_t planned = 0;
  std::uint64_t unsent = 0;
  ProbeTime p50{0};
  ProbeTime p99{0};
  ProbeTime max{0};         // of those that were sent
  bool p99_unsent = false;  // more than one in a hundred was not sent
  bool is_void = false;     // lag p99 > d/2
  std::string reason;       // when void, in words
  bool operator==(const GeneratorLag&) const = default;
};
GeneratorLag LagOf(const ProbeLog& log, std::size_t series);

}  // namespace drover
