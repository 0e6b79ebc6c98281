// Services of the init system: systemd where it runs, scripts in /etc/init.d elsewhere.
//
// A service that is already as wanted is left alone. `restarted` and `reloaded` start one that does
// not run, as Ansible does.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

TaskResult RunServiceTask(const Task& task, const ServiceTask& service, const ProgramCourse& course,
                          TaskContext& context);

}  // namespace drover
