// Undoing a drill's fault, and the two processes that do it by themselves: the guardian in the
// moment when the fault's time is over or nothing was heard within the lease, the watchman a little
// later. Each starts the other anew when it is gone. They have memory and priority of their own,
// and need neither SSH nor the session nor the daemon.
//
// One thread each.
#pragma once

#include <string>

#include "node-helper/fault/drill_board.h"
#include "node-helper/fault/drill_journal.h"
#include "node-helper/fault/drill_parts.h"
#include "node-helper/fault/kernel_undo.h"

namespace drover {

// Undoes all of it, says so on the board and removes the journal; what is left is on the board,
// too. True when nothing is left, also when somebody else had done it. `kernel` may be null.
bool UndoDrill(const DrillParts& parts, const DrillJournal& journal, DrillBoard& board, UndoneBy by,
               KernelUndo* kernel);

// A guard in a process of its own; returns when it is at work. Nothing happens when one is.
Status StartGuard(const DrillParts& parts, const std::string& id, GuardRole role);

// The processes of a drill, as the arguments behind `node-helper drill` name them; they leave the
// session and return when they are at work. The exit code.
//   guard ID guardian|watchman    undoes when it is time
//   undo ID                       undoes now (a timer of systemd)
//   burn ID N                     keeps processors busy until the deadline
//   answer ID PORT                answers HTTP with an error until the deadline
//   reboot ID WAY                 reboots the node in good order
int RunDrillProcess(const DrillParts& parts, const std::vector<std::string>& arguments);

// For the daemon and for sessions that begin: what an earlier boot left is undone, and a drill of
// this boot that nobody guards gets a guard, if `may_guard`. True when there was something to do.
bool LookAfterDrills(const DrillParts& parts, bool may_guard);

}  // namespace drover
