// How a host is reached, by Ansible's behavioural variables and their order: inventory variables,
// then the play's keywords, then the command line.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/compile/compile.h"
#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/playbook/playbook.h"
#include "orchestrator/template/variables.h"

namespace drover {

// `known`: false for localhost when no inventory names it, which is reached without SSH. Offences
// are added to `diagnostics`, settings that have no effect to `warnings`.
HostConnection WorkOutConnection(const std::string& host, bool known, const Play& play,
                                 const CompileOptions& options, Variables& variables,
                                 const Place& place, Diagnostics& diagnostics,
                                 Diagnostics& warnings);

}  // namespace drover
