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
#include <utility>

#include "node-helper/health/check.h"
#include "protocol/check_settings.h"
#include "protocol/desired_state.h"

namespace drover::health {

// A real server as its check sees it.
struct ServerHealth {
  bool up = true;
  Time since{};  // when it came up (slow start counts from here)
  std::optional<std::uint32_t>
      dynamic_weight;        // what a script or header said; replaces the desired weight
  bool maintenance = false;  // drained by an operator: weight 0 whatever the check says
};

// One watched service. Rules (on failure, slow start, quorum, sorry server) are those of its watch:
// with quorum + hysteresis a lost quorum comes back, below quorum - hysteresis it is lost.
class Pool {
 public:
  explicit Pool(ServiceWatch watch) : watch_(std::move(watch)) {}

  // What a pool remembers between two calls, for the process that comes after an upgrade in place.
  // Slow start needs nothing: it counts from ServerHealth::since.
  [[nodiscard]] bool Remember() const { return has_quorum_; }
  void Recall(bool had_quorum) { has_quorum_ = had_quorum; }
  // Other rules for the same service; the quorum stands until it is counted again.
  void Change(ServiceWatch watch) { watch_ = std::move(watch); }
  [[nodiscard]] const ServiceWatch& watch() const { return watch_; }

  // The service as it should be now. A server without an entry in `health` has no check and counts
  // as up.
  VirtualService Effective(const VirtualService& desired,
                           const std::map<Endpoint, ServerHealth>& health, Time now);

  [[nodiscard]] bool has_quorum() const { return has_quorum_; }
  // True while some server is in its slow start: Effective wants to be called again soon.
  [[nodiscard]] bool ramping() const { return ramping_; }

 private:
  void UpdateQuorum(std::uint32_t live_weight, std::uint32_t total_weight);

  ServiceWatch watch_;
  bool has_quorum_ = true;
  bool ramping_ = false;
};

// A weight on its way up: at least 1, rising in even steps.
std::uint32_t RampedWeight(std::uint32_t weight, std::chrono::milliseconds up_for,
                           std::chrono::milliseconds slow_start);

}  // namespace drover::health
