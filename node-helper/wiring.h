// How the parts of the helper are put together on a real node, for several subcommands.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "node-helper/daemon/daemon.h"
#include "node-helper/fault/drill_parts.h"
#include "node-helper/install/install.h"
#include "node-helper/store/store.h"
#include "node-helper/transaction/guard.h"
#include "node-helper/transaction/transaction.h"

namespace drover {

// Where the helper is installed on this node.
InstallSite ThisNode();
Status TakeServiceAway(std::vector<ChangeText>& changes);

// Syslog, or a file under /run where nobody listens.
void TellTheLog(const std::string& line);

// What of this node is remembered before a run changes it.
std::unique_ptr<UndoKit> UndoOfThisNode(const Store& store);
// `store` and `undo` must outlive what these give.
TransactionParts TransactionOfThisNode(const Store& store, UndoKit* undo);
GuardParts GuardOfThisNode(const Store& store, UndoKit* undo);

// What drills of this node work with. `store` must outlive it.
DrillParts DrillsOfThisNode(const Store& store);

// The daemon as the second who sees to it that a run which is not confirmed is taken back.
void LookAfterRuns(const Store& store, DaemonParts& parts);

}  // namespace drover
