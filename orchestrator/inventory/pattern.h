// Ansible's host patterns: unions, &intersections, !exclusions, globs, ~regex, [n] and [a:b]
// subscripts.
//
// Pure. A part that matches nothing is an error with the nearest names: where Ansible runs on
// nothing, we stop.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/inventory/inventory.h"
#include "orchestrator/source/diagnostic.h"

namespace drover {

// Hosts of a play in inventory order. `place` is where the pattern was written.
Parsed<std::vector<std::string>> SelectHosts(const Inventory& inventory, std::string_view pattern,
                                             const Place& place);

// Narrows `hosts` to those that --limit names ("web,!rs2", "@file" lines are read by the caller),
// keeping their order. A limit that matches no host of the inventory is an error; one that matches
// none of `hosts` gives an empty list.
Parsed<std::vector<std::string>> ApplyLimit(const Inventory& inventory,
                                            const std::vector<std::string>& hosts,
                                            std::string_view limit);

}  // namespace drover
