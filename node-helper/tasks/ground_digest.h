// A short text that says whether what a plan was made for is still so: the owner's record and what
// the kernel has, without what moves by itself (verdicts of checks, mastership, link-local
// addresses).
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "node-helper/store/record.h"
#include "node-helper/tasks/daemon_link.h"
#include "protocol/desired_state.h"

namespace drover {

// `records` of all owners of the node. Two nodes, or two moments, with the same digest give the
// same plan.
std::string GroundDigest(const std::string& owner, const std::vector<OwnerRecord>& records,
                         const DesiredState& observed, const Overlay& overlay);

}  // namespace drover
