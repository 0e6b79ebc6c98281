#include "node-helper/tasks/transaction_tasks.h"

#include <algorithm>

#include "node-helper/converge/plan.h"
#include "node-helper/tasks/converge_task.h"
#include "node-helper/tasks/ground_digest.h"
#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

TaskResult NoTransactions() {
  return Failed({ErrorCode::kInternal, "this session was made without transactions"});
}

// Who is not root has nothing of Drover's to lock or to go back to.
TaskResult WithoutRights() {
  TaskResult result = Succeeded();
  result.detail = NodeGround{};
  result.message = "without root's rights the node is not locked, and changes are not taken back";
  return result;
}

ChangeText RunChange(const std::string& verb, const RunInfo& run, const std::string& reason) {
  return {verb, "run of " + run.user + " on " + run.control_host, "",
          run.command.empty() ? run.owner : run.command, reason};
}

// What a plan depends on, and where this run stands.
Result<NodeGround> LookAtGround(const ProgramCourse& course, TaskContext& context) {
  NodeGround ground;
  const auto records = context.store->LoadAll();
  if (!records) return Fail(records.error());
  std::vector<std::string> keys;
  for (const OwnerRecord& record : *records) {
    const std::vector<std::string> more = SysctlKeys(record.state);
    keys.insert(keys.end(), more.begin(), more.end());
    if (record.owner == course.run.owner) ground.generation = record.generation;
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const auto kernel = context.kernel(/*check=*/true);
  if (!kernel) return Fail(kernel.error());
  const auto observed = (*kernel)->Observe(keys);
  if (!observed) return Fail(observed.error());
  Overlay overlay;
  if (context.daemon != nullptr && context.daemon->Runs()) {
    overlay = context.daemon->ReadOverlay().value_or(Overlay{});
    if (const auto status = context.daemon->ReadStatus()) {
      for (const InstanceStatus& instance : status->instances) {
        if (instance.state == "master") ground.masters.push_back(instance.name);
      }
    }
  }
  ground.digest = GroundDigest(course.run.owner, *records, *observed, overlay);
  ground.armed = context.transaction->armed();
  return ground;
}

Result<std::optional<GoneBack>> GoBackNow(const std::string& reason, TaskContext& context) {
  auto gone = GoingBack(context.go_back).Run(reason);
  if (gone && *gone && context.tell) context.tell(SummaryOf(**gone));
  return gone;
}

// Another run's changes that nobody confirmed: taken over or taken back.
Status ClearPending(const BeginTask& task, const ProgramCourse& course, NodeGround& ground,
                    std::vector<ChangeText>& done, TaskContext& context) {
  const auto pending = context.transaction->LoadPending();
  if (!pending) return Fail(pending.error());
  if (!*pending) return {};
  const RunInfo& other = (*pending)->run;
  // One that is late goes back now, before its guard does it.
  const bool late = context.transaction->late();
  if (other.run_id == course.run.run_id && !late) return {};
  const bool adopts = task.take_over == other.run_id && !task.take_over.empty() &&
                      other.owner == course.run.owner && !late && task.revert;
  if (adopts) {
    ground.adopted_run = other.run_id;
    return context.transaction->Adopt(**pending);
  }
  const auto gone = GoBackNow("another run begins: " + course.run.command, context);
  if (!gone) return Fail(gone.error());
  if (!*gone) return {};
  done.push_back(RunChange("remove", other, "it was not confirmed"));
  done.insert(done.end(), (*gone)->done.begin(), (*gone)->done.end());
  if ((*gone)->complete()) return {};
  return Fail(ErrorCode::kInternal,
              SummaryOf(**gone) + "; drover unlock --id " + other.run_id + " leaves it as it is");
}

TaskResult Refused(LockHolder holder, const TaskContext& context) {
  TaskResult result =
      Failed({ErrorCode::kUnreachable, LockedText(holder, context.transaction->clock().wall())});
  NodeGround ground;
  ground.holder = std::move(holder);
  result.detail = std::move(ground);
  return result;
}

// Whether the run may adopt or renew, or the lock is somebody else's.
bool MayTake(const LockHolder& holder, const BeginTask& task, const RunInfo& run) {
  return holder.run.run_id == run.run_id ||
         (!task.take_over.empty() && holder.run.run_id == task.take_over);
}

TaskResult OnlyLook(const ProgramCourse& course, const std::optional<LockHolder>& holder,
                    TaskContext& context) {
  auto ground = LookAtGround(course, context);
  if (!ground) return Failed(ground.error());
  TaskResult result = Succeeded();
  result.detail = std::move(*ground);
  if (holder && holder->run.run_id != course.run.run_id) {
    result.message = LockedText(*holder, context.transaction->clock().wall());
  }
  return result;
}

}  // namespace

bool IsAboutTheRun(const TaskAction& action) {
  return std::holds_alternative<BeginTask>(action) || std::holds_alternative<ConfirmTask>(action) ||
         std::holds_alternative<RevertTask>(action) ||
         std::holds_alternative<ReleaseTask>(action) ||
         std::holds_alternative<UnlockTask>(action) ||
         std::holds_alternative<GenerationsTask>(action);
}

std::optional<TaskResult> RefusalOf(const BeginTask& task, const RunInfo& run,
                                    TaskContext& context) {
  if (context.transaction == nullptr || !context.transaction->able()) return std::nullopt;
  const auto holder = context.transaction->Holder();
  if (!holder || !*holder || MayTake(**holder, task, run)) return std::nullopt;
  return Refused(**holder, context);
}

TaskResult RunBeginTask(const BeginTask& task, bool check, const ProgramCourse& course,
                        TaskContext& context) {
  if (context.transaction == nullptr) return NoTransactions();
  if (!context.transaction->able()) return WithoutRights();
  const auto holder = context.transaction->Holder();
  if (!holder) return Failed(holder.error());
  if (check) return OnlyLook(course, *holder, context);
  if (course.run.run_id.empty()) {
    return Failed({ErrorCode::kInvalid, "a run that takes nodes needs a run_id"});
  }
  if (auto refusal = RefusalOf(task, course.run, context)) return *std::move(refusal);
  const bool renews = *holder && (*holder)->run.run_id == course.run.run_id;
  NodeGround cleared;
  std::vector<ChangeText> done;
  const Status clear = ClearPending(task, course, cleared, done, context);
  if (!clear) return Failed(clear.error(), std::move(done));
  auto ground = LookAtGround(course, context);
  if (!ground) return Failed(ground.error(), std::move(done));
  ground->adopted_run = cleared.adopted_run;
  if (!renews && !task.expected_digest.empty() && task.expected_digest != ground->digest) {
    TaskResult stale =
        Failed({ErrorCode::kInvalid, "the plan is stale: this node has changed since it was made"},
               std::move(done));
    stale.detail = std::move(*ground);
    return stale;
  }
  const Status taken = context.transaction->Take(task);
  if (!taken) return Failed(taken.error().In("cannot lock this node"), std::move(done));
  TaskResult result = Succeeded(std::move(done));
  result.detail = std::move(*ground);
  return result;
}

TaskResult RunConfirmTask(bool check, TaskContext& context) {
  if (context.transaction == nullptr) return NoTransactions();
  if (check) return Succeeded();
  const Status confirmed = context.transaction->Confirm();
  return confirmed ? Succeeded() : Failed(confirmed.error());
}

TaskResult RunReleaseTask(bool check, TaskContext& context) {
  if (context.transaction == nullptr) return NoTransactions();
  if (check) return Succeeded();
  const Status released = context.transaction->Release();
  return released ? Succeeded() : Failed(released.error());
}

TaskResult RunRevertTask(const RevertTask& task, bool check, const ProgramCourse& course,
                         TaskContext& context) {
  if (context.transaction == nullptr) return NoTransactions();
  const auto pending = context.transaction->LoadPending();
  if (!pending) return Failed(pending.error());
  if (!*pending || (*pending)->run.run_id != course.run.run_id) {
    if (!check) {
      const Status released = context.transaction->Release();
      if (!released) return Failed(released.error());
    }
    TaskResult result = Succeeded();
    result.message = "nothing of this run is to be taken back";
    return result;
  }
  if (check) return Succeeded({RunChange("remove", (*pending)->run, task.reason)});
  const auto gone = GoBackNow(task.reason, context);
  if (!gone) return Failed(gone.error());
  if (!*gone) return Succeeded();
  if (!(*gone)->complete()) {
    return Failed({ErrorCode::kInternal, SummaryOf(**gone)}, (*gone)->done);
  }
  return Succeeded((*gone)->done);
}

TaskResult RunUnlockTask(const UnlockTask& task, bool check, TaskContext& context) {
  if (context.transaction == nullptr) return NoTransactions();
  const ChangeText change{"remove", "lock " + task.lock_id, "", "", "unlock"};
  if (check) return Succeeded({change});
  auto said = context.transaction->Unlock(task.lock_id);
  if (!said) return Failed(said.error());
  TaskResult result = Succeeded({change});
  result.message = std::move(*said);
  return result;
}

TaskResult RunGenerationsTask(const ProgramCourse& course, TaskContext& context) {
  if (context.transaction == nullptr) return NoTransactions();
  const Generations generations = context.store->GenerationsOf(course.run.owner);
  const auto numbers = generations.Numbers();
  if (!numbers) return Failed(numbers.error());
  const auto current = context.store->Load(course.run.owner);
  if (!current) return Failed(current.error());
  GenerationList list;
  for (const std::uint64_t number : *numbers) {
    const auto record = generations.Load(number);
    if (!record) return Failed(record.error());
    list.generations.push_back({number, record->saved_at, record->run,
                                current->generation == number && current->state == record->state});
  }
  auto holder = context.transaction->Holder();
  if (!holder) return Failed(holder.error());
  list.holder = std::move(*holder);
  TaskResult result = Succeeded();
  result.detail = std::move(list);
  return result;
}

TaskResult RunRestoreTask(const RestoreTask& task, bool check, const ProgramCourse& course,
                          TaskContext& context) {
  auto record = context.store->GenerationsOf(course.run.owner).At(task.generation);
  if (!record) return Failed(record.error());
  const DesiredState state = *record ? (*record)->state : DesiredState();
  TaskResult converged = RunConvergeTask(ConvergeTask{state}, check, course, context);
  if (converged.status == TaskStatus::kFailed) return converged;
  PruneTask prune;
  prune.whole = state;
  TaskResult pruned = RunPruneTask(prune, check, course, context);
  std::move(pruned.changes.begin(), pruned.changes.end(), std::back_inserter(converged.changes));
  pruned.changes = std::move(converged.changes);
  if (pruned.status == TaskStatus::kOk && !pruned.changes.empty()) {
    pruned.status = TaskStatus::kChanged;
  }
  if (pruned.message.empty()) pruned.message = converged.message;
  return pruned;
}

}  // namespace drover
