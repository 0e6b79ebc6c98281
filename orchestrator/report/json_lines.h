// The run as JSON lines, one object for each thing that happens, as it happens: --output jsonl.
// docs/output.md lists them.
//
// Pure; the caller says what time it is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/rollout/rollout.h"
#include "orchestrator/rollout/show.h"

namespace drover {

// Each line ends with a newline. `now` as in "2026-01-31T12:00:00.000000Z"; `run` must outlive the
// call.
std::string JsonLine(const CompiledRun& run, const Shown& shown, const std::string& now);
// The last line.
std::string JsonRecap(const std::map<std::string, Tally>& tallies, bool interrupted,
                      const std::vector<LeftMidway>& left, const RunEnd& end,
                      const std::string& now);

}  // namespace drover
