// Waits for a port to open or close, or for a path to appear or vanish. Changes nothing; in check
// mode it looks once.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

TaskResult RunWaitForTask(const Task& task, const WaitForTask& wait, TaskContext& context);

}  // namespace drover
