// What the hosts of a cluster showed of themselves around a probe, beside what the playbook wants.
//
// Values only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/change.h"
#include "protocol/desired_state.h"
#include "protocol/node_status.h"
#include "protocol/observation.h"
#include "protocol/result.h"

namespace drover {

// What one host showed; what is missing could not be looked at.
struct HostEvidence {
  std::optional<Error> error;  // why it could not be looked at all
  std::optional<Observation> before;
  std::optional<Observation> after;
  std::optional<NodeStatus> status;  // of the helper's daemon, before the probe
  std::vector<ChangeText> drift;     // what a rollout would change
  std::string not_compared = {};     // why that is not known; empty: it is
};

struct ClusterEvidence {
  std::map<std::string, HostEvidence> hosts;
  std::map<std::string, DesiredState> states;  // as the playbook wants them

  [[nodiscard]] const HostEvidence* Of(const std::string& host) const {
    const auto found = hosts.find(host);
    return found == hosts.end() ? nullptr : &found->second;
  }
};

}  // namespace drover
