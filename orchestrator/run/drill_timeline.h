// What happened when, on the control host's clock until the prober's is known: moments of the drill
// itself, and of the nodes' event logs.
//
// Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/cluster/cluster_status.h"
#include "orchestrator/drill/gates.h"
#include "orchestrator/drill/journal.h"

namespace drover {

using WallUs = std::int64_t;  // microseconds since 1970, by the control host

class DrillTimeline {
 public:
  void SetClocks(std::map<std::string, ClockOffset> clocks) { clocks_ = std::move(clocks); }
  // What happened before is no news.
  void Begin(const ClusterStatus& cluster);
  void Add(WallUs at, std::string host, std::string what);
  // New events of the nodes; what is new is returned for the screen: "lb2: backup -> master: …".
  std::vector<std::string> Take(const ClusterStatus& cluster);
  // What the prober's clock and a node's monotonic one showed at one moment.
  struct Anchor {
    std::string host;
    std::int64_t monotonic_us = 0;
    ProbeTime at{0};
  };
  // In order; `start` is when the prober's log began. Events of the anchor's host are placed by it.
  [[nodiscard]] std::vector<DrillMoment> Moments(WallUs start,
                                                 const std::optional<Anchor>& anchor = {}) const;

 private:
  struct Entry {
    WallUs at = 0;
    DrillMoment moment;
    std::int64_t monotonic_us = 0;  // of an event
  };
  using Key = std::tuple<std::string, std::int64_t, std::string, std::string>;
  std::map<std::string, ClockOffset> clocks_;
  std::set<Key> known_;
  std::vector<Entry> entries_;
};

}  // namespace drover
