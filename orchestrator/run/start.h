// What every command that reaches hosts begins with: who we are, and how sessions come about.
#pragma once

#include <string>

#include "orchestrator/run/command_line.h"
#include "orchestrator/run/host_worker.h"
#include "protocol/program.h"

namespace drover {

// "2026-01-31T12:00:00.000000Z".
std::string UtcNow();
// User, control host and a fresh run id; owner and playbook are left empty.
RunInfo WhoRuns();
// Opens sessions as the command line says, telling what -v and --debug wire ask for on stderr.
SessionOpener OpenerOf(const CommandLine& line, const std::string& helper);

}  // namespace drover
