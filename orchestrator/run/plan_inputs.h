// What a plan is made from: the options that decide it and hashes of all that was read for it, and
// the way back from a kept plan to a command line.
#pragma once

#include "orchestrator/plan/plan_file.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/run/prepare.h"

namespace drover {

PlanRequest RequestOf(const CommandLine& line);
// `line` (how hosts are reached and what is told) with what the plan asked for.
CommandLine WithRequest(CommandLine line, const PlanRequest& request);

// Whether compiled for check mode or not makes no difference.
PlanInputs InputsOf(const Prepared& prepared);

}  // namespace drover
