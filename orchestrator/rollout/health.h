// Whether a batch of hosts is well, by what the directors say: the checks of its servers are up,
// its VRRP instances are in a state that serves.
//
// Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "protocol/node_status.h"

namespace drover {

// One sentence for everything of `batch` that is not well, or not known yet. `statuses`: of those
// that answered; `names`: hosts by their address.
std::vector<std::string> NotHealthy(const std::set<std::string>& batch,
                                    const std::map<std::string, NodeStatus>& statuses,
                                    const std::map<IpAddress, std::string>& names);

}  // namespace drover
