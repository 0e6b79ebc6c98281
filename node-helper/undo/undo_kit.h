// All that Drover can put back on a node, in the order of going back: packet filters first, because
// they may cut off the rest; interfaces, the settings of the network, then addresses, routes and
// rules; the SSH server; files, and the services that read them.
#pragma once

#include "node-helper/net/network_plan.h"
#include "node-helper/tasks/process.h"
#include "node-helper/transaction/undo_part.h"

namespace drover {

UndoKit MakeUndoKit(const HeldNow& held, const ProcessRunner& run);

}  // namespace drover
