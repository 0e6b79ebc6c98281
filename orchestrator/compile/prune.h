// The task that ends a run on each host: what left the playbook is removed from the node.
//
// Pure.
#pragma once

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/playbook/playbook.h"

namespace drover {

// Appends it to the last play of each host that has cluster tasks, else to the host's last play.
// Hosts that share a VRRP instance but get it in different plays are settled together in a play of
// their own at the end.
void AppendPruning(CompiledRun& run, const Playbook& playbook, bool check, bool diff);

}  // namespace drover
