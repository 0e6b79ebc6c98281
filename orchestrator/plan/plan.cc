#include "orchestrator/plan/plan.h"

#include <algorithm>
#include <utility>

namespace drover {
namespace {

constexpr const char* kGroundTask = "look at the node";

// The task of a result; null when it was skipped before any host was asked.
const Task* TaskOf(const CompiledRun& run, const TaskPlace& place) {
  const auto& hosts = run.plays[place.play].tasks[place.task].hosts;
  const auto items = hosts.find(place.host);
  if (items == hosts.end() || place.item >= items->second.size()) return nullptr;
  return std::get_if<Task>(&items->second[place.item].action);
}

// A command of which a check run cannot say what it would do.
bool IsUnknown(const Task* task, const HostResult& result) {
  const auto* command = task == nullptr ? nullptr : std::get_if<CommandTask>(&task->action);
  return command != nullptr && command->reports_change &&
         result.result.status == TaskStatus::kSkipped;
}

}  // namespace

PlanCounts CountsOf(const HostPlans& plans) {
  PlanCounts counts;
  for (const auto& [host, plan] : plans) {
    ++counts.hosts;
    counts.hosts_changed += plan.changes.empty() ? 0 : 1;
    for (const PlannedChange& planned : plan.changes) {
      const std::string& verb = planned.change.verb;
      ++(verb == "add" ? counts.add : verb == "remove" ? counts.remove : counts.change);
    }
  }
  return counts;
}

bool IsWhole(const HostPlans& plans) {
  return std::all_of(plans.begin(), plans.end(),
                     [](const auto& plan) { return plan.second.problem.empty(); });
}

void AskForGround(CompiledRun& run) {
  std::uint32_t id = 0;
  CompiledPlay look;
  look.name = kGroundTask;
  CompiledTask task;
  task.name = kGroundTask;
  task.module = "plan";
  task.implicit = true;
  for (const CompiledPlay& play : run.plays) {
    for (const std::string& host : play.hosts) {
      if (std::find(look.hosts.begin(), look.hosts.end(), host) == look.hosts.end()) {
        look.hosts.push_back(host);
      }
    }
    for (const CompiledTask& other : play.tasks) {
      for (const auto& [host, items] : other.hosts) {
        for (const HostTask& item : items) {
          const auto* known = std::get_if<Task>(&item.action);
          id = known == nullptr ? id : std::max(id, known->id);
        }
      }
    }
  }
  for (const std::string& host : look.hosts) {
    Task begin;
    begin.id = ++id;
    begin.name = kGroundTask;
    begin.action = BeginTask{};
    begin.check = true;
    HostTask item;
    item.action = std::move(begin);
    task.hosts[host].push_back(std::move(item));
  }
  look.tasks.push_back(std::move(task));
  run.plays.insert(run.plays.begin(), std::move(look));
}

PlanCollector::PlanCollector(const CompiledRun& run) : run_(run) {
  for (const CompiledPlay& play : run.plays) {
    for (const std::string& host : play.hosts) plans_.try_emplace(host);
  }
}

void PlanCollector::Add(const Shown& shown) {
  const auto* result = std::get_if<HostResult>(&shown);
  if (result == nullptr) return;
  HostPlan& plan = plans_[result->place.host];
  const CompiledTask& task = run_.plays[result->place.play].tasks[result->place.task];
  if (const auto* ground = std::get_if<NodeGround>(&result->result.detail)) {
    plan.digest = ground->digest;
  }
  if (result->result.status == TaskStatus::kFailed && !result->ignored) {
    plan.problem = task.name + ": " + result->result.message;
    plan.unreachable = result->unreachable;
    return;
  }
  if (IsUnknown(TaskOf(run_, result->place), *result)) plan.unknown.push_back(task.name);
  if (result->result.status != TaskStatus::kChanged) return;
  std::optional<FileDiff> diff;
  if (const auto* file = std::get_if<FileDiff>(&result->result.detail)) diff = *file;
  for (const ChangeText& change : result->result.changes) {
    plan.changes.push_back({task.name, change, std::exchange(diff, std::nullopt)});
  }
  // no_log: only that there is a change is told.
  if (result->result.changes.empty()) {
    plan.changes.push_back({task.name, {.verb = "change", .resource = task.module}, {}});
  }
}

}  // namespace drover
