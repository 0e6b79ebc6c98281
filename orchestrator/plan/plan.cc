#include "orchestrator/plan/plan.h"

#include <algorithm>
#include <utility>

namespace drover {
namespace {

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

HostPlans PlanCollector::TakePlans(const std::map<std::string, NodeGround>& grounds) {
  for (const auto& [host, ground] : grounds) plans_[host].digest = ground.digest;
  return std::move(plans_);
}

}  // namespace drover
