// Which VRRP instances of different hosts are the same virtual router: they elect one master among
// them.
//
// Pure.
#pragma once

#include <vector>

#include "orchestrator/compile/cluster_state.h"
#include "orchestrator/compile/compiled_run.h"
#include "protocol/vrrp_settings.h"

namespace drover {

// Same id and family, and they share an address or the name: two clusters may use one id on
// different networks. In the order of the hosts' names; also those of one host alone.
std::vector<VirtualRouter> FindVirtualRouters(const std::map<std::string, DesiredState>& states);
// Null: the host has no such instance.
const VrrpInstance* FindInstance(const DesiredState& state, const std::string& name);

}  // namespace drover
