// Parts of the network that a run may change: interfaces, and addresses with routes and rules. Two
// parts, because settings of the kernel (sysctl_part) go between them: an interface below the least
// MTU of IPv6 has no settings of IPv6, and with IPv6 switched off it takes no address.
//
// One thread at a time.
#pragma once

#include "node-helper/net/network_plan.h"
#include "node-helper/transaction/undo_part.h"

namespace drover {

std::unique_ptr<UndoPart> MakeLinksPart(HeldNow held);    // "links"
std::unique_ptr<UndoPart> MakeRoutingPart(HeldNow held);  // "routing"

}  // namespace drover
