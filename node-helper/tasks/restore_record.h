// The part of going back that is Drover's own: kernel and daemon become what the record before a
// run says.
#pragma once

#include <optional>
#include <vector>

#include "node-helper/converge/kernel.h"
#include "node-helper/store/store.h"
#include "node-helper/tasks/daemon_link.h"
#include "protocol/change.h"

namespace drover {

// Sets what `previous` names (none: nothing) and removes what only `undone` names, but not what was
// on the node before Drover came. The store has `previous` already; a daemon that runs is told.
// Goes on after a failure; the error is the first. `daemon` may be null.
Status RestoreRecord(Kernel& kernel, const Store& store, DaemonLink* daemon,
                     const std::optional<OwnerRecord>& previous, const OwnerRecord& undone,
                     std::vector<ChangeText>& done);

}  // namespace drover
