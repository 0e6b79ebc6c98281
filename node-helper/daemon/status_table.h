// A node's status as a table for people: `node-helper status`.
//
// Pure.
#pragma once

#include <string>

#include "protocol/node_status.h"

namespace drover {

std::string StatusTable(const NodeStatus& status);

}  // namespace drover
