// What checks, drains and people make of a virtual service: the service as it should stand in ip_vs
// right now.
//
// Pure: desired service and the health of its real servers in, effective service out. Converge then
// sends the difference.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "node-helper/health/check.h"
#include "protocol/desired_state.h"

namespace drover::health {

// What becomes of a real server that is down.
enum class OnFailure : std::uint8_t {
  kRemove,  // out of the table
  kQuiesce  // weight 0: established connections go on, as far as it answers them
};

// How a service reacts.
struct PoolSettings {
  OnFailure on_failure = OnFailure::kQuiesce;
  std::chrono::milliseconds slow_start{
      0};                    // a server that came up reaches its weight in this time; 0: at once
  std::uint32_t quorum = 1;  // sum of the weights of live servers that a service needs
  std::uint32_t hysteresis =
      0;  // with quorum + hysteresis it comes back, below quorum - hysteresis it is lost
  std::optional<Destination> sorry_server;  // takes the place of all when the quorum is lost
};

// A real server as its check sees it.
struct ServerHealth {
  bool up = true;
  Time since{};  // when it came up (slow start counts from here)
  std::optional<std::uint32_t>
      dynamic_weight;        // what a script or header said; replaces the desired weight
  bool maintenance = false;  // drained by an operator: weight 0 whatever the check says
};

class Pool {
 public:
  explicit Pool(const PoolSettings& settings) : settings_(settings) {}

  // The service as it should be now. A server without an entry in `health` has no check and counts
  // as up.
  VirtualService Effective(const VirtualService& desired,
                           const std::map<Endpoint, ServerHealth>& health, Time now);

  [[nodiscard]] bool has_quorum() const { return has_quorum_; }
  // True while some server is in its slow start: Effective wants to be called again soon.
  [[nodiscard]] bool ramping() const { return ramping_; }

 private:
  void UpdateQuorum(std::uint32_t live_weight, std::uint32_t total_weight);

  PoolSettings settings_;
  bool has_quorum_ = true;
  bool ramping_ = false;
};

// A weight on its way up: at least 1, rising in even steps.
std::uint32_t RampedWeight(std::uint32_t weight, std::chrono::milliseconds up_for,
                           std::chrono::milliseconds slow_start);

}  // namespace drover::health
