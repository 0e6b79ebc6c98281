// What `drover inventory` prints: byte for byte what ansible-inventory prints.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "orchestrator/inventory/inventory.h"
#include "orchestrator/source/diagnostic.h"

namespace drover {

// --list: all groups and, under _meta, the merged variables of all hosts.
std::string PrintList(const Inventory& inventory);
// --host: the merged variables of the one host that `pattern` selects.
Parsed<std::string> PrintHost(const Inventory& inventory, std::string_view pattern);
// --graph: a group ("all" when empty) with what is below it.
Parsed<std::string> PrintGraph(const Inventory& inventory, std::string_view group);
// --list-hosts: as `ansible PATTERN --list-hosts`.
Parsed<std::string> PrintHosts(const Inventory& inventory, std::string_view pattern);
// JSON as Python prints it: sorted keys, 4 blanks, no escapes for letters beyond ASCII.
std::string PrintJson(const Value& value);

}  // namespace drover
