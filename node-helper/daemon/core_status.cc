// What the core tells about itself.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "node-helper/daemon/core.h"
#include "node-helper/store/maintenance.h"
#include "protocol/version.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCountersAge{2000};
constexpr std::size_t kMaxOpenChecks = 5;

template <typename List, typename Key>
auto FindService(const List& list, const Key& key) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const auto& entry) { return entry.service == key; });
  return found == list.end() ? nullptr : &*found;
}

template <typename List>
auto FindServer(const List& list, const Endpoint& endpoint) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& entry) {
    if constexpr (requires { entry.endpoint(); }) {
      return entry.endpoint() == endpoint;
    } else {
      return entry.endpoint == endpoint;
    }
  });
  return found == list.end() ? nullptr : &*found;
}

const VirtualService* FindKey(const std::vector<VirtualService>& list, const ServiceKey& key) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const VirtualService& other) { return other.key == key; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

ServiceStatus DaemonCore::StatusOf(const VirtualService& service) const {
  const VirtualService* effective = pools_.effective(service.key);
  const VirtualService& now = effective == nullptr ? service : *effective;
  const VirtualService* table = FindKey(reconciler_.observed().services, service.key);
  const ServiceCounters* counters = FindService(counters_, service.key);
  ServiceStatus status;
  status.service = service.key;
  status.scheduler = service.scheduler;
  status.watched = pools_.watches(service.key);
  status.has_quorum = pools_.has_quorum(service.key);
  if (counters != nullptr) status.connections = counters->traffic.connections;
  std::vector<Destination> shown = service.destinations;
  for (const Destination& other : now.destinations) {
    if (FindServer(service.destinations, other.endpoint()) != nullptr) continue;
    shown.push_back(other);  // the sorry server
    status.sorry = true;
  }
  for (const Destination& destination : shown) {
    const Endpoint endpoint = destination.endpoint();
    ServerStatus server;
    server.endpoint = endpoint;
    server.forward = destination.forward;
    server.wanted = destination.weight;
    const Destination* as_now = FindServer(now.destinations, endpoint);
    server.weight = as_now == nullptr ? 0 : as_now->weight;
    server.in_table = table != nullptr && FindServer(table->destinations, endpoint) != nullptr;
    if (const Maintenance* drain = DrainOf(maintenance_, endpoint.address)) server.drained = *drain;
    if (const auto verdict = parts_.checks->VerdictOf(service.key, endpoint)) {
      server.up = verdict->up;
      server.checks = verdict->checks;
    }
    if (counters != nullptr) {
      if (const auto* counted = FindServer(counters->destinations, endpoint)) {
        server.active = counted->active;
        server.inactive = counted->inactive;
        server.templates = counted->persistent;
      }
    }
    status.servers.push_back(std::move(server));
  }
  return status;
}

NodeStatus DaemonCore::StatusNow(Time now) {
  if (parts_.read_counters && !wants_.services.empty() && now - counters_at_ >= kCountersAge) {
    counters_ = parts_.read_counters().value_or(std::vector<ServiceCounters>{});
    counters_at_ = now;
  }
  NodeStatus status;
  utsname names{};
  if (::uname(&names) == 0) status.host = names.nodename;
  status.version = kVersion;
  status.pid = ::getpid();
  status.running_for = ran_before_ + std::chrono::duration_cast<milliseconds>(now - started_);
  status.repairs = repairs_;
  for (const auto& [source, text] : problems_) status.problems.push_back(text);
  status.problems.insert(status.problems.end(), last_failures_.begin(), last_failures_.end());
  if (speaker_) status.instances = speaker_->Snapshot();
  for (const VirtualService& service : wants_.services) {
    status.services.push_back(StatusOf(service));
  }
  status.trackers = parts_.trackers->Statuses();
  status.sync = sync_;
  if (parts_.run_holder) status.holder = parts_.run_holder();
  if (status.sync) {
    for (const SyncDaemon& daemon : reconciler_.observed().sync_daemons) {
      status.sync->roles.emplace_back(ToString(daemon.role));
    }
  }
  status.maintenance = maintenance_;
  status.events = parts_.events->Newest(kMaxStatusEvents);
  return status;
}

Settlement DaemonCore::Settled() const {
  Settlement settlement;
  const std::vector<InstanceStatus> instances =
      speaker_ ? speaker_->Snapshot() : std::vector<InstanceStatus>{};
  for (const VrrpInstance& wanted : wants_.vrrp_instances) {
    const auto found =
        std::find_if(instances.begin(), instances.end(),
                     [&](const InstanceStatus& status) { return status.name == wanted.name; });
    if (found == instances.end()) {
      settlement.open.push_back(NameOf(wanted) + " does not run yet");
    } else if (found->state == "fault") {
      settlement.faults.push_back(NameOf(wanted) + " is in fault: " + found->reason);
    } else if (found->state == "backup" && !found->last_heard) {
      settlement.open.push_back(NameOf(wanted) + " is backup and hears no master yet");
    } else if (found->state == "backup" && (found->preempts || found->awaits_sync)) {
      settlement.open.push_back(NameOf(wanted) + " is backup and about to take over from " +
                                (found->master ? found->master->ToString() : "a lower master"));
    } else if (found->state != "backup" && found->state != "master") {
      settlement.open.push_back(NameOf(wanted) + " has no role yet");
    }
  }
  if (parts_.checks->decided()) return settlement;
  std::size_t undecided = 0;
  for (const OverlaidService& service : pools_.overlay().services) {
    for (const Destination& server : service.wanted.destinations) {
      const auto verdict = parts_.checks->VerdictOf(service.wanted.key, server.endpoint());
      if (!verdict || verdict->decided || ++undecided > kMaxOpenChecks) continue;
      settlement.open.push_back("the checks of real server " + server.endpoint().ToString() +
                                " of service " + ToString(service.wanted.key) +
                                " have no verdict yet");
    }
  }
  if (undecided > kMaxOpenChecks) {
    settlement.open.push_back("and " + std::to_string(undecided - kMaxOpenChecks) +
                              " more real servers");
  }
  return settlement;
}

}  // namespace drover
