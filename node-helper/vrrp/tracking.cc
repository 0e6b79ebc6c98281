#include "node-helper/vrrp/tracking.h"

#include <algorithm>

#include "node-helper/vrrp/packet.h"

namespace drover::vrrp {
namespace {

constexpr int kLowest = 1;
constexpr int kHighest = 254;

std::string FaultOf(const std::string& tracker, const TrackerStatus* status) {
  if (status == nullptr || !status->decided) return "tracker " + tracker + " has no verdict yet";
  if (status->up) return "";
  return "tracker " + tracker + " is down" + (status->reason.empty() ? "" : ": " + status->reason);
}

}  // namespace

TrackedState Judge(std::span<const TrackedBy> uses, std::span<const TrackerStatus> trackers) {
  TrackedState state;
  for (const TrackedBy& use : uses) {
    const auto found = std::find_if(trackers.begin(), trackers.end(),
                                    [&](const auto& status) { return status.name == use.tracker; });
    const TrackerStatus* status = found == trackers.end() ? nullptr : &*found;
    if (use.weight == 0) {
      if (state.fault.empty()) state.fault = FaultOf(use.tracker, status);
    } else if (status != nullptr && status->decided && status->up == (use.weight > 0)) {
      state.weight += use.weight;
    }
  }
  return state;
}

std::uint8_t EffectivePriority(std::uint8_t base, int weight) {
  if (base == kOwnerPriority) return base;
  return static_cast<std::uint8_t>(std::clamp(int{base} + weight, kLowest, kHighest));
}

}  // namespace drover::vrrp
