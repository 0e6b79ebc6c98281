#include "orchestrator/source/duration.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <string>

namespace drover {
namespace {

constexpr double kYear = 366.0 * 24 * 3600 * 1000;

std::optional<std::chrono::milliseconds> Milliseconds(double number) {
  if (!std::isfinite(number) || number < 0 || number > kYear) return std::nullopt;
  return std::chrono::milliseconds(std::llround(number));
}

}  // namespace

std::optional<std::chrono::milliseconds> ReadDuration(const Value& value) {
  if (value.is_number()) return Milliseconds(value.get<double>() * 1000);
  if (!value.is_string()) return std::nullopt;
  static const std::map<std::string, double> kUnits = {
      {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60e3}, {"h", 3600e3}, {"d", 24 * 3600e3}};
  const auto text = value.get<std::string>();
  const std::size_t digits = text.find_first_not_of("0123456789.");
  const std::string number = text.substr(0, digits);
  const auto unit = kUnits.find(digits == std::string::npos ? "" : text.substr(digits));
  char* end = nullptr;
  const double amount = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || unit == kUnits.end()) return std::nullopt;
  return Milliseconds(amount * unit->second);
}

}  // namespace drover
