// Whether a drill may begin, and when the cluster is whole again: judged from what the nodes say.
//
// Pure. Asking the nodes is orchestrator/run's business.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/cluster/cluster_status.h"
#include "orchestrator/drill/journal.h"

namespace drover {

// The VRRP instance under test, as its hosts call it.
struct DrilledRouter {
  std::string instance;              // name on the master; others may call it otherwise
  std::string master;                // host; empty: there is none
  std::vector<std::string> masters;  // all that claim to be
  std::vector<std::string> members;  // hosts
  std::string peer;                  // who takes over, by priority; empty: nobody
};
// The router that has `vip`; kNotFound names those that there are.
Result<DrilledRouter> FindRouter(const ClusterStatus& cluster, const IpAddress& vip);

// How far a host's wall clock is ahead of the control host's, and how well that is known.
struct ClockOffset {
  std::chrono::microseconds ahead{0};
  std::chrono::microseconds uncertainty{0};
};

inline constexpr std::chrono::milliseconds kClockGate{50};
inline constexpr double kEnoughSynced = 0.999;

// Everything that gates look at.
struct GateLook {
  Fault fault = Fault::kDirectorCrash;
  std::string target;
  DrilledRouter router;
  std::chrono::milliseconds advert_interval{1000};
  std::optional<SocketKey>
      service;        // under test, of ip_vs; none: the directors serve by themselves
  bool sync = false;  // connections are synchronised
  std::chrono::milliseconds settle{60000};  // since the last transition or drift
  ClusterStatus cluster;
  std::map<std::string, DrillGround> grounds;  // of all nodes that answered the look
  std::map<std::string, Error> silent;         // those that did not
  std::map<std::string, ClockOffset> clocks;
  std::string no_drill;  // reason of the control host's flag; empty: there is none
  std::string blackout;  // reason of the window that is on; empty: none
};
// In the order in which they are shown.
std::vector<Gate> JudgeGates(const GateLook& look);
// Gates that may not be gone through by force: the node itself would refuse, or nothing could be
// measured or undone.
bool MayBeForced(const std::string& gate);

// Live real servers of the service under test as the master sees them; 0 without one.
std::size_t LiveServers(const ClusterStatus& cluster, const DrilledRouter& router,
                        const std::optional<SocketKey>& service);

// The cluster as it is to be again; `live` of before.
struct WholeCluster {
  std::string instance;
  IpAddress vip;
  std::string master;  // who had the VIP
  std::size_t directors = 0;
  std::optional<SocketKey> service;
  std::size_t live = 0;
  bool sync = false;
  std::chrono::milliseconds advert_interval{1000};
};
RedundancySample LookForRedundancy(const ClusterStatus& cluster, const WholeCluster& whole);
// The VIP is where it was, and nobody is about to take it from there.
bool IsHome(const ClusterStatus& cluster, const WholeCluster& whole);

}  // namespace drover
