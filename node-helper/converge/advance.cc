// The kernel as a pure function: what each change does to an observed state.

#include <algorithm>

#include "node-helper/converge/plan.h"

namespace drover {
namespace {

VirtualService* FindService(DesiredState& state, const ServiceKey& key) {
  for (VirtualService& service : state.services) {
    if (service.key == key) return &service;
  }
  return nullptr;
}

Destination* FindDestination(VirtualService* service, const Endpoint& endpoint) {
  if (service == nullptr) return nullptr;
  for (Destination& destination : service->destinations) {
    if (destination.endpoint() == endpoint) return &destination;
  }
  return nullptr;
}

PathPart* FindPathPart(DesiredState& state, const PathPart& wanted) {
  for (PathPart& part : state.path) {
    if (NameOf(part) == NameOf(wanted)) return &part;
  }
  return nullptr;
}

// IPv4 keeps one address with several prefix lengths; IPv6 keeps it once (ipv6_chk_same_addr).
bool Collides(const InterfaceAddress& a, const InterfaceAddress& b) {
  if (a.interface != b.interface) return false;
  return a.prefix.address.is_v4() ? a.prefix == b.prefix : a.prefix.address == b.prefix.address;
}

struct Advancer {
  DesiredState& state;

  void operator()(const AddAddress& add) const {
    for (const InterfaceAddress& address : state.addresses) {
      if (Collides(address, add.address)) return;
    }
    state.addresses.push_back({add.address.interface, add.address.prefix});
  }
  void operator()(const RemoveAddress& remove) const {
    std::erase_if(state.addresses, [&remove](const InterfaceAddress& address) {
      return address.interface == remove.address.interface &&
             address.prefix == remove.address.prefix;
    });
  }
  void operator()(const SetSysctl& set) const {
    const std::string value = NormalizeSysctlValue(set.sysctl.value);
    for (Sysctl& sysctl : state.sysctls) {
      if (sysctl.key != set.sysctl.key) continue;
      sysctl.value = value;
      return;
    }
    state.sysctls.push_back({set.sysctl.key, value});
  }
  void operator()(const AddService& add) const {
    if (FindService(state, add.service.key) != nullptr) return;
    state.services.push_back(add.service);
    state.services.back().destinations.clear();
  }
  void operator()(const EditService& edit) const {
    VirtualService* service = FindService(state, edit.service.key);
    if (service == nullptr) return;
    std::vector<Destination> destinations = std::move(service->destinations);
    *service = edit.service;
    service->destinations = std::move(destinations);
  }
  void operator()(const RemoveService& remove) const {
    std::erase_if(state.services, [&remove](const VirtualService& service) {
      return service.key == remove.service.key;
    });
  }
  void operator()(const AddDestination& add) const {
    VirtualService* service = FindService(state, add.service);
    if (service == nullptr) return;
    if (FindDestination(service, add.destination.endpoint()) != nullptr) return;
    service->destinations.push_back(add.destination);
  }
  void operator()(const EditDestination& edit) const {
    Destination* destination =
        FindDestination(FindService(state, edit.service), edit.destination.endpoint());
    if (destination != nullptr) *destination = edit.destination;
  }
  void operator()(const RemoveDestination& remove) const {
    VirtualService* service = FindService(state, remove.service);
    if (service == nullptr) return;
    std::erase_if(service->destinations, [&remove](const Destination& destination) {
      return destination.endpoint() == remove.destination.endpoint();
    });
  }
  void operator()(const StartSyncDaemon& start) const {
    for (const SyncDaemon& daemon : state.sync_daemons) {
      if (daemon.role == start.daemon.role) return;
    }
    state.sync_daemons.push_back(start.daemon);
  }
  void operator()(const StopSyncDaemon& stop) const {
    std::erase_if(state.sync_daemons,
                  [&stop](const SyncDaemon& daemon) { return daemon.role == stop.daemon.role; });
  }
  void operator()(const AddPathPart& add) const {
    if (FindPathPart(state, add.part) == nullptr) state.path.push_back(add.part);
  }
  void operator()(const ReplacePathPart& replace) const {
    Forget(replace.before);
    state.path.push_back(replace.part);
  }
  void operator()(const RemovePathPart& remove) const { Forget(remove.part); }

 private:
  // With a tunnel go its addresses.
  void Forget(const PathPart& part) const {
    std::erase_if(state.path, [&](const PathPart& other) { return NameOf(other) == NameOf(part); });
    const auto* tunnel = std::get_if<Tunnel>(&part);
    if (tunnel == nullptr) return;
    std::erase_if(state.addresses, [&](const InterfaceAddress& address) {
      return address.interface == tunnel->name;
    });
  }
};

}  // namespace

DesiredState Advance(DesiredState state, const Change& change) {
  std::visit(Advancer{state}, change.action);
  return state;
}

}  // namespace drover
