// Reads what MacText writes.
//
// Pure.
#pragma once

#include <string_view>

#include "protocol/mac_address.h"
#include "protocol/result.h"

namespace drover {

// "02:00:00:00:00:01"; kInvalid for anything else, also for the empty text of nobody.
Result<MacAddress> ParseMac(std::string_view text);

}  // namespace drover
