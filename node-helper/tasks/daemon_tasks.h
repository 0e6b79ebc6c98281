// The tasks that are the daemon's: what it says about itself, and moving VRRP instances on purpose.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

// What a task fails with that needs the daemon.
TaskResult DaemonDoesNotRun();

TaskResult RunStatusTask(TaskContext& context);
TaskResult RunHandoverTask(const HandoverTask& task, bool check, TaskContext& context);

}  // namespace drover
