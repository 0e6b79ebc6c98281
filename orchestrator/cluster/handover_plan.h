// Whether and how VRRP instances can be handed over, told from what all nodes say.
//
// Pure: asking and telling the nodes is run/handover_command.cc's business.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/cluster/cluster_status.h"

namespace drover {

// One instance that is to leave (or may return to) a host.
struct HandoverStep {
  std::string router;    // name for people
  std::string host;      // who is told
  std::string instance;  // what it calls the instance
  std::string owner;     // master when the plan was made
  std::vector<std::string> addresses;
  std::vector<std::string> heirs;  // hosts that can take over
  bool operator==(const HandoverStep&) const = default;
};

// The masters that are to yield. kNotFound: no instance of this name. kInvalid: it cannot be handed
// over, with the reason: two masters or none, no backup that lives and hears the master. `instance`
// empty: all instances.
Result<std::vector<HandoverStep>> PlanYield(const ClusterStatus& cluster,
                                            const std::string& instance);
// The hosts that handed over and may come back; none is an error.
Result<std::vector<HandoverStep>> PlanReturn(const ClusterStatus& cluster,
                                             const std::string& instance);
// What keeps the heirs from holding the masters' connections, one sentence; empty: nothing, also
// where no connections are synchronised.
std::string MissingSync(const ClusterStatus& cluster, const std::vector<HandoverStep>& steps);
// Masters of a step's router now.
std::vector<std::string> OwnersOf(const ClusterStatus& cluster, const HandoverStep& step);

}  // namespace drover
