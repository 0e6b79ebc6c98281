// What stands at a virtual_service beside its real servers: checks, and what follows from them.
//
// Pure but for the resolver that the options may bring.
#pragma once

#include <optional>
#include <vector>

#include "orchestrator/compile/real_servers.h"
#include "protocol/check_settings.h"

namespace drover {

// Nothing without "check"; offences are said. `service` has its key and scheduler, `servers` are
// those that it will have.
std::optional<ServiceWatch> ReadWatch(const VirtualService& service, const ServerDefaults& defaults,
                                      const std::vector<PlacedServer>& servers,
                                      Arguments& arguments, ModuleContext& context);

// A check through the VIP is answered by the VIP. A master of it, which has the address itself,
// takes such answers over IPv4 only where accept_local is on: on the interface that has the VIP,
// which for direct routing is the one on the network of the real servers. Once, after all tasks:
// the VIP may be defined behind the service.
void ImplyAnswersFromVips(ClusterState& cluster);

}  // namespace drover
