#include "node-helper/daemon/pools.h"

#include <algorithm>
#include <utility>

namespace drover {

void Pools::Configure(const std::vector<VirtualService>& services,
                      const std::vector<ServiceWatch>& watches) {
  std::map<ServiceKey, Entry> before = std::exchange(pools_, {});
  for (const VirtualService& service : services) {
    const auto found = std::find_if(watches.begin(), watches.end(), [&](const ServiceWatch& other) {
      return other.service == service.key;
    });
    ServiceWatch watch;  // of a service without checks: what is usual
    watch.service = service.key;
    if (found != watches.end()) watch = *found;
    const auto known = before.find(service.key);
    Entry entry{service, service, health::Pool(watch), found != watches.end()};
    if (known != before.end()) {
      if (entry.watched || known->second.was_drained) entry.effective = known->second.effective;
      entry.pool = known->second.pool;
      entry.pool.Change(watch);
      entry.was_drained = known->second.was_drained;
    }
    pools_.emplace(service.key, std::move(entry));
  }
}

void Pools::Drain(std::vector<Maintenance> maintenance, health::Time now) {
  for (const Maintenance& before : maintenance_) {
    for (const IpAddress& address : before.addresses) released_[address] = now;
  }
  maintenance_ = std::move(maintenance);
  std::erase_if(released_,
                [&](const auto& entry) { return DrainOf(maintenance_, entry.first) != nullptr; });
}

std::vector<ServiceKey> Pools::Update(const Verdicts& verdicts, health::Time now) {
  std::vector<ServiceKey> flipped;
  for (auto& [key, entry] : pools_) {
    const bool had_quorum = entry.pool.has_quorum();
    UpdateOne(key, entry, verdicts, now);
    if (entry.pool.has_quorum() != had_quorum) flipped.push_back(key);
  }
  return flipped;
}

void Pools::UpdateOne(const ServiceKey& key, Entry& entry, const Verdicts& verdicts,
                      health::Time now) {
  std::map<Endpoint, health::ServerHealth> servers;
  for (const Destination& destination : entry.wanted.destinations) {
    const auto verdict = verdicts(key, destination.endpoint());
    const auto released = released_.find(destination.address);
    health::ServerHealth server;  // without a check it is up
    server.maintenance = DrainOf(maintenance_, destination.address) != nullptr;
    if (verdict) {
      server.up = verdict->up;
      server.since = verdict->since;
      server.dynamic_weight = verdict->dynamic_weight;
    } else if (!server.maintenance && released == released_.end()) {
      continue;
    }
    if (released != released_.end()) server.since = std::max(server.since, released->second);
    entry.was_drained = entry.was_drained || server.maintenance;
    servers.emplace(destination.endpoint(), server);
  }
  entry.effective = entry.pool.Effective(entry.wanted, servers, now);
}

Overlay Pools::overlay() const {
  Overlay overlay;
  for (const auto& [key, entry] : pools_) {
    if (decides(key)) overlay.services.push_back({entry.wanted, entry.effective});
  }
  return overlay;
}

bool Pools::watches(const ServiceKey& service) const {
  const auto found = pools_.find(service);
  return found != pools_.end() && found->second.watched;
}

bool Pools::decides(const ServiceKey& service) const {
  const auto found = pools_.find(service);
  return found != pools_.end() && (found->second.watched || found->second.was_drained);
}

DesiredState Pools::Apply(DesiredState state) const {
  for (VirtualService& service : state.services) {
    if (const VirtualService* now = effective(service.key)) service = *now;
  }
  return state;
}

bool Pools::has_quorum(const ServiceKey& service) const {
  const auto found = pools_.find(service);
  return found == pools_.end() || found->second.pool.has_quorum();
}

const VirtualService* Pools::effective(const ServiceKey& service) const {
  const auto found = pools_.find(service);
  return found == pools_.end() ? nullptr : &found->second.effective;
}

bool Pools::ramping() const {
  return std::any_of(pools_.begin(), pools_.end(),
                     [](const auto& entry) { return entry.second.pool.ramping(); });
}

std::map<std::string, bool> Pools::Remember() const {
  std::map<std::string, bool> quorums;
  for (const auto& [key, entry] : pools_) quorums[ToString(key)] = entry.pool.Remember();
  return quorums;
}

void Pools::Recall(const std::map<std::string, bool>& quorums) {
  for (auto& [key, entry] : pools_) {
    const auto found = quorums.find(ToString(key));
    if (found != quorums.end()) entry.pool.Recall(found->second);
  }
}

}  // namespace drover
