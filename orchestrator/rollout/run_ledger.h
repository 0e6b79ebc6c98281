// What a run knows of its hosts across plays and batches.
//
// Values only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/rollout/run_events.h"
#include "orchestrator/rollout/show.h"

namespace drover {

struct RunLedger {
  std::set<std::string> out;     // failed or unreachable: out for the rest of the run
  std::set<std::string> behind;  // did not take a part of their state, though the error is ignored
  std::map<std::string, Tally> tallies;  // of every host that has a result
  std::vector<LeftMidway> left_midway;   // after an interrupt
};

}  // namespace drover
