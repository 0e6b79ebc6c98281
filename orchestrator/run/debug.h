// What --debug prints on stderr: reasons, times, and the list of modes.
#pragma once

#include <string>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/show.h"
#include "orchestrator/run/run_loop.h"

namespace drover {

std::string DebugModesText();
// One line per change or skip of a result; empty for a secret task.
std::string ExplainText(const CompiledRun& run, const HostResult& result);
std::string StatsText(const RunOutcome& outcome, std::chrono::microseconds compile,
                      std::chrono::microseconds total);

}  // namespace drover
