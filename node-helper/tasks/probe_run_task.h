// The prober's side of a drill: probes for a while, watches who has the VIPs, tells its progress.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

TaskResult RunProbeRunTask(const Task& task, const ProbeRunTask& action, TaskContext& context);

}  // namespace drover
