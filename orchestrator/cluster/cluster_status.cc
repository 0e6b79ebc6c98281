#include "orchestrator/cluster/cluster_status.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "orchestrator/cluster/drain.h"

namespace drover {
namespace {

constexpr double kWellHeld = 0.99;
constexpr std::uint64_t kFewConnections = 10;  // a share of so few says nothing

bool ShareAddress(const InstanceStatus& left, const InstanceStatus& right) {
  return std::any_of(left.addresses.begin(), left.addresses.end(), [&](const Prefix& mine) {
    return std::any_of(right.addresses.begin(), right.addresses.end(),
                       [&](const Prefix& theirs) { return theirs.address == mine.address; });
  });
}

Family FamilyOfInstance(const InstanceStatus& instance) {
  return instance.addresses.empty() ? Family::kIpv4 : instance.addresses.front().address.family();
}

bool SameRouter(const InstanceStatus& left, const InstanceStatus& right) {
  return left.vrid == right.vrid && FamilyOfInstance(left) == FamilyOfInstance(right) &&
         (left.name == right.name || ShareAddress(left, right));
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  }
  return text;
}

std::string AddressesOf(const RouterStatus& router) {
  std::string text;
  for (const Prefix& prefix : router.members.front().instance->addresses) {
    text += (text.empty() ? "" : " ") + prefix.address.ToString();
  }
  return text;
}

class Collector {
 public:
  explicit Collector(const ClusterStatus& cluster) : cluster_(cluster) {}

  std::vector<Concern> Run() {
    for (const HostStatus& host : cluster_.hosts) OfHost(host);
    for (const RouterStatus& router : RoutersOf(cluster_)) OfRouter(router);
    for (const ClusterService& service : ServicesOf(cluster_)) OfService(service);
    std::stable_sort(
        concerns_.begin(), concerns_.end(),
        [](const Concern& left, const Concern& right) { return left.weight > right.weight; });
    return std::move(concerns_);
  }

 private:
  using Weight = Concern::Weight;

  // What several hosts say alike is one concern.
  void Say(Weight weight, const std::string& host, std::string text) {
    for (Concern& known : concerns_) {
      if (known.weight == weight && known.text == text && !host.empty()) {
        known.host += ", " + host;
        return;
      }
    }
    concerns_.push_back(Concern{weight, host, std::move(text)});
  }

  void OfHost(const HostStatus& host) {
    if (host.error) {
      const bool no_daemon = host.error->code == ErrorCode::kNotFound;
      Say(host.gave_no_answer()             ? Weight::kUnreachable
          : no_daemon && !host.needs_daemon ? Weight::kNote
                                            : Weight::kDown,
          host.host, host.error->message);
      return;
    }
    if (!host.status) return;
    if (host.status->holder) Say(Weight::kNote, host.host, Summary(*host.status->holder));
    for (const std::string& problem : host.status->problems) Say(Weight::kDown, host.host, problem);
    for (const InstanceStatus& instance : host.status->instances) OfInstance(host.host, instance);
    OfTrackers(host.host, *host.status);
    if (host.status->sync) OfSync(host.host, *host.status->sync);
    for (const Maintenance& one : host.status->maintenance) {
      Say(Weight::kNote, host.host, "maintenance of " + TextOf(one));
    }
  }

  // A director that came back after the others were told still sends clients to the host.
  void OfDrains(const ClusterService& service) {
    for (const auto& [host, view] : service.views) {
      for (const ServerStatus& server : view->servers) {
        if (!server.drained) continue;
        for (const auto& [other, its_view] : service.views) {
          const bool lacks = std::any_of(its_view->servers.begin(), its_view->servers.end(),
                                         [&](const ServerStatus& its) {
                                           return its.endpoint == server.endpoint && !its.drained;
                                         });
          if (!lacks) continue;
          const std::string& name = server.drained->host;
          Say(Weight::kDown, other,
              name + " is under maintenance on " + host +
                  " but not here (\"drover maintenance on " + name + "\" again tells all)");
        }
      }
    }
  }

  void OfInstance(const std::string& host, const InstanceStatus& instance) {
    const std::string name = "vrrp_instance " + instance.name;
    if (instance.state == "fault") Say(Weight::kDown, host, name + " in fault: " + instance.reason);
    if (instance.yielded) {
      Say(Weight::kNote, host, name + " was handed over (drover handover --back lets it return)");
    }
    if (instance.awaits_sync) {
      Say(Weight::kNote, host, name + " waits for the connection table before it takes over");
    }
    if (instance.two_phase) {
      Say(Weight::kNote, host,
          name + " still speaks its old form: another host has not taken the new settings");
    }
    const auto rivals = instance.counters.find("rivals");
    if (rivals != instance.counters.end() && rivals->second > 0) {
      Say(Weight::kNote, host,
          name + ": a stranger claimed its addresses " + std::to_string(rivals->second) + " times");
    }
  }

  // An instance in fault names its tracker itself, and a service without quorum is told of, too.
  void OfTrackers(const std::string& host, const NodeStatus& status) {
    const bool told = std::any_of(status.instances.begin(), status.instances.end(),
                                  [](const auto& instance) { return instance.state == "fault"; }) ||
                      std::any_of(status.services.begin(), status.services.end(),
                                  [](const auto& service) { return !service.has_quorum; });
    if (told) return;
    for (const TrackerStatus& tracker : status.trackers) {
      if (tracker.up || !tracker.decided) continue;
      Say(Weight::kDown, host, "tracker " + tracker.name + " is down: " + tracker.reason);
    }
  }

  void OfSync(const std::string& host, const SyncStatus& sync) {
    for (const SyncPeerStatus& peer : sync.peers) {
      if (peer.connections < kFewConnections || peer.held >= kWellHeld) continue;
      std::array<char, 16> held{};
      std::snprintf(held.data(), held.size(), "%.1f", peer.held * 100);
      Say(Weight::kNote, host,
          std::string("holds ") + held.data() + " % of the connections of " + peer.peer);
    }
  }

  void OfRouter(const RouterStatus& router) {
    const auto masters = router.masters();
    const std::string what = "vrrp_instance " + router.name + " (" + AddressesOf(router) + ")";
    if (masters.size() > 1) {
      Say(Weight::kDown, "",
          what + " has " + std::to_string(masters.size()) + " masters: " + Joined(masters));
    } else if (masters.empty()) {
      Say(Weight::kDown, "", what + " has no master");
    } else if (router.members.size() > 1) {
      const bool backup = std::any_of(
          router.members.begin(), router.members.end(),
          [](const RouterMember& member) { return member.instance->state == "backup"; });
      if (!backup) Say(Weight::kDown, "", what + " has no backup");
    }
  }

  void OfService(const ClusterService& service) {
    OfDrains(service);
    for (const auto& [host, view] : service.views) {
      const std::string name = ToString(service.key);
      if (view->watched && !view->has_quorum) {
        Say(Weight::kDown, host,
            name + " has no quorum of live real servers" +
                (view->sorry ? "; the sorry server stands in" : ""));
      }
      for (const ServerStatus& server : view->servers) {
        if (server.up) continue;
        std::string why;
        for (const CheckStatus& check : server.checks) {
          if (!check.up && check.decided && why.empty())
            why = ": " + check.kind + ": " + check.reason;
        }
        Say(Weight::kDown, host,
            name + ": real server " + server.endpoint.ToString() + " is down" + why);
      }
    }
  }

  const ClusterStatus& cluster_;
  std::vector<Concern> concerns_;
};

}  // namespace

bool HostStatus::gave_no_answer() const {
  return error && (error->code == ErrorCode::kUnreachable || error->code == ErrorCode::kTimeout);
}

const NodeStatus* ClusterStatus::Of(const std::string& host) const {
  for (const HostStatus& one : hosts) {
    if (one.host == host && one.status) return &*one.status;
  }
  return nullptr;
}

std::vector<std::string> RouterStatus::masters() const {
  std::vector<std::string> hosts;
  for (const RouterMember& member : members) {
    if (member.is_master()) hosts.push_back(member.host);
  }
  return hosts;
}

std::vector<RouterStatus> RoutersOf(const ClusterStatus& cluster) {
  std::vector<RouterStatus> routers;
  for (const HostStatus& host : cluster.hosts) {
    if (!host.status) continue;
    for (const InstanceStatus& instance : host.status->instances) {
      auto router = std::find_if(routers.begin(), routers.end(), [&](const RouterStatus& other) {
        return other.members.back().host != host.host &&
               SameRouter(*other.members.front().instance, instance);
      });
      if (router == routers.end()) {
        router = routers.insert(routers.end(), RouterStatus{instance.name, {}});
      }
      router->members.push_back({host.host, &instance});
    }
  }
  return routers;
}

bool OwnsService(const NodeStatus& status, const ServiceKey& key) {
  const auto* socket = std::get_if<SocketKey>(&key);
  return socket != nullptr &&
         std::any_of(
             status.instances.begin(), status.instances.end(), [&](const InstanceStatus& instance) {
               return instance.state == "master" &&
                      std::any_of(
                          instance.addresses.begin(), instance.addresses.end(),
                          [&](const Prefix& prefix) { return prefix.address == socket->address; });
             });
}

const ServerStatus* FindServer(const NodeStatus& status, const ServiceKey& key,
                               const Endpoint& endpoint) {
  for (const ServiceStatus& service : status.services) {
    if (service.service != key) continue;
    for (const ServerStatus& server : service.servers) {
      if (server.endpoint == endpoint) return &server;
    }
  }
  return nullptr;
}

std::vector<ClusterService> ServicesOf(const ClusterStatus& cluster) {
  std::vector<ClusterService> services;
  for (const HostStatus& host : cluster.hosts) {
    if (!host.status) continue;
    for (const ServiceStatus& service : host.status->services) {
      auto known = std::find_if(services.begin(), services.end(), [&](const ClusterService& other) {
        return other.key == service.service;
      });
      if (known == services.end()) {
        known = services.insert(services.end(), ClusterService{service.service, {}});
      }
      const bool owner = OwnsService(*host.status, service.service);
      known->views.insert(owner ? known->views.begin() : known->views.end(), {host.host, &service});
    }
  }
  return services;
}

std::vector<Concern> ConcernsOf(const ClusterStatus& cluster) { return Collector(cluster).Run(); }

bool OwnersAreOdd(const ClusterStatus& cluster) {
  const auto routers = RoutersOf(cluster);
  return std::any_of(routers.begin(), routers.end(),
                     [](const RouterStatus& router) { return router.masters().size() != 1; });
}

}  // namespace drover
