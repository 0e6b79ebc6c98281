// Real servers that get no new connections: what is still open to them, and what their services
// have left without them.
//
// Pure. Telling the directors is orchestrator/run's business.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/cluster/cluster_status.h"
#include "protocol/desired_state.h"
#include "protocol/transaction.h"

namespace drover {

// What a director still has of some real servers.
struct OpenFlows {
  std::string director;
  bool serves = true;  // false: another director has the address, these are copies of its entries
  std::uint64_t established = 0;
  std::uint64_t clients = 0;    // bound by persistence
  std::uint64_t datagrams = 0;  // flows of UDP
  bool operator==(const OpenFlows&) const = default;
};
// Of every director that has one of the addresses, in the order of `cluster`.
std::vector<OpenFlows> FlowsTo(const ClusterStatus& cluster, const std::set<IpAddress>& addresses);
// Nothing is open on a director that serves.
bool AreDrained(const std::vector<OpenFlows>& flows);
// "lb1: 3 established, 2 bound clients".
std::string TextOf(const OpenFlows& flows);
// "lb1: 3 established; lb2: nothing".
std::string TextOf(const std::vector<OpenFlows>& flows);

// The services that would have no live real server, or less than their quorum, without those of
// `addresses`; one sentence each.
std::vector<std::string> LeftWithout(const ClusterStatus& cluster,
                                     const std::set<IpAddress>& addresses,
                                     const std::map<ServiceKey, std::uint32_t>& quorums);

// Whether real servers can be sent connections.
struct Readiness {
  std::vector<std::string> open;    // what is missing, one sentence each
  std::vector<Endpoint> unchecked;  // of services without checks: nobody asks them
  [[nodiscard]] bool ready() const { return open.empty(); }
};
// `wanted` has the services of each director, as the playbook wants them.
Readiness ReadinessOf(const ClusterStatus& cluster, const std::set<IpAddress>& addresses,
                      const std::map<std::string, std::vector<VirtualService>>& wanted);
// Each of them gets connections on every director that has it.
bool AreServing(const ClusterStatus& cluster, const std::set<IpAddress>& addresses,
                const std::map<std::string, std::vector<VirtualService>>& wanted);

// "2026-01-31 12:00:00 UTC".
std::string DateText(std::int64_t seconds);
// "rs2 by ann@ctl since 2026-01-31 12:00:00 UTC (remove)".
std::string TextOf(const Maintenance& maintenance);

// One host under maintenance, with the directors that know of it.
struct KnownMaintenance {
  Maintenance maintenance;
  std::vector<std::string> directors;
};
std::vector<KnownMaintenance> MaintenanceOf(const ClusterStatus& cluster);

}  // namespace drover
