// The options of `drover drill run`.
//
// CLI11 stays in the .cc.
#pragma once

#include "orchestrator/run/command_line.h"

namespace CLI {
class App;
}

namespace drover {

// The fault, which stands before the playbook.
void AddFault(CLI::App& app, DrillLine& drill);
void AddDrillOptions(CLI::App& app, DrillLine& drill);

}  // namespace drover
