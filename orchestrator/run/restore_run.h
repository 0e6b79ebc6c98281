// A run whose programs bring hosts back to an earlier generation, in place of a playbook's tasks.
//
// Pure.
#pragma once

#include <set>
#include <string>

#include "orchestrator/cluster/generations.h"
#include "orchestrator/compile/compiled_run.h"

namespace drover {

// `hosts` in plays one after the other: those without VRRP instances, directors that are backups,
// then `masters`. Connections, states and names are those of `run`, the playbook's hash is that of
// the generation.
CompiledRun RestoreRun(const CompiledRun& run, const GroupGeneration& generation,
                       const std::set<std::string>& hosts, const std::set<std::string>& masters,
                       bool check, bool diff);

}  // namespace drover
