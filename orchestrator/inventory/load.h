// Reads inventories: INI or YAML files, directories of them, "a,b," host lists, JSON as
// ansible-inventory prints it, and the group_vars/ and host_vars/ beside them and beside the
// playbook.
//
// Touches files, nothing else. What cannot be read for certain is an error, never a guess.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/inventory/inventory.h"
#include "orchestrator/source/diagnostic.h"

namespace drover {

struct LoadedInventory {
  Inventory inventory;
  std::vector<SourceFilePtr> files;  // all that it was read from, also group_vars and host_vars
  Diagnostics warnings;              // odd, but not wrong
};

// `sources` as given with -i, later ones win; `playbook_dir` empty: no group_vars/ beside a
// playbook.
Parsed<LoadedInventory> LoadInventory(const std::vector<std::string>& sources,
                                      const std::string& playbook_dir);

}  // namespace drover
