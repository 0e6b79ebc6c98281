// Sets again what the node's owners recorded: after a reboot, and when asked. What cannot be set
// (an interface that is not there yet) does not keep the rest from being set.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "node-helper/converge/kernel.h"
#include "node-helper/store/record.h"
#include "protocol/change.h"

namespace drover {

// What one pass did.
struct ReapplyReport {
  std::vector<Change> done;
  std::vector<std::string> failures;  // one sentence each; worth another try later
};

ReapplyReport Reapply(Kernel& kernel, const std::vector<OwnerRecord>& records);

// How long to wait after the `failures`th pass in a row with failures: 1 s, doubling to 60 s.
std::chrono::seconds RetryDelay(int failures);

}  // namespace drover
