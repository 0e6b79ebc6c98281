// Takes from a node what is recorded for a run's owner, and the helper behind the last one.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"

namespace drover {

TaskResult RunUninstallTask(bool check, ProgramCourse& course, TaskContext& context);

}  // namespace drover
