#include "node-helper/tasks/converge_task.h"

#include <iterator>

#include "node-helper/converge/converge.h"
#include "node-helper/converge/plan.h"
#include "node-helper/store/ownership.h"
#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

// The record of the run's owner and those of everybody else.
struct Records {
  OwnerRecord own;
  std::vector<OwnerRecord> others;
};

Result<Records> LoadRecords(const Store& store, const std::string& owner) {
  auto all = store.LoadAll();
  if (!all) {
    Error error = all.error();
    if (error.code == ErrorCode::kDenied) error.message += "; this needs root (become: true)";
    return Fail(std::move(error));
  }
  Records records;
  records.own.owner = owner;
  for (OwnerRecord& record : *all) {
    if (record.owner == owner) {
      records.own = std::move(record);
    } else {
      records.others.push_back(std::move(record));
    }
  }
  return records;
}

std::vector<ChangeText> InWords(const std::vector<Change>& changes) {
  std::vector<ChangeText> texts;
  for (const Change& change : changes) texts.push_back(Describe(change));
  return texts;
}

TaskResult FromReport(const ConvergeReport& report) {
  std::vector<ChangeText> done = InWords(report.done);
  if (report.ok()) return Succeeded(std::move(done));
  Error error = *report.error;
  const std::size_t count = done.size();
  if (count > 0) {
    error.message += " (" + std::to_string(count) + (count == 1 ? " change" : " changes") +
                     " before it " + (count == 1 ? "was" : "were") + " made)";
  }
  return Failed(std::move(error), std::move(done));
}

Status SaveIfDifferent(const Store& store, OwnerRecord record, const OwnerRecord& old,
                       const RunInfo& run) {
  if (SameContent(record, old)) return {};
  record.run = run;
  return store.Save(record);
}

// What can be told beforehand: settings, interfaces and modules that are not there.
Status Rehearse(Kernel& kernel, const DesiredState& wanted, const DesiredState& observed) {
  const auto plan = Plan(wanted, observed);
  if (!plan) return Fail(plan.error());
  for (const Change& change : *plan) {
    if (const Status possible = kernel.Rehearse(change); !possible) return possible;
  }
  return {};
}

}  // namespace

TaskResult RunConvergeTask(const ConvergeTask& task, bool check, const ProgramCourse& course,
                           TaskContext& context) {
  if (task.state.empty()) return Succeeded();
  const auto kernel = context.kernel(check);
  if (!kernel) return Failed(kernel.error());
  const auto records = LoadRecords(*context.store, course.run.owner);
  if (!records) return Failed(records.error());
  const auto observed = (*kernel)->Observe(SysctlKeys(task.state));
  if (!observed) return Failed(observed.error());
  // What the kernel would refuse anyway is neither begun nor recorded.
  if (const Status possible = Rehearse(**kernel, task.state, *observed); !possible) {
    return Failed(possible.error());
  }
  const auto claimed = Claim(records->own, task.state, *observed, records->others);
  if (!claimed) return Failed(claimed.error());
  if (!check) {
    const Status saved = SaveIfDifferent(*context.store, *claimed, records->own, course.run);
    if (!saved) return Failed(saved.error().In("nothing was changed"));
  }
  return FromReport(Converge(**kernel, task.state));
}

TaskResult RunPruneTask(const PruneTask& task, bool check, const ProgramCourse& course,
                        TaskContext& context) {
  const auto records = LoadRecords(*context.store, course.run.owner);
  if (!records) return Failed(records.error());
  std::vector<ChangeText> changes;
  const DesiredState mine = HeldAlone(records->own, records->others);
  if (!mine.empty()) {
    const auto kernel = context.kernel(check);
    if (!kernel) return Failed(kernel.error());
    TaskResult pruned =
        FromReport(Prune(**kernel, mine, task.whole, records->own.original_sysctls));
    if (pruned.status == TaskStatus::kFailed) return pruned;
    changes = std::move(pruned.changes);
  }
  const OwnerRecord concluded = Conclude(records->own, task.whole);
  if (!check) {
    const Status saved = SaveIfDifferent(*context.store, concluded, records->own, course.run);
    if (!saved) return Failed(saved.error(), std::move(changes));
  }
  const bool keeps = check ? !task.whole.empty() : !concluded.state.empty();
  if (keeps && context.ensure_service) {
    auto installed = context.ensure_service(check);
    if (!installed) {
      return Failed(installed.error().In("the state is set but would not survive a reboot"),
                    std::move(changes));
    }
    std::move(installed->begin(), installed->end(), std::back_inserter(changes));
  }
  return Succeeded(std::move(changes));
}

Status ReleaseOwner(Kernel& kernel, const Store& store, const std::string& owner,
                    std::vector<ChangeText>& changes) {
  const auto records = LoadRecords(store, owner);
  if (!records) return Fail(records.error());
  const DesiredState mine = HeldAlone(records->own, records->others);
  const ConvergeReport report =
      Prune(kernel, mine, Adopted(records->own), records->own.original_sysctls);
  for (ChangeText& text : InWords(report.done)) {
    text.reason = "made for " + owner;
    changes.push_back(std::move(text));
  }
  if (report.error) return Fail(*report.error);
  return store.Remove(owner);
}

}  // namespace drover
