// From the command line to a CompiledRun: reads playbook, inventory and variables, asks for
// passwords, and compiles. Nothing is sent to any host.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compile/compile.h"
#include "orchestrator/inventory/load.h"
#include "orchestrator/playbook/load.h"
#include "orchestrator/run/command_line.h"

namespace drover {

// All that is known before the first host is reached, or the status to end with after the complaint
// has been printed.
struct Prepared {
  std::optional<int> exit;
  Playbook playbook;
  CompiledRun run;
  Inventory inventory;
  std::vector<SourceFilePtr> inventory_files;
  CompileOptions options;
};
// `amend` may add to the playbook before it is compiled; an error of it ends the preparation.
using Amend = std::function<Status(Playbook& playbook, const Inventory& inventory)>;
Prepared Prepare(const CommandLine& line, const Amend& amend = {});
// The same playbook with another inventory, for the hosts that `limit` leaves.
Parsed<CompiledRun> CompileWith(const Prepared& prepared, const Inventory& inventory,
                                const std::string& limit);
// The inventories of the command line, read again.
Parsed<LoadedInventory> ReadInventory(const CommandLine& line);

// -l with its @FILE parts replaced by the lines of the files.
Parsed<std::string> ReadLimit(const std::string& limit);

// The node-helper to bring along: as given, beside this program, or where packages put it.
Result<std::string> FindHelper(const std::string& given);

}  // namespace drover
