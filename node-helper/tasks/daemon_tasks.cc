#include "node-helper/tasks/daemon_tasks.h"

#include <algorithm>
#include <thread>

#include "node-helper/tasks/outcome.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLook{50};
constexpr milliseconds kSlack{2000};
constexpr double kEnoughHeld = 0.99;
constexpr double kEnoughCounted = 0.9;  // short ones are not told to the peer

std::string NameFor(const InstanceStatus& instance) { return "vrrp_instance " + instance.name; }

bool IsMaster(const InstanceStatus& instance) { return instance.state == "master"; }

const InstanceStatus* Find(const NodeStatus& status, const std::string& name) {
  const auto found =
      std::find_if(status.instances.begin(), status.instances.end(),
                   [&](const InstanceStatus& instance) { return instance.name == name; });
  return found == status.instances.end() ? nullptr : &*found;
}

// The instances that are meant, as they are now.
Result<std::vector<InstanceStatus>> Meant(const NodeStatus& status,
                                          const std::vector<std::string>& names) {
  if (names.empty()) return status.instances;
  std::vector<InstanceStatus> meant;
  for (const std::string& name : names) {
    const InstanceStatus* instance = Find(status, name);
    if (instance == nullptr) {
      return Fail(ErrorCode::kNotFound, "vrrp_instance " + name + ": there is none on this node");
    }
    meant.push_back(*instance);
  }
  return meant;
}

// What the move will change, from how things are.
std::vector<ChangeText> Foreseen(HandoverMove move, const std::vector<InstanceStatus>& meant) {
  std::vector<ChangeText> changes;
  for (const InstanceStatus& instance : meant) {
    if (move == HandoverMove::kYield && IsMaster(instance)) {
      changes.push_back({"change", NameFor(instance), "master", "backup", "handover"});
    }
    if (move == HandoverMove::kReturn && instance.yielded) {
      changes.push_back({"change", NameFor(instance), "handed over",
                         "may be master again, as its settings say", "return"});
    }
  }
  return changes;
}

// True when every peer's connections are here and it has about as many as we, or nobody counts.
bool TablesAgree(const NodeStatus& status) {
  if (!status.sync) return true;
  const auto enough = static_cast<double>(status.sync->connections) * kEnoughCounted;
  return std::all_of(
      status.sync->peers.begin(), status.sync->peers.end(), [&](const SyncPeerStatus& peer) {
        return peer.held >= kEnoughHeld && static_cast<double>(peer.connections) >= enough;
      });
}

// Looks until nothing is missing; says what is when time is up.
Status Await(TaskContext& context, milliseconds patience,
             const std::function<std::string(const NodeStatus&)>& missing) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    const auto status = context.daemon->ReadStatus();
    if (!status) return Fail(status.error());
    const std::string open = missing(*status);
    if (open.empty()) return {};
    if (Clock::now() >= deadline) return Fail(ErrorCode::kTimeout, open);
    if (context.abandoned()) return Fail(ErrorCode::kUnreachable, open + "; no longer waited for");
    std::this_thread::sleep_for(kLook);
  }
}

std::vector<std::string> NamesOf(const std::vector<InstanceStatus>& meant) {
  std::vector<std::string> names;
  for (const InstanceStatus& instance : meant) names.push_back(instance.name);
  return names;
}

// Until a new master was heard by every instance that was one. A yield that nobody takes up is
// taken back, so that the node is as before.
Status Yield(const std::vector<InstanceStatus>& masters, bool with_run, TaskContext& context) {
  const std::vector<std::string> names = NamesOf(masters);
  if (Status told = context.daemon->Move(HandoverMove::kYield, names, with_run); !told) return told;
  milliseconds patience = kSlack;
  for (const InstanceStatus& instance : masters) {
    patience = std::max(patience, 2 * instance.master_down + kSlack);
  }
  const Status done = Await(context, patience, [&](const NodeStatus& status) -> std::string {
    for (const std::string& name : names) {
      const InstanceStatus* now = Find(status, name);
      if (now != nullptr && (IsMaster(*now) || !now->master)) {
        return "vrrp_instance " + name + ": no backup took over in " +
               std::to_string(patience.count()) + " ms, this node goes on serving";
      }
    }
    return "";
  });
  if (!done) {
    [[maybe_unused]] const Status back =
        context.daemon->Move(HandoverMove::kReturn, names, /*with_run=*/false);
  }
  return done;
}

}  // namespace

TaskResult DaemonDoesNotRun() {
  return Failed(Error{ErrorCode::kNotFound,
                      "the helper's daemon does not run on this node (a rollout starts it)"});
}

TaskResult RunStatusTask(TaskContext& context) {
  if (context.daemon == nullptr || !context.daemon->Runs()) return DaemonDoesNotRun();
  auto status = context.daemon->ReadStatus();
  if (!status) return Failed(status.error());
  TaskResult result = Succeeded();
  result.detail = std::move(*status);
  return result;
}

TaskResult RunHandoverTask(const HandoverTask& task, bool check, TaskContext& context) {
  if (context.daemon == nullptr || !context.daemon->Runs()) return DaemonDoesNotRun();
  const auto status = context.daemon->ReadStatus();
  if (!status) return Failed(status.error());
  const auto meant = Meant(*status, task.instances);
  if (!meant) return Failed(meant.error());
  std::vector<ChangeText> changes = Foreseen(task.move, *meant);
  if (check || changes.empty()) return Succeeded(std::move(changes));
  if (task.move == HandoverMove::kReturn) {
    const Status told =
        context.daemon->Move(HandoverMove::kReturn, NamesOf(*meant), /*with_run=*/false);
    return told ? Succeeded(std::move(changes)) : Failed(told.error());
  }
  if (task.sync_wait.count() > 0) {
    const Status agreed = Await(context, task.sync_wait, [](const NodeStatus& now) {
      return std::string(TablesAgree(now) ? "" : "the connection tables do not agree yet");
    });
    if (!agreed) return Failed(agreed.error());
  }
  std::vector<InstanceStatus> masters = *meant;
  std::erase_if(masters, [](const InstanceStatus& instance) { return !IsMaster(instance); });
  const Status yielded = Yield(masters, task.with_run, context);
  return yielded ? Succeeded(std::move(changes)) : Failed(yielded.error());
}

}  // namespace drover
