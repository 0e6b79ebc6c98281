#include "node-helper/health/pool.h"

#include <algorithm>

namespace drover::health {

std::uint32_t RampedWeight(std::uint32_t weight, std::chrono::milliseconds up_for,
                           std::chrono::milliseconds slow_start) {
  if (weight <= 1 || up_for >= slow_start) return weight;
  const auto part = static_cast<std::uint64_t>(std::max<std::int64_t>(up_for.count(), 0));
  const std::uint64_t risen =
      std::uint64_t{weight} * part / static_cast<std::uint64_t>(slow_start.count());
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(risen, 1));
}

VirtualService Pool::Effective(const VirtualService& desired,
                               const std::map<Endpoint, ServerHealth>& health, Time now) {
  VirtualService effective = desired;
  effective.destinations.clear();
  ramping_ = false;
  std::uint32_t live_weight = 0;
  std::uint32_t total_weight = 0;
  for (Destination destination : desired.destinations) {
    total_weight += destination.weight;
    const auto found = health.find(destination.endpoint());
    if (found != health.end()) {
      const ServerHealth& server = found->second;
      if (!server.up && watch_.on_failure == OnFailure::kRemove) continue;
      const std::uint32_t full = server.dynamic_weight.value_or(destination.weight);
      const auto up_for = std::chrono::duration_cast<std::chrono::milliseconds>(now - server.since);
      destination.weight =
          server.up && !server.maintenance ? RampedWeight(full, up_for, watch_.slow_start) : 0;
      // The quorum counts what a server is worth, not how far its ramp has come.
      if (server.up && !server.maintenance) live_weight += full;
      ramping_ = ramping_ || (server.up && !server.maintenance && destination.weight < full);
    } else {
      live_weight += destination.weight;
    }
    effective.destinations.push_back(destination);
  }
  UpdateQuorum(live_weight, total_weight);
  if (has_quorum_ || !watch_.sorry_server) return effective;
  // Who is being drained keeps the connections that he has.
  std::erase_if(effective.destinations, [&](const Destination& destination) {
    const auto found = health.find(destination.endpoint());
    return found == health.end() || !found->second.maintenance;
  });
  effective.destinations.push_back(*watch_.sorry_server);
  return effective;
}

void Pool::UpdateQuorum(std::uint32_t live_weight, std::uint32_t total_weight) {
  // A quorum that all servers together cannot reach would be lost for ever.
  const std::uint32_t quorum = std::min(watch_.quorum, total_weight);
  const std::uint32_t hysteresis = std::min(watch_.hysteresis, quorum == 0 ? 0 : quorum - 1);
  if (has_quorum_) {
    has_quorum_ = live_weight + hysteresis >= quorum && (live_weight > 0 || quorum == 0);
  } else {
    has_quorum_ = live_weight >= std::min(quorum + hysteresis, total_weight);
  }
}

}  // namespace drover::health
