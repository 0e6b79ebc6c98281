#include "orchestrator/cluster/drain.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace drover {
namespace {

bool IsUdp(const ServiceKey& key) {
  const auto* socket = std::get_if<SocketKey>(&key);
  return socket != nullptr && socket->transport == Transport::kUdp;
}

std::string Counted(std::uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

// Live weight that is left; nothing when the service has none of the addresses.
std::optional<std::uint32_t> WeightWithout(const ServiceStatus& service,
                                           const std::set<IpAddress>& addresses) {
  std::uint32_t left = 0;
  bool concerned = false;
  for (const ServerStatus& server : service.servers) {
    const bool goes = addresses.contains(server.endpoint.address);
    concerned = concerned || (goes && server.wanted > 0);
    if (!goes && server.up && !server.drained) left += server.wanted;
  }
  return concerned ? std::optional(left) : std::nullopt;
}

// What a director says of a real server that is to become ready; empty: it is.
std::string Obstacle(const NodeStatus* status, const ServiceKey& key, const Endpoint& endpoint) {
  if (status == nullptr) return "no answer";
  const ServerStatus* server = FindServer(*status, key, endpoint);
  if (server == nullptr) return "not in the table";
  for (const CheckStatus& check : server->checks) {
    if (!check.decided) return check.kind + ": no verdict yet";
    if (!check.up) return check.kind + ": " + (check.reason.empty() ? "is down" : check.reason);
  }
  if (!server->up) return "is down";
  return server->in_table ? "" : "not in the table";
}

// Calls `each` with director, service and endpoint of every destination that is concerned.
template <typename Each>
void ForEachWanted(const std::set<IpAddress>& addresses,
                   const std::map<std::string, std::vector<VirtualService>>& wanted,
                   const Each& each) {
  for (const auto& [director, services] : wanted) {
    for (const VirtualService& service : services) {
      for (const Destination& destination : service.destinations) {
        if (addresses.contains(destination.address)) each(director, service.key, destination);
      }
    }
  }
}

}  // namespace

Readiness ReadinessOf(const ClusterStatus& cluster, const std::set<IpAddress>& addresses,
                      const std::map<std::string, std::vector<VirtualService>>& wanted) {
  Readiness readiness;
  ForEachWanted(
      addresses, wanted,
      [&](const std::string& director, const ServiceKey& key, const Destination& destination) {
        const NodeStatus* status = cluster.Of(director);
        const Endpoint endpoint = destination.endpoint();
        if (const std::string why = Obstacle(status, key, endpoint); !why.empty()) {
          readiness.open.push_back(director + ": " + endpoint.ToString() + " of service " +
                                   ToString(key) + ": " + why);
        } else if (FindServer(*status, key, endpoint)->checks.empty() && !IsUdp(key) &&
                   endpoint.port != 0) {
          readiness.unchecked.push_back(endpoint);
        }
      });
  std::sort(readiness.unchecked.begin(), readiness.unchecked.end());
  readiness.unchecked.erase(std::unique(readiness.unchecked.begin(), readiness.unchecked.end()),
                            readiness.unchecked.end());
  return readiness;
}

bool AreServing(const ClusterStatus& cluster, const std::set<IpAddress>& addresses,
                const std::map<std::string, std::vector<VirtualService>>& wanted) {
  bool all = true;
  ForEachWanted(
      addresses, wanted,
      [&](const std::string& director, const ServiceKey& key, const Destination& destination) {
        const NodeStatus* status = cluster.Of(director);
        const ServerStatus* server =
            status == nullptr ? nullptr : FindServer(*status, key, destination.endpoint());
        const bool serves = server != nullptr && server->in_table && !server->drained &&
                            (server->weight > 0 || destination.weight == 0);
        all = all && serves;
      });
  return all;
}

std::vector<OpenFlows> FlowsTo(const ClusterStatus& cluster, const std::set<IpAddress>& addresses) {
  std::map<std::string, OpenFlows> of;
  for (const ClusterService& service : ServicesOf(cluster)) {
    const bool owned = std::any_of(
        service.views.begin(), service.views.end(),
        [&](const ServiceView& view) { return OwnsService(*cluster.Of(view.host), service.key); });
    for (const auto& [host, view] : service.views) {
      const bool serves = !owned || OwnsService(*cluster.Of(host), service.key);
      for (const ServerStatus& server : view->servers) {
        if (!addresses.contains(server.endpoint.address)) continue;
        const auto [entry, fresh] = of.emplace(host, OpenFlows{host, false});
        OpenFlows& flows = entry->second;
        flows.serves = flows.serves || serves;
        flows.clients += server.templates;
        if (IsUdp(service.key)) {
          flows.datagrams += server.active + server.inactive;
        } else {
          flows.established += server.active;
        }
      }
    }
  }
  std::vector<OpenFlows> all;
  for (const HostStatus& host : cluster.hosts) {
    if (const auto found = of.find(host.host); found != of.end()) all.push_back(found->second);
  }
  return all;
}

bool AreDrained(const std::vector<OpenFlows>& flows) {
  return std::all_of(flows.begin(), flows.end(), [](const OpenFlows& one) {
    return !one.serves || one.established + one.clients + one.datagrams == 0;
  });
}

std::string TextOf(const OpenFlows& flows) {
  std::string text;
  const auto add = [&](std::uint64_t count, const char* one, const char* many) {
    if (count > 0) text += (text.empty() ? "" : ", ") + Counted(count, one, many);
  };
  add(flows.established, "established", "established");
  add(flows.clients, "bound client", "bound clients");
  add(flows.datagrams, "UDP flow", "UDP flows");
  return flows.director + (flows.serves ? ": " : " (backup): ") + (text.empty() ? "nothing" : text);
}

std::string TextOf(const std::vector<OpenFlows>& flows) {
  std::string text;
  for (const OpenFlows& one : flows) text += (text.empty() ? "" : "; ") + TextOf(one);
  return text;
}

std::vector<std::string> LeftWithout(const ClusterStatus& cluster,
                                     const std::set<IpAddress>& addresses,
                                     const std::map<ServiceKey, std::uint32_t>& quorums) {
  std::vector<std::string> sentences;
  for (const ClusterService& service : ServicesOf(cluster)) {
    for (const auto& [host, view] : service.views) {
      const auto left = WeightWithout(*view, addresses);
      const auto quorum = quorums.find(service.key);
      const std::uint32_t least = quorum == quorums.end() ? 1 : quorum->second;
      if (!left || *left >= least) continue;
      const std::string name = "service " + ToString(service.key) + " on " + host;
      sentences.push_back(*left == 0
                              ? name + " would have no live real server"
                              : name + " would have a live weight of " + std::to_string(*left) +
                                    ", its quorum is " + std::to_string(least));
    }
  }
  return sentences;
}

std::string DateText(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 48> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &utc);
  return text.data();
}

std::string TextOf(const Maintenance& maintenance) {
  return maintenance.host + " by " + maintenance.user + "@" + maintenance.control_host + " since " +
         DateText(maintenance.since) + " (" + maintenance.reason + ")";
}

std::vector<KnownMaintenance> MaintenanceOf(const ClusterStatus& cluster) {
  std::vector<KnownMaintenance> all;
  for (const HostStatus& host : cluster.hosts) {
    if (!host.status) continue;
    for (const Maintenance& one : host.status->maintenance) {
      const auto known = std::find_if(all.begin(), all.end(), [&](const KnownMaintenance& other) {
        return other.maintenance.host == one.host && other.maintenance.reason == one.reason;
      });
      if (known == all.end()) {
        all.push_back({one, {host.host}});
      } else {
        known->directors.push_back(host.host);
      }
    }
  }
  return all;
}

}  // namespace drover
