// One health check as the playbook writes it: {http: {path: /}, interval: 2s, fall: 3}.
//
// Pure.
#pragma once

#include <optional>

#include "orchestrator/compile/arguments.h"
#include "protocol/check_settings.h"

namespace drover {

// A mapping, or the word of a kind that needs no settings ("tcp"). All offences are said.
std::optional<CheckSettings> ReadCheck(const Argument& argument, Arguments& arguments);

}  // namespace drover
