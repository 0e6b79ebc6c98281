// Puts the network back to a snapshot, changing only what differs. May be done again at any time:
// what is as it was stays alone.
//
// One thread at a time. Which steps those are is planned by network_plan.
#pragma once

#include <vector>

#include "node-helper/net/network_plan.h"
#include "protocol/change.h"
#include "protocol/result.h"

namespace drover {

// Interfaces up or down, and their MTU. Goes on after a step that the kernel refuses; the first
// refusal is the error, `done` has what was done.
Status RestoreLinks(const NetworkSnapshot& before, const HeldElsewhere& held,
                    std::vector<ChangeText>& done);

// Addresses, then routes, then rules; the interfaces should be up. As RestoreLinks.
Status RestoreRouting(const NetworkSnapshot& before, const HeldElsewhere& held,
                      std::vector<ChangeText>& done);

}  // namespace drover
