// The tasks of a drill on a node that may be its target.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

TaskResult RunDrillLookTask(const DrillLookTask& task, TaskContext& context);
TaskResult RunDrillArmTask(const DrillArmTask& task, bool check, TaskContext& context);
TaskResult RunDrillInjectTask(const DrillInjectTask& task, bool check, TaskContext& context);
TaskResult RunDrillUndoTask(const DrillUndoTask& task, bool check, TaskContext& context);

}  // namespace drover
