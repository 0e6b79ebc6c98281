// What a run would do, as a value: per host the differences that a check run found, with their
// reasons, and the state that they were found in.
//
// Pure. A plan on disk is plan_file.h; how two plans differ is staleness.h; words are in report/.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/show.h"
#include "protocol/change.h"
#include "protocol/event.h"

namespace drover {

// One difference, and the task that would mend it.
struct PlannedChange {
  std::string task;
  ChangeText change;
  std::optional<FileDiff> diff;  // with --diff
  bool operator==(const PlannedChange&) const = default;
};

// What a run would do on one host.
struct HostPlan {
  std::string digest;  // of the node's record and kernel state (NodeGround)
  std::vector<PlannedChange> changes;
  std::vector<std::string> unknown;  // tasks that say only when they run whether they change
  std::string problem;               // why the plan of this host is not whole; empty: it is
  bool unreachable = false;
  bool operator==(const HostPlan&) const = default;
};
using HostPlans = std::map<std::string, HostPlan>;

struct PlanCounts {
  int add = 0;
  int change = 0;
  int remove = 0;
  int hosts_changed = 0;
  int hosts = 0;
  [[nodiscard]] int all() const { return add + change + remove; }
  bool operator==(const PlanCounts&) const = default;
};
PlanCounts CountsOf(const HostPlans& plans);
// False when a host could not be planned to its end.
bool IsWhole(const HostPlans& plans);

// Gathers the plans of all hosts of a check run from what it shows.
class PlanCollector {
 public:
  // `run` must outlive the collector.
  explicit PlanCollector(const CompiledRun& run);
  void Add(const Shown& shown);
  // With the digests that the hosts gave when they were asked where they stand.
  [[nodiscard]] HostPlans TakePlans(const std::map<std::string, NodeGround>& grounds);

 private:
  const CompiledRun& run_;
  HostPlans plans_;
};

}  // namespace drover
