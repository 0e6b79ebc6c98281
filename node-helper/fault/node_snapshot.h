// What of this node a drill must leave as it was (protocol/drill.h, NodeSnapshot). What VRRP holds
// is left out: it may be another director's after a drill, and that is no residue.
//
// Looks only.
#pragma once

#include "node-helper/fault/drill_parts.h"
#include "protocol/drill.h"

namespace drover {

Result<NodeSnapshot> TakeNodeSnapshot(const DrillParts& parts);

}  // namespace drover
