// What --list-hosts, --list-tasks, --list-tags and --syntax-check print, as ansible-playbook does.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/playbook/playbook.h"
#include "orchestrator/run/command_line.h"

namespace drover {

std::string ListingText(const Playbook& playbook, const CompiledRun& run, const CommandLine& line);

}  // namespace drover
