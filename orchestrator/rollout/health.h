// Whether a batch of hosts is well, by what the directors say: the checks of its servers are up,
// its VRRP instances are in a state that serves. And whether directors have come to rest, so that
// they can be verified.
//
// Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "protocol/node_status.h"

namespace drover {

// One sentence for everything of `batch` that is not well, or not known yet. `statuses`: of those
// that answered; `names`: hosts by their address.
std::vector<std::string> NotHealthy(const std::set<std::string>& batch,
                                    const std::map<std::string, NodeStatus>& statuses,
                                    const std::map<IpAddress, std::string>& names);

// One sentence for everything that is about to change by itself: no master or two of an instance, a
// takeover ahead, a check without a verdict. What is down or in fault is at rest.
std::vector<std::string> NotSettled(const std::map<std::string, NodeStatus>& statuses,
                                    const std::vector<VirtualRouter>& routers);

}  // namespace drover
