// What the VRRP modules read alike: names, interfaces, and what an instance or group tracks.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compile/module_context.h"
#include "protocol/vrrp_settings.h"

namespace drover {

// 1 to 64 characters without blanks; required.
std::optional<std::string> ReadName(const std::string& key, Arguments& arguments);
std::optional<std::string> ReadInterface(const std::string& key, Arguments& arguments,
                                         bool required);
// "track": names, or mappings of name and weight; each has to be a tracker of the host (checked
// when all tasks are known).
std::vector<TrackedBy> ReadTrack(Arguments& arguments, bool weights, ModuleContext& context);

}  // namespace drover
