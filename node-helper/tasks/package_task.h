// Packages of the distribution: looks first, and calls the package manager only when something is
// to be done.
//
// `update_cache` refreshes the lists only then, too; with `latest` always, because nothing else can
// tell what the latest is.
#pragma once

#include "node-helper/tasks/package_manager.h"
#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

TaskResult RunPackageTask(const Task& task, const PackageTask& package, ProgramCourse& course,
                          TaskContext& context);

// The same on a given manager.
TaskResult RunPackageTask(const Task& task, const PackageTask& package, ProgramCourse& course,
                          PackageManager& manager, TaskContext& context);

}  // namespace drover
