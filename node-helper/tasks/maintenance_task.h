// Hosts of a director's services under maintenance, and the director itself: remembered first, then
// carried out by the daemon, which is told at once.
//
// One thread at a time.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/transaction.h"

namespace drover {

// Asking again for what is so already changes nothing. A director that is to be put under
// maintenance itself hands its instances over first; if nobody takes them it stays as it was.
TaskResult RunMaintenanceTask(const MaintenanceTask& task, bool check, TaskContext& context);

}  // namespace drover
