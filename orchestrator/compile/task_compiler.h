// Works one task out for one host: loop, condition, arguments, module.
//
// As pure as the modules are (copy and template read files).
#pragma once

#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/compile/module_context.h"

namespace drover {

// All rounds of the task; offences are added to `diagnostics`. `play_variables` are the host's in
// this play.
std::vector<HostTask> CompileForHost(const PlaybookTask& task, const std::string& host,
                                     Variables& play_variables, RunContext& run,
                                     Diagnostics& diagnostics);

}  // namespace drover
