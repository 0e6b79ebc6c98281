// What trackers make of an instance: a fault with its reason, or another priority.
//
// Pure. Watching is done by checks/tracker_engine, telling the instance by the speaker.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "protocol/node_status.h"
#include "protocol/vrrp_settings.h"

namespace drover {

// In fault with a reason, or a sum of weights.
struct TrackedState {
  std::string fault;  // empty: none
  int weight = 0;
  bool operator==(const TrackedState&) const = default;
};

namespace vrrp {

// `trackers` as they are now. One without a verdict (or that nobody watches yet) counts as down
// where it decides alone (weight 0), because nobody knows whether the instance may run; with a
// weight it adds nothing.
TrackedState Judge(std::span<const TrackedBy> uses, std::span<const TrackerStatus> trackers);

// The priority to run with: base plus weight, kept within 1 to 254. The address owner stays 255
// (RFC 9568, section 5.2.4).
std::uint8_t EffectivePriority(std::uint8_t base, int weight);

}  // namespace vrrp
}  // namespace drover
