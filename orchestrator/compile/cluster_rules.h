// What can be told only when every task of every host is known: names that nobody defines, and
// settings of several hosts that would give a cluster two masters.
//
// Pure.
#pragma once

#include "orchestrator/compile/cluster_state.h"

namespace drover {

// Said at the resources' own places. Warnings are about what is legal but seldom meant.
void CheckCluster(const ClusterState& cluster, Diagnostics& errors, Diagnostics& warnings);

}  // namespace drover
