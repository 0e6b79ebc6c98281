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

}  // namespace

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
