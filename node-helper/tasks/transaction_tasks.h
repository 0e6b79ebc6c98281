// The tasks about the run as a whole: it takes the node, it is confirmed, taken back or released;
// locks are taken away by their id, generations are listed and made the desired state again.
#pragma once

#include <optional>

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

// The answer to a begin that another run is in the way of; nothing: it may begin. Only looks, so it
// needs no session lock.
std::optional<TaskResult> RefusalOf(const BeginTask& task, const RunInfo& run,
                                    TaskContext& context);
TaskResult RunBeginTask(const BeginTask& task, bool check, const ProgramCourse& course,
                        TaskContext& context);
TaskResult RunConfirmTask(bool check, TaskContext& context);
TaskResult RunRevertTask(const RevertTask& task, bool check, const ProgramCourse& course,
                         TaskContext& context);
TaskResult RunReleaseTask(bool check, TaskContext& context);
TaskResult RunUnlockTask(const UnlockTask& task, bool check, TaskContext& context);
TaskResult RunGenerationsTask(const ProgramCourse& course, TaskContext& context);
TaskResult RunRestoreTask(const RestoreTask& task, bool check, const ProgramCourse& course,
                          TaskContext& context);

// The tasks that decide for themselves whether another run's lock is in their way.
bool IsAboutTheRun(const TaskAction& action);

}  // namespace drover
