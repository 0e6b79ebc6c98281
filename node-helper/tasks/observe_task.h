// Looks at the node for `verify`: what the kernel has, what ip_vs counted, which way answers take.
//
// Changes nothing, and nothing is loaded by looking.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/observation.h"

namespace drover {

TaskResult RunObserveTask(const ObserveTask& task, const TaskContext& context);

}  // namespace drover
