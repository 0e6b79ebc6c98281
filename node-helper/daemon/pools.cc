#include "node-helper/daemon/pools.h"

#include <algorithm>
#include <utility>

namespace drover {

void Pools::Configure(const std::vector<VirtualService>& services,
                      const std::vector<ServiceWatch>& watches) {
  std::map<ServiceKey, Entry> before = std::exchange(pools_, {});
  for (const ServiceWatch& watch : watches) {
    const auto service =
        std::find_if(services.begin(), services.end(),
                     [&](const VirtualService& other) { return other.key == watch.service; });
    if (service == services.end()) continue;
    const auto known = before.find(watch.service);
    Entry entry{*service, *service, health::Pool(watch)};
    if (known != before.end()) {
      entry.effective = known->second.effective;
      entry.pool = known->second.pool;
      entry.pool.Change(watch);
    }
    pools_.emplace(watch.service, std::move(entry));
  }
}

std::vector<ServiceKey> Pools::Update(const Verdicts& verdicts, health::Time now) {
  std::vector<ServiceKey> flipped;
  for (auto& [key, entry] : pools_) {
    std::map<Endpoint, health::ServerHealth> servers;
    for (const Destination& destination : entry.wanted.destinations) {
      const auto verdict = verdicts(key, destination.endpoint());
      if (!verdict) continue;
      health::ServerHealth server;
      server.up = verdict->up;
      server.since = verdict->since;
      server.dynamic_weight = verdict->dynamic_weight;
      servers.emplace(destination.endpoint(), server);
    }
    const bool had_quorum = entry.pool.has_quorum();
    entry.effective = entry.pool.Effective(entry.wanted, servers, now);
    if (entry.pool.has_quorum() != had_quorum) flipped.push_back(key);
  }
  return flipped;
}

Overlay Pools::overlay() const {
  Overlay overlay;
  for (const auto& [key, entry] : pools_)
    overlay.services.push_back({entry.wanted, entry.effective});
  return overlay;
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
