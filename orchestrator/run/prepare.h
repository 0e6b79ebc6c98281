// From the command line to a CompiledRun: reads playbook, inventory and variables, asks for
// passwords, and compiles. Nothing is sent to any host.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/playbook/load.h"
#include "orchestrator/run/command_line.h"

namespace drover {

// All that is known before the first host is reached, or the status to end with after the complaint
// has been printed.
struct Prepared {
  std::optional<int> exit;
  Playbook playbook;
  CompiledRun run;
};
Prepared Prepare(const CommandLine& line);

// -l with its @FILE parts replaced by the lines of the files.
Parsed<std::string> ReadLimit(const std::string& limit);

// The node-helper to bring along: as given, beside this program, or where packages put it.
Result<std::string> FindHelper(const std::string& given);

}  // namespace drover
