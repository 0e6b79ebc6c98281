#include "node-helper/tasks/drill_tasks.h"

#include <utility>

#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

TaskResult NoDrills() {
  return Failed({ErrorCode::kInvalid, "drills need the whole helper, and this is a part of it"});
}

template <typename Answer>
TaskResult ResultOf(Result<Answer> answer) {
  if (!answer) return Failed(answer.error());
  TaskResult result = Succeeded();
  result.detail = std::move(*answer);
  return result;
}

// Faults are not pretended: a look says what is in their way.
TaskResult OnlyForReal() { return Skipped("faults are injected and undone for real only"); }

}  // namespace

TaskResult RunDrillLookTask(const DrillLookTask& task, TaskContext& context) {
  return context.drills == nullptr ? NoDrills() : ResultOf(context.drills->Look(task.order));
}

TaskResult RunDrillArmTask(const DrillArmTask& task, bool check, TaskContext& context) {
  if (check) return OnlyForReal();
  return context.drills == nullptr ? NoDrills() : ResultOf(context.drills->Arm(task));
}

TaskResult RunDrillInjectTask(const DrillInjectTask& task, bool check, TaskContext& context) {
  if (check) return OnlyForReal();
  return context.drills == nullptr ? NoDrills() : ResultOf(context.drills->Inject(task));
}

TaskResult RunDrillUndoTask(const DrillUndoTask& task, bool check, TaskContext& context) {
  if (check) return OnlyForReal();
  return context.drills == nullptr ? NoDrills() : ResultOf(context.drills->Undo(task));
}

}  // namespace drover
