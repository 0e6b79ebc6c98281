#include "protocol/mac_address.h"

#include <string_view>

namespace drover {

std::string MacText(const MacAddress& mac) {
  if (mac == MacAddress{}) return "";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : mac) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

}  // namespace drover
