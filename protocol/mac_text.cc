#include "protocol/mac_text.h"

#include <string>

namespace drover {

Result<MacAddress> ParseMac(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  constexpr std::size_t kText = 17;
  MacAddress mac{};
  bool fits = text.size() == kText;
  for (std::size_t i = 0; fits && i < mac.size(); ++i) {
    const int high = digit(text[3 * i]);
    const int low = digit(text[3 * i + 1]);
    fits = high >= 0 && low >= 0 && (i + 1 == mac.size() || text[3 * i + 2] == ':');
    if (fits) mac.at(i) = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (!fits) return Fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no MAC");
  return mac;
}

}  // namespace drover
