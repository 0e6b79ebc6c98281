#include "node-helper/tasks/maintenance_task.h"

#include <algorithm>
#include <iterator>

#include "node-helper/store/maintenance.h"
#include "node-helper/tasks/daemon_tasks.h"
#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

constexpr std::chrono::seconds kTablesAgree{10};  // connection tables of directors that are well

std::string Effect(const Maintenance& maintenance) {
  if (maintenance.addresses.empty()) return "its VRRP instances are handed over";
  std::string addresses;
  for (const IpAddress& address : maintenance.addresses) {
    addresses += (addresses.empty() ? "" : ", ") + address.ToString();
  }
  return "weight 0 for " + addresses;
}

// Who asked for it, and when, does not matter.
bool Same(const Maintenance& left, const Maintenance& right) {
  return left.host == right.host && left.addresses == right.addresses &&
         left.reason == right.reason;
}

// The list as it will be, and what is different about it; empty: nothing.
struct Turn {
  std::vector<Maintenance> list;
  std::vector<ChangeText> changes;
};
Turn TurnOf(std::vector<Maintenance> list, const MaintenanceTask& task) {
  const Maintenance& wanted = task.maintenance;
  const std::string resource = "maintenance of " + wanted.host;
  const auto known = std::find_if(list.begin(), list.end(), [&](const Maintenance& other) {
    return other.host == wanted.host;
  });
  const std::string before = known == list.end() ? "" : Effect(*known);
  if (!task.on) {
    if (known == list.end()) return {};
    list.erase(known);
    return {std::move(list), {{"remove", resource, before, "", wanted.reason}}};
  }
  if (known == list.end()) {
    list.push_back(wanted);
    return {std::move(list), {{"add", resource, "", Effect(wanted), wanted.reason}}};
  }
  if (Same(*known, wanted)) return {};
  *known = wanted;
  return {std::move(list), {{"change", resource, before, Effect(wanted), wanted.reason}}};
}

// The daemon reads the list, and says afterwards that it has it.
Status TellDaemon(const std::vector<Maintenance>& list, DaemonLink& daemon) {
  if (const auto told = daemon.Reload(); !told) return Fail(told.error());
  const auto status = daemon.ReadStatus();
  if (!status) return Fail(status.error());
  if (status->maintenance == list) return {};
  return Fail(ErrorCode::kInvalid,
              "the helper's daemon on this node knows nothing of maintenance: it is of an earlier "
              "version (a rollout upgrades it)");
}

}  // namespace

TaskResult RunMaintenanceTask(const MaintenanceTask& task, bool check, TaskContext& context) {
  if (context.daemon == nullptr || !context.daemon->Runs()) return DaemonDoesNotRun();
  auto before = LoadMaintenance(*context.store);
  if (!before) return Failed(before.error());
  Turn turn = TurnOf(*before, task);
  if (turn.changes.empty()) return Succeeded();
  std::vector<ChangeText> changes = std::move(turn.changes);
  const bool self = task.maintenance.addresses.empty();
  const auto move = [&](HandoverMove which) {
    return RunHandoverTask(HandoverTask{which, {}, kTablesAgree}, check, context);
  };
  if (self && task.on) {
    TaskResult moved = move(HandoverMove::kYield);
    if (moved.status == TaskStatus::kFailed) return moved;
    std::move(moved.changes.begin(), moved.changes.end(), std::back_inserter(changes));
  }
  if (check) return Succeeded(std::move(changes));
  if (const Status saved = SaveMaintenance(*context.store, turn.list); !saved) {
    if (self && task.on) move(HandoverMove::kReturn);
    return Failed(saved.error().In("nothing was changed"));
  }
  if (const Status told = TellDaemon(turn.list, *context.daemon); !told) {
    [[maybe_unused]] const Status back = SaveMaintenance(*context.store, *before);
    if (self && task.on) move(HandoverMove::kReturn);
    return Failed(told.error());
  }
  if (self && !task.on) {
    TaskResult moved = move(HandoverMove::kReturn);
    if (moved.status == TaskStatus::kFailed) return moved;
    std::move(moved.changes.begin(), moved.changes.end(), std::back_inserter(changes));
  }
  return Succeeded(std::move(changes));
}

}  // namespace drover
