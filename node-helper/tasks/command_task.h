// Runs a command of the playbook, with Ansible's rules: `creates` and `removes` decide whether it
// is needed, check mode does not run it, an exit code other than 0 is a failure.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

TaskResult RunCommandTask(const Task& task, const CommandTask& command, ProgramCourse& course,
                          TaskContext& context);

}  // namespace drover
