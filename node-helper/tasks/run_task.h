// One task of a program, from the wire's value to its result: finds the code for it, measures the
// time, and keeps secrets here.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

TaskResult RunTask(const Task& task, ProgramCourse& course, TaskContext& context);

// What may leave the node of a result whose task is secret: that it failed and who has to act, not
// why.
TaskResult WithoutSecrets(TaskResult result);

}  // namespace drover
