// group_vars/ and host_vars/ beside an inventory or a playbook.
//
// Touches files, nothing else; internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/inventory/load.h"
#include "orchestrator/source/diagnostic.h"

namespace drover {

// Reads what `directories` (those of the inventory sources, in order) and `playbook_dir` (may be
// empty) hold for the groups and hosts of `loaded` into them.
void ReadVarsFiles(const std::vector<std::string>& directories, const std::string& playbook_dir,
                   LoadedInventory& loaded, Diagnostics& errors, Diagnostics& warnings);

}  // namespace drover
