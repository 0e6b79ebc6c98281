#include "orchestrator/source/python_number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

namespace drover {

std::string PythonFloat(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                 std::chars_format::scientific)
                       .ptr;
  // "d.ddde[+-]xx": Python shows exponents from 16 up and below -4 only.
  const std::string scientific(buffer.data(), end);
  const std::size_t e = scientific.find('e');
  const int exponent = std::atoi(scientific.c_str() + e + 1);
  if (exponent < -4 || exponent >= 16) return scientific;
  const auto fixed_end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed)
          .ptr;
  std::string fixed(buffer.data(), fixed_end);
  if (fixed.find('.') == std::string::npos) fixed += ".0";
  return fixed;
}

std::optional<Value> ReadInteger(std::string_view digits, int base, bool negative) {
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!negative) {
    if (number > kLargest) return Value(number);
    return Value(static_cast<std::int64_t>(number));
  }
  if (number > kLargest + 1) return std::nullopt;
  return Value(static_cast<std::int64_t>(0 - number));
}

double ReadFloat(std::string_view text) { return std::strtod(std::string(text).c_str(), nullptr); }

}  // namespace drover
