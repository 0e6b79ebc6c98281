#include "node-helper/tasks/uninstall_task.h"

#include <algorithm>

#include "node-helper/tasks/converge_task.h"
#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

const ChangeText kHelper{"remove", "node-helper, its service and its files", "", "",
                         "nothing else is recorded here"};

Result<bool> OthersAreRecorded(const TaskContext& context, const std::string& owner) {
  const auto records = context.store->LoadAll();
  if (!records) return Fail(records.error());
  return std::any_of(records->begin(), records->end(),
                     [&](const OwnerRecord& record) { return record.owner != owner; });
}

TaskResult WouldRemove(bool others, ProgramCourse& course, TaskContext& context) {
  TaskResult result = RunPruneTask(PruneTask{}, /*check=*/true, course, context);
  if (result.status == TaskStatus::kFailed || others) return result;
  result.status = TaskStatus::kChanged;
  result.changes.push_back(kHelper);
  return result;
}

}  // namespace

TaskResult RunUninstallTask(bool check, ProgramCourse& course, TaskContext& context) {
  const std::string& owner = course.run.owner;
  const auto others = OthersAreRecorded(context, owner);
  if (!others) return Failed(others.error());
  if (check) return WouldRemove(*others, course, context);
  const auto kernel = context.kernel(/*check=*/false);
  if (!kernel) return Failed(kernel.error());
  std::vector<ChangeText> changes;
  if (const Status released = ReleaseOwner(**kernel, *context.store, owner, changes); !released) {
    return Failed(released.error(), std::move(changes));
  }
  if (*others) {
    // Lets go of what is no longer recorded. One that does not answer looks by itself.
    if (context.daemon != nullptr && context.daemon->Runs()) [[maybe_unused]]
      const auto told = context.daemon->Reload();
    return Succeeded(std::move(changes));
  }
  if (!context.remove_helper) return Succeeded(std::move(changes));
  const Status removed = context.remove_helper(changes);
  return removed ? Succeeded(std::move(changes)) : Failed(removed.error(), std::move(changes));
}

}  // namespace drover
