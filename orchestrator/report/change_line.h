// One difference in one line, as --diff and plans show it.
//
// Pure.
#pragma once

#include <string>

#include "protocol/change.h"

namespace drover {

// "+ address 10.0.0.100/32 on lo: 10.0.0.100/32  (missing)", without a newline; "~" changes, "-"
// removes.
std::string ChangeLine(const ChangeText& change, bool colours);

}  // namespace drover
