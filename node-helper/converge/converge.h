// Brings a kernel to a desired state: observe, plan, apply, look again. For --check the same code
// runs on a DryRunKernel.
//
// Recording what was done (store/) and reporting it (tasks/) are left to the caller.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/converge/kernel.h"
#include "protocol/change.h"
#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

// What was done, also when it ended in an error.
struct ConvergeReport {
  std::vector<Change> done;      // in order; SetSysctl carries the value that was there before
  std::optional<Change> failed;  // the change that was refused; the ones behind it were not tried
  std::optional<Error> error;    // names the resource; also set when observing or planning failed

  [[nodiscard]] bool ok() const { return !error; }
  bool operator==(const ConvergeReport&) const = default;
};

// Brings `kernel` to hold all of `desired` and leaves everything else alone. Stops at the first
// failure. After changes it observes again, because some settings change others and other people
// may be at work; it plans at most kMaxRounds times, and what is still different then is an error.
ConvergeReport Converge(Kernel& kernel, const DesiredState& desired);

// Carries out PlanPrune (see plan.h) in the same way.
ConvergeReport Prune(Kernel& kernel, const DesiredState& owned, const DesiredState& whole,
                     const std::map<std::string, std::string>& original_sysctls);

inline constexpr int kMaxRounds = 3;

}  // namespace drover
