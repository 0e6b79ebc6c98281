// What moved between the making of a plan and now: files, variables, hosts, nodes. Each answer is a
// sentence for the operator.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/plan/plan_file.h"

namespace drover {

// Empty when everything a plan was compiled from is as it was.
std::vector<std::string> MovedInputs(const PlanInputs& then, const PlanInputs& now);

// How a node whose digest moved differs, told by what the plan would do on it now; never empty.
std::vector<std::string> MovedNode(const std::string& host, const HostPlan& then,
                                   const HostPlan& now);

}  // namespace drover
