#include "protocol/words.h"

#include <algorithm>

namespace drover {
namespace {

constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ without its terminator

}  // namespace

std::string DurationText(std::chrono::milliseconds span) {
  if (span.count() % 1000 != 0) return std::to_string(span.count()) + "ms";
  return std::to_string(span.count() / 1000) + "s";
}

Status ValidateInterfaceName(std::string_view name) {
  const bool odd = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '/' || c == ':' || c == 0x7f;
  });
  if (name.empty() || name.size() > kMaxInterfaceName || odd || name == "." || name == "..") {
    return Fail(ErrorCode::kInvalid,
                "\"" + std::string(name) + "\" is no interface name (1 to 15 characters)");
  }
  return {};
}

}  // namespace drover
