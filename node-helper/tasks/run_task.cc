#include "node-helper/tasks/run_task.h"

#include <chrono>

#include "node-helper/tasks/command_task.h"
#include "node-helper/tasks/converge_task.h"
#include "node-helper/tasks/daemon_tasks.h"
#include "node-helper/tasks/drill_tasks.h"
#include "node-helper/tasks/file_task.h"
#include "node-helper/tasks/maintenance_task.h"
#include "node-helper/tasks/observe_task.h"
#include "node-helper/tasks/outcome.h"
#include "node-helper/tasks/package_task.h"
#include "node-helper/tasks/probe_run_task.h"
#include "node-helper/tasks/probe_task.h"
#include "node-helper/tasks/service_task.h"
#include "node-helper/tasks/transaction_tasks.h"
#include "node-helper/tasks/uninstall_task.h"
#include "node-helper/tasks/wait_task.h"

namespace drover {
namespace {

struct Dispatch {
  const Task& task;
  ProgramCourse& course;
  TaskContext& context;

  TaskResult operator()(const ConvergeTask& action) const {
    return RunConvergeTask(action, task.check, course, context);
  }
  TaskResult operator()(const PruneTask& action) const {
    return RunPruneTask(action, task.check, course, context);
  }
  TaskResult operator()(const CommandTask& action) const {
    return RunCommandTask(task, action, course, context);
  }
  TaskResult operator()(const FileTask& action) const {
    return RunFileTask(task, action, course, context);
  }
  TaskResult operator()(const PackageTask& action) const {
    return RunPackageTask(task, action, course, context);
  }
  TaskResult operator()(const ServiceTask& action) const {
    return RunServiceTask(task, action, course, context);
  }
  TaskResult operator()(const WaitForTask& action) const {
    return RunWaitForTask(task, action, context);
  }
  TaskResult operator()(const ObserveTask& action) const { return RunObserveTask(action, context); }
  TaskResult operator()(const StatusTask& /*action*/) const { return RunStatusTask(context); }
  TaskResult operator()(const HandoverTask& action) const {
    return RunHandoverTask(action, task.check, context);
  }
  TaskResult operator()(const ProbeTask& action) const {
    return RunProbeTask(task, action, kProbePortFile, context.abandoned);
  }
  TaskResult operator()(const BeginTask& action) const {
    return RunBeginTask(action, task.check, course, context);
  }
  TaskResult operator()(const ConfirmTask& /*action*/) const {
    return RunConfirmTask(task.check, context);
  }
  TaskResult operator()(const RevertTask& action) const {
    return RunRevertTask(action, task.check, course, context);
  }
  TaskResult operator()(const ReleaseTask& /*action*/) const {
    return RunReleaseTask(task.check, context);
  }
  TaskResult operator()(const UnlockTask& action) const {
    return RunUnlockTask(action, task.check, context);
  }
  TaskResult operator()(const GenerationsTask& /*action*/) const {
    return RunGenerationsTask(course, context);
  }
  TaskResult operator()(const RestoreTask& action) const {
    return RunRestoreTask(action, task.check, course, context);
  }
  TaskResult operator()(const UninstallTask& /*action*/) const {
    return RunUninstallTask(task.check, course, context);
  }
  TaskResult operator()(const DrillLookTask& action) const {
    return RunDrillLookTask(action, context);
  }
  TaskResult operator()(const DrillArmTask& action) const {
    return RunDrillArmTask(action, task.check, context);
  }
  TaskResult operator()(const DrillInjectTask& action) const {
    return RunDrillInjectTask(action, task.check, context);
  }
  TaskResult operator()(const DrillUndoTask& action) const {
    return RunDrillUndoTask(action, task.check, context);
  }
  TaskResult operator()(const ProbeRunTask& action) const {
    return RunProbeRunTask(task, action, context);
  }
  TaskResult operator()(const MaintenanceTask& action) const {
    return RunMaintenanceTask(action, task.check, context);
  }
};

}  // namespace

TaskResult WithoutSecrets(TaskResult result) {
  if (!result.message.empty()) result.message = "the reason is hidden because of no_log";
  result.changes.clear();
  result.detail = std::monostate();
  return result;
}

TaskResult RunTask(const Task& task, ProgramCourse& course, TaskContext& context) {
  const auto started = std::chrono::steady_clock::now();
  TaskResult result = std::visit(Dispatch{task, course, context}, task.action);
  if (task.secret) result = WithoutSecrets(std::move(result));
  result.task = task.id;
  result.duration = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - started);
  return result;
}

}  // namespace drover
