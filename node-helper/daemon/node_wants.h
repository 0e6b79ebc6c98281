// What the records of all owners ask of this node together.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "node-helper/store/record.h"
#include "protocol/desired_state.h"

namespace drover {

// Every resource once: owners agree on what they share (store/ownership), and where old records do
// not, the first owner counts. Fixed addresses that an instance holds are left to the instance.
DesiredState NodeWants(const std::vector<OwnerRecord>& records);

}  // namespace drover
