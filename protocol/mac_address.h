// An Ethernet address and its text.
//
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace drover {

using MacAddress = std::array<std::uint8_t, 6>;

// "02:00:00:00:00:01"; empty for the MAC of nobody (all zero, as on lo).
std::string MacText(const MacAddress& mac);

}  // namespace drover
