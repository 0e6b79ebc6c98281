// Which steps a fault takes on this node as it is now, and what is in its way.
//
// Looks only. One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node-helper/fault/drill_parts.h"
#include "node-helper/fault/fault_step.h"
#include "node-helper/fault/filter_rules.h"
#include "protocol/drill.h"

namespace drover {

struct FaultPlan {
  std::vector<FaultStep> steps;
  std::vector<std::string> obstacles;  // each a sentence; empty: it may be done
};

FaultPlan PlanFault(const FaultOrder& order, const DrillParts& parts,
                    const std::optional<SshWay>& ssh, const std::optional<Endpoint>& marker);

// It stops the helper's own daemon, which then guards nothing.
bool HitsTheDaemon(Fault fault);

}  // namespace drover
