// What checks of the daemon and maintenance make of a state that a task wants: the weights that
// ip_vs should have right now.
//
// Pure.
#pragma once

#include <vector>

#include "node-helper/store/maintenance.h"
#include "node-helper/tasks/daemon_link.h"
#include "protocol/change.h"
#include "protocol/desired_state.h"

namespace drover {

// The state with its services as `overlay` has them. What the daemon does not know (yet) stands as
// it will before the first verdict: a real server that `observed` has in use is up, a new one is
// what its checks take as initial. Who is under maintenance has weight 0, watched or not.
DesiredState Overlaid(DesiredState state, const Overlay& overlay, const DesiredState& observed,
                      const std::vector<Maintenance>& maintenance);

// Says beside each change of a real server why it is so, where `wanted` asks for something else.
void ExplainWeights(std::vector<Change>& changes, const DesiredState& wanted,
                    const std::vector<Maintenance>& maintenance);

}  // namespace drover
