#include "orchestrator/rollout/health.h"

namespace drover {
namespace {

// Why a server is not well; empty: it is.
std::string ReasonOf(const ServerStatus& server) {
  for (const CheckStatus& check : server.checks) {
    if (!check.decided) return "the " + check.kind + " check has no verdict yet";
    if (!check.up) {
      return "the " + check.kind + " check fails" +
             (check.reason.empty() ? "" : " (" + check.reason + ")");
    }
  }
  return server.up ? "" : "it is down";
}

void LookAtServers(const std::string& director, const NodeStatus& status,
                   const std::set<std::string>& batch,
                   const std::map<IpAddress, std::string>& names,
                   std::vector<std::string>& reasons) {
  for (const ServiceStatus& service : status.services) {
    for (const ServerStatus& server : service.servers) {
      const auto name = names.find(server.endpoint.address);
      // What takes no connections by the playbook need not be well.
      if (name == names.end() || !batch.contains(name->second) || server.wanted == 0) continue;
      if (const std::string reason = ReasonOf(server); !reason.empty()) {
        reasons.push_back(name->second + " for " + ToString(service.service) + ", as " + director +
                          " sees it: " + reason);
      }
    }
  }
}

// What `host` is about to do; empty: it stays as it is.
std::string MoveOf(const std::string& host, const InstanceStatus& instance) {
  const std::string of = " of vrrp_instance " + instance.name;
  if (instance.state == "initialize") return host + " has not begun with its part" + of;
  if (instance.awaits_sync) return host + " waits for connections before it is master" + of;
  return instance.preempts ? host + " is about to become master" + of : "";
}

void LookAtRouter(const VirtualRouter& router, const std::map<std::string, NodeStatus>& statuses,
                  std::vector<std::string>& reasons) {
  std::vector<std::string> masters;
  std::string backup;  // the name of its instance
  for (const auto& [host, name] : router.members) {
    const auto status = statuses.find(host);
    if (status == statuses.end()) continue;
    for (const InstanceStatus& instance : status->second.instances) {
      if (instance.name != name) continue;
      if (instance.state == "master") masters.push_back(host);
      if (instance.state == "backup") backup = name;
      if (const std::string move = MoveOf(host, instance); !move.empty()) reasons.push_back(move);
    }
  }
  if (masters.empty() && !backup.empty()) {
    reasons.push_back("nobody is master of vrrp_instance " + backup);
  } else if (masters.size() > 1) {
    reasons.push_back(masters[0] + " and " + masters[1] + " are both master of vrrp_instance " +
                      router.members.at(masters[0]));
  }
}

void LookForVerdicts(const std::string& director, const NodeStatus& status,
                     std::vector<std::string>& reasons) {
  for (const ServiceStatus& service : status.services) {
    for (const ServerStatus& server : service.servers) {
      for (const CheckStatus& check : server.checks) {
        if (check.decided || server.wanted == 0) continue;
        reasons.push_back("the " + check.kind + " check of " + server.endpoint.ToString() + " for " +
                          ToString(service.service) + " on " + director + " has no verdict yet");
      }
    }
  }
}

}  // namespace

std::vector<std::string> NotSettled(const std::map<std::string, NodeStatus>& statuses,
                                    const std::vector<VirtualRouter>& routers) {
  std::vector<std::string> reasons;
  for (const VirtualRouter& router : routers) LookAtRouter(router, statuses, reasons);
  for (const auto& [host, status] : statuses) LookForVerdicts(host, status, reasons);
  return reasons;
}

std::vector<std::string> NotHealthy(const std::set<std::string>& batch,
                                    const std::map<std::string, NodeStatus>& statuses,
                                    const std::map<IpAddress, std::string>& names) {
  std::vector<std::string> reasons;
  for (const auto& [host, status] : statuses) {
    LookAtServers(host, status, batch, names, reasons);
    if (!batch.contains(host)) continue;
    for (const InstanceStatus& instance : status.instances) {
      if (instance.state == "master" || instance.state == "backup") continue;
      reasons.push_back(host + ": vrrp_instance " + instance.name + " is in state " +
                        instance.state +
                        (instance.reason.empty() ? "" : " (" + instance.reason + ")"));
    }
  }
  return reasons;
}

}  // namespace drover
