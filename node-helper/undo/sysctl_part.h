// The kernel's settings of the network (net.*) before a run: a wrong one cuts a node off as well as
// a wrong route does.
//
// One thread at a time. Keys and seeds are not remembered, nor is what can only be read or only be
// written.
#pragma once

#include "node-helper/net/network_plan.h"
#include "node-helper/net/sysctl_files.h"
#include "node-helper/transaction/undo_part.h"

namespace drover {

// "sysctls". Settings of interfaces that `held` says are another's are left alone; so are those of
// interfaces that are gone or that came with the run.
std::unique_ptr<UndoPart> MakeSysctlPart(HeldNow held, SysctlFiles files = SysctlFiles());

}  // namespace drover
