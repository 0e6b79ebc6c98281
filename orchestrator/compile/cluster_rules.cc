#include "orchestrator/compile/cluster_rules.h"

#include <algorithm>
#include <set>

#include "orchestrator/compile/arguments.h"
#include "orchestrator/compile/findings.h"
#include "orchestrator/compile/virtual_routers.h"
#include "protocol/words.h"

namespace drover {
namespace {

using Kind = Reference::Kind;

std::vector<std::string> NamesOf(const DesiredState& state, Kind kind) {
  std::vector<std::string> names;
  switch (kind) {
    case Kind::kTracker:
      for (const auto& tracker : state.trackers) names.push_back(tracker.name);
      break;
    case Kind::kInstance:
      for (const auto& instance : state.vrrp_instances) names.push_back(instance.name);
      break;
    case Kind::kService:
      for (const auto& service : state.services) names.push_back(ToString(service.key));
      break;
  }
  return names;
}

std::string What(Kind kind) {
  switch (kind) {
    case Kind::kTracker:
      return "tracker";
    case Kind::kInstance:
      return "vrrp_instance";
    case Kind::kService:
      return "virtual_service";
  }
  return "";
}

void CheckReferences(const ClusterState& cluster, Diagnostics& errors) {
  Findings findings;
  for (const auto& [host, references] : cluster.references()) {
    Diagnostics missing;
    for (const Reference& reference : references) {
      const auto names = NamesOf(cluster.Of(host), reference.kind);
      if (std::find(names.begin(), names.end(), reference.name) != names.end()) continue;
      const std::string hint = DidYouMean(reference.name, names);
      missing.push_back(
          {reference.place,
           "no " + What(reference.kind) + " \"" + reference.name + "\" is defined for this host",
           hint.empty()
               ? "define it with a task of module \"" + What(reference.kind) + "\" in this playbook"
               : hint});
    }
    findings.Add(host, missing);
  }
  findings.MoveInto(errors, cluster.references().size());
}

// Rules for the instances of one host.
void CheckHost(const std::string& host, const ClusterState& cluster, Diagnostics& errors) {
  const DesiredState& state = cluster.Of(host);
  std::map<std::tuple<std::string, int, Family>, std::string> routers;
  std::map<IpAddress, std::string> holders;
  const auto place = [&](const VrrpInstance& instance) {
    return cluster.PlaceOf(host, NameOf(instance));
  };
  for (const VrrpInstance& instance : state.vrrp_instances) {
    const auto [router, fresh] = routers.emplace(
        std::tuple(instance.interface, instance.vrid, instance.family()), instance.name);
    if (!fresh) {
      errors.push_back({place(instance),
                        "vrrp_instance " + instance.name + " and " + router->second +
                            " would be the same virtual router: id " +
                            std::to_string(instance.vrid) + " on " + instance.interface,
                        "give one of them another virtual_router_id"});
    }
    for (const Prefix& prefix : instance.AllAddresses()) {
      const auto [holder, first] = holders.emplace(prefix.address, instance.name);
      if (first) continue;
      errors.push_back({place(instance),
                        prefix.address.ToString() + " is an address of vrrp_instance " +
                            holder->second + " and of " + instance.name,
                        ""});
    }
  }
  std::map<std::string, std::string> groups;
  for (const VrrpGroup& group : state.vrrp_groups) {
    for (const std::string& name : group.instances) {
      const auto [other, first] = groups.emplace(name, group.name);
      if (first) continue;
      errors.push_back({cluster.PlaceOf(host, NameOf(group)),
                        "vrrp_instance " + name + " is in the groups " + other->second + " and " +
                            group.name + ", one is all it can follow",
                        ""});
    }
  }
}

void CheckHashing(const std::string& host, const Place& place, const ClusterState& cluster,
                  Diagnostics& errors) {
  for (const VirtualService& service : cluster.Of(host).services) {
    if (service.scheduler == "mh" || service.scheduler == "sh") continue;
    errors.push_back({place,
                      "the stateless profile needs hashing schedulers, but " +
                          ToString(service.key) + " has scheduler " + service.scheduler,
                      "give it \"scheduler: mh\", or take the stateful profile"});
  }
}

// In what packets may come to a host; empty when the playbook gives it no tunnel.
std::vector<Wrapping> UnwrappedBy(const DesiredState& state) {
  std::vector<Wrapping> wrappings;
  for (const PathPart& part : state.path) {
    if (const auto* tunnel = std::get_if<Tunnel>(&part)) wrappings.push_back({tunnel->kind});
    const auto* receiver = std::get_if<GueReceiver>(&part);
    if (receiver != nullptr) wrappings.push_back({TunnelKind::kGue, receiver->port});
  }
  return wrappings;
}

// Both ends of a tunnel must agree. The checksum is the director's alone: receivers take each.
void CheckWrapping(const std::string& host, const ClusterState& cluster, Diagnostics& errors) {
  const auto services = cluster.services().find(host);
  if (services == cluster.services().end()) return;
  for (const auto& [service, names] : services->second) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Destination& server = service.destinations[i];
      const std::vector<Wrapping> known = UnwrappedBy(cluster.Of(names[i]));
      const auto fits = [&](const Wrapping& one) {
        return one.kind == server.tunnel.kind && one.port == server.tunnel.port;
      };
      if (server.forward != Forwarding::kTun || known.empty()) continue;
      if (std::any_of(known.begin(), known.end(), fits)) continue;
      errors.push_back({cluster.PlaceOf(host, NameOf(service)),
                        NameOf(service) + ": packets for real server " + names[i] +
                            " are wrapped in " + ToString(server.tunnel) + ", and it unwraps " +
                            ToString(known.back()),
                        "give its \"real_server\" task the same tunnel"});
    }
  }
}

void WarnOfFallback(const std::string& host, const ClusterState& cluster, Diagnostics& warnings) {
  const DesiredState& state = cluster.Of(host);
  for (const ServiceWatch& watch : state.watches) {
    for (const VirtualService& service : state.services) {
      const std::string flag = service.scheduler + "-fallback";
      const auto& flags = service.scheduler_flags;
      const bool hashing = service.scheduler == "mh" || service.scheduler == "sh";
      if (service.key != watch.service || !hashing || watch.on_failure != OnFailure::kQuiesce ||
          std::find(flags.begin(), flags.end(), flag) != flags.end()) {
        continue;
      }
      warnings.push_back({cluster.PlaceOf(host, NameOf(service)),
                          NameOf(service) + ": with scheduler " + service.scheduler +
                              " and without " + flag +
                              ", clients of a real server that is down are refused",
                          "add scheduler_flags: [" + flag + "], or on_failure: remove"});
    }
  }
}

std::set<IpAddress> SetOf(const std::vector<Prefix>& prefixes) {
  std::set<IpAddress> addresses;
  for (const Prefix& prefix : prefixes) addresses.insert(prefix.address);
  return addresses;
}

// How the two would fail to understand each other, in words; empty: they do understand.
std::string Contradiction(const std::string& host, const VrrpInstance& mine,
                          const std::string& other_host, const VrrpInstance& other) {
  const auto differ = [&](const std::string& what, const std::string& left,
                          const std::string& right) {
    return what + " is " + left + " on " + host + " and " + right + " on " + other_host;
  };
  if (mine.version != other.version) {
    return differ("the version", std::to_string(mine.version), std::to_string(other.version));
  }
  if (mine.version == 2 && mine.advert_interval != other.advert_interval) {
    return differ("the advert interval", DurationText(mine.advert_interval),
                  DurationText(other.advert_interval));
  }
  if (mine.password != other.password) {
    return "the password on " + host + " is not that on " + other_host;
  }
  if (SetOf(mine.addresses) != SetOf(other.addresses)) {
    return "the addresses on " + host + " are not those on " + other_host;
  }
  if (mine.unicast_peers.empty() != other.unicast_peers.empty()) {
    return differ("the way of adverts", mine.unicast_peers.empty() ? "multicast" : "unicast",
                  other.unicast_peers.empty() ? "multicast" : "unicast");
  }
  if (mine.priority == 255 && other.priority == 255) {
    return "both " + host + " and " + other_host + " have priority 255, that of the owner";
  }
  return "";
}

void CheckSync(const VirtualRouter& router, const ClusterState& cluster, Diagnostics& errors) {
  const SyncDaemon* first = nullptr;
  std::string first_host;
  for (const auto& [host, name] : router.members) {
    for (const SyncDaemon& daemon : cluster.Of(host).sync_daemons) {
      if (daemon.role != SyncRole::kMaster) continue;
      if (first == nullptr) {
        first = &daemon;
        first_host = host;
      } else if (daemon.sync_id != first->sync_id || daemon.group != first->group ||
                 daemon.port != first->port) {
        errors.push_back({cluster.PlaceOf(host, NameOf(daemon)),
                          "connection_sync: " + host + " and " + first_host +
                              " would not take each other's connections: id, group or port differ",
                          ""});
      }
    }
  }
}

void CheckRouter(const VirtualRouter& router, const ClusterState& cluster, Diagnostics& errors,
                 Diagnostics& warnings) {
  const auto& [first_host, first_name] = *router.members.begin();
  const VrrpInstance* first = FindInstance(cluster.Of(first_host), first_name);
  std::map<int, std::vector<std::string>> priorities;
  for (const auto& [host, name] : router.members) {
    const VrrpInstance* mine = FindInstance(cluster.Of(host), name);
    priorities[mine->priority].push_back(host);
    const std::string wrong =
        host == first_host ? "" : Contradiction(host, *mine, first_host, *first);
    if (wrong.empty()) continue;
    const Place place = cluster.PlaceOf(host, NameOf(*mine));
    const Place other = cluster.PlaceOf(first_host, NameOf(*first));
    errors.push_back({place, "vrrp_instance " + name + " would have two masters: " + wrong,
                      PlaceText(place) == PlaceText(other)
                          ? "the settings depend on the host; make them the same"
                          : "the other one is at " + PlaceText(other)});
  }
  for (const auto& [priority, hosts] : priorities) {
    if (hosts.size() < 2 || priority == 255) continue;
    std::string names;
    for (const auto& host : hosts) names += (names.empty() ? "" : ", ") + host;
    warnings.push_back({cluster.PlaceOf(first_host, NameOf(*first)),
                        "vrrp_instance " + first_name + ": the same priority " +
                            std::to_string(priority) + " on " + names +
                            "; the higher address becomes master",
                        "give each host its own priority, for example by a host variable"});
  }
  CheckSync(router, cluster, errors);
}

// One address, one way to move it.
void CheckAddresses(const ClusterState& cluster, Diagnostics& errors) {
  struct Owner {
    std::string host;
    const VrrpInstance* instance;
  };
  std::map<IpAddress, Owner> owners;
  for (const auto& [host, state] : cluster.states()) {
    for (const VrrpInstance& instance : state.vrrp_instances) {
      for (const Prefix& prefix : instance.addresses) {
        const auto [owner, fresh] = owners.emplace(prefix.address, Owner{host, &instance});
        if (fresh || owner->second.host == host || owner->second.instance->vrid == instance.vrid) {
          continue;
        }
        errors.push_back({cluster.PlaceOf(host, NameOf(instance)),
                          prefix.address.ToString() + " belongs to virtual router " +
                              std::to_string(instance.vrid) + " on " + host + " and to " +
                              std::to_string(owner->second.instance->vrid) + " on " +
                              owner->second.host + ": both would hold it",
                          ""});
      }
    }
  }
  for (const auto& [host, state] : cluster.states()) {
    for (const InterfaceAddress& address : state.addresses) {
      const auto owner = owners.find(address.prefix.address);
      const auto& real = cluster.RealServersOf(address.prefix.address);
      if (owner == owners.end() || std::find(real.begin(), real.end(), host) != real.end()) {
        continue;
      }
      errors.push_back({cluster.PlaceOf(host, NameOf(address)),
                        address.prefix.address.ToString() + " is a fixed address of " + host +
                            " and moves with vrrp_instance " + owner->second.instance->name +
                            " of " + owner->second.host,
                        "take the \"vip\" task out: VRRP sets the address"});
    }
  }
}

}  // namespace

void CheckCluster(const ClusterState& cluster, Diagnostics& errors, Diagnostics& warnings) {
  CheckReferences(cluster, errors);
  Findings host_errors;
  Findings host_warnings;
  for (const auto& [host, state] : cluster.states()) {
    Diagnostics own;
    Diagnostics hints;
    CheckHost(host, cluster, own);
    CheckWrapping(host, cluster, own);
    WarnOfFallback(host, cluster, hints);
    if (const auto place = cluster.hashing().find(host); place != cluster.hashing().end()) {
      CheckHashing(host, place->second, cluster, own);
    }
    host_errors.Add(host, own);
    host_warnings.Add(host, hints);
  }
  host_errors.MoveInto(errors, 0);
  host_warnings.MoveInto(warnings, 0);
  CheckAddresses(cluster, errors);
  if (!errors.empty()) return;  // what follows would repeat them
  for (const VirtualRouter& router : FindVirtualRouters(cluster.states())) {
    CheckRouter(router, cluster, errors, warnings);
  }
  if (!errors.empty()) return;
  for (const auto& [host, state] : cluster.states()) {
    const Status fine = ValidateState(state);
    if (!fine) errors.push_back({Place{}, "host " + host + ": " + fine.error().message, ""});
  }
}

}  // namespace drover
