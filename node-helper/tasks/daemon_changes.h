// The differences that no kernel can show: what the daemon is told that it was not told before.
//
// Pure. No password is in a text.
#pragma once

#include <vector>

#include "protocol/change.h"
#include "protocol/desired_state.h"

namespace drover {

// Instances, groups, trackers, watches and metrics of `wanted` that `recorded` has not, or has with
// other settings.
std::vector<ChangeText> DaemonChanges(const DesiredState& recorded, const DesiredState& wanted);
// Those of `recorded` that `whole` no longer names.
std::vector<ChangeText> DaemonRemovals(const DesiredState& recorded, const DesiredState& whole);

// `state` with the addresses that its VRRP instances hold by themselves while they are master, so
// that an address which moves from a fixed one to an instance of the same interface is not taken
// away as left over.
DesiredState WithVirtualAddresses(DesiredState state);
// `state` without fixed addresses that one of its instances holds: who is master has them.
DesiredState WithoutVirtualAddresses(DesiredState state);

}  // namespace drover
