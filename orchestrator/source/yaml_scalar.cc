#include "orchestrator/source/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <limits>
#include <optional>

#include "orchestrator/source/python_number.h"

namespace drover {
namespace {

bool Digit(char c) { return c >= '0' && c <= '9'; }

bool OneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text == word) return true;
  }
  return false;
}

// True when all of `text` is made of `set`.
bool Only(std::string_view text, std::string_view set) {
  return text.find_first_not_of(set) == std::string_view::npos;
}

std::string WithoutUnderscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out.push_back(c);
  }
  return out;
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kDigitsAnd_ = "0123456789_";

std::optional<bool> AsBool(std::string_view text) {
  if (OneOf(text, {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) return true;
  if (OneOf(text, {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) return false;
  return std::nullopt;
}

bool IsNullWord(std::string_view text) { return OneOf(text, {"", "~", "null", "Null", "NULL"}); }

// Takes "+" or "-" off; true for minus.
bool TakeSign(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  return negative;
}

// ":[0-5]?[0-9]" once or more, all of `text`.
bool IsSixties(std::string_view text) {
  if (text.empty()) return false;
  while (!text.empty()) {
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view part = text.substr(0, end);
    if (part.empty() || part.size() > 2 || !Only(part, kDigits)) return false;
    if (part.size() == 2 && part[0] > '5') return false;
    text.remove_prefix(end);
  }
  return true;
}

bool IsInt(std::string_view text) {
  TakeSign(text);
  if (text.empty() || !Digit(text[0])) return false;
  if (text == "0") return true;
  if (text.starts_with("0b")) return text.size() > 2 && Only(text.substr(2), "01_");
  if (text.starts_with("0x")) {
    return text.size() > 2 && Only(text.substr(2), "0123456789abcdefABCDEF_");
  }
  if (text[0] == '0') return Only(text, "01234567_");
  const std::size_t colon = std::min(text.find(':'), text.size());
  if (!Only(text.substr(0, colon), kDigitsAnd_)) return false;
  return colon == text.size() || IsSixties(text.substr(colon));
}

// "[eE][-+][0-9]+" or nothing.
bool IsExponent(std::string_view text) {
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  return text.size() >= 2 && (text[0] == '+' || text[0] == '-') && Only(text.substr(1), kDigits);
}

bool IsFloat(std::string_view text) {
  if (OneOf(text, {".nan", ".NaN", ".NAN"})) return true;
  const bool is_signed = text.starts_with('-') || text.starts_with('+');
  TakeSign(text);
  if (OneOf(text, {".inf", ".Inf", ".INF"})) return true;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view whole = text.substr(0, dot);
  const std::string_view rest = text.substr(dot + 1);
  const std::size_t e = std::min(rest.find_first_of("eE"), rest.size());
  if (!Only(rest.substr(0, e), kDigitsAnd_)) return false;
  if (whole.empty()) {
    return !is_signed && !rest.empty() && Digit(rest[0]) && IsExponent(rest.substr(e));
  }
  if (!Digit(whole[0])) return false;
  const std::size_t colon = whole.find(':');
  if (colon == std::string_view::npos) {
    return Only(whole, kDigitsAnd_) && IsExponent(rest.substr(e));
  }
  return Only(whole.substr(0, colon), kDigitsAnd_) && IsSixties(whole.substr(colon)) &&
         e == rest.size();
}

// A run of `least` to `most` digits as a number; -1 when there is none. Moves behind it.
int TakeNumber(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  int number = 0;
  while (count < most && count < text.size() && Digit(text[count])) {
    number = number * 10 + (text[count++] - '0');
  }
  if (count < least) return -1;
  text.remove_prefix(count);
  return number;
}

bool TakeChar(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

void SkipBlanks(std::string_view& text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
}

// The parts of a date, with the time of day when `has_time`.
struct Timestamp {
  int year = 0, month = 0, day = 0;
  bool has_time = false;
  int hour = 0, minute = 0, second = 0;
  std::string fraction;
  bool has_zone = false;
  char zone_sign = 'Z';
  int zone_hour = 0, zone_minute = 0;
};

// "[ \t]*(Z|[-+]hh?(:mm)?)" or nothing, to the end.
bool ReadZone(std::string_view text, Timestamp& out) {
  if (text.empty()) return true;
  SkipBlanks(text);
  out.has_zone = true;
  if (text == "Z") return true;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
  out.zone_sign = text[0];
  text.remove_prefix(1);
  out.zone_hour = TakeNumber(text, 1, 2);
  if (out.zone_hour >= 0 && TakeChar(text, ':')) out.zone_minute = TakeNumber(text, 2, 2);
  return out.zone_hour >= 0 && out.zone_minute >= 0 && text.empty();
}

std::optional<Timestamp> ReadTimestamp(std::string_view text) {
  Timestamp out;
  const std::string_view all = text;
  out.year = TakeNumber(text, 4, 4);
  if (out.year < 0 || !TakeChar(text, '-')) return std::nullopt;
  out.month = TakeNumber(text, 1, 2);
  if (out.month < 0 || !TakeChar(text, '-')) return std::nullopt;
  out.day = TakeNumber(text, 1, 2);
  if (out.day < 0) return std::nullopt;
  // A bare date has two digits everywhere.
  if (text.empty()) return all.size() == 10 ? std::optional(out) : std::nullopt;
  out.has_time = true;
  if (text[0] == 'T' || text[0] == 't') {
    text.remove_prefix(1);
  } else if (text[0] == ' ' || text[0] == '\t') {
    SkipBlanks(text);
  } else {
    return std::nullopt;
  }
  out.hour = TakeNumber(text, 1, 2);
  if (out.hour < 0 || !TakeChar(text, ':')) return std::nullopt;
  out.minute = TakeNumber(text, 2, 2);
  if (out.minute < 0 || !TakeChar(text, ':')) return std::nullopt;
  out.second = TakeNumber(text, 2, 2);
  if (out.second < 0) return std::nullopt;
  if (TakeChar(text, '.')) {
    while (!text.empty() && Digit(text[0])) {
      out.fraction.push_back(text[0]);
      text.remove_prefix(1);
    }
  }
  return ReadZone(text, out) ? std::optional(out) : std::nullopt;
}

bool Exists(const Timestamp& t) {
  const std::chrono::year_month_day date{std::chrono::year(t.year),
                                         std::chrono::month(static_cast<unsigned>(t.month)),
                                         std::chrono::day(static_cast<unsigned>(t.day))};
  return t.year > 0 && date.ok() && t.hour < 24 && t.minute < 60 && t.second < 60 &&
         t.zone_hour * 60 + t.zone_minute < 24 * 60;
}

// As Python's isoformat() prints it, which is what ansible-inventory shows.
std::string IsoFormat(const Timestamp& t) {
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", t.year, t.month, t.day);
  std::string out = text.data();
  if (!t.has_time) return out;
  std::snprintf(text.data(), text.size(), "T%02d:%02d:%02d", t.hour, t.minute, t.second);
  out += text.data();
  std::string micros = t.fraction.substr(0, 6);
  micros.resize(6, '0');
  if (micros != "000000") out += "." + micros;
  if (!t.has_zone) return out;
  const int minutes = t.zone_hour * 60 + t.zone_minute;
  std::snprintf(text.data(), text.size(), "%c%02d:%02d",
                t.zone_sign == '-' && minutes > 0 ? '-' : '+', minutes / 60, minutes % 60);
  return out + text.data();
}

ScalarReading Problem(std::string problem) { return {Value(), std::move(problem)}; }

ScalarReading IntOrProblem(std::optional<Value> value, std::string_view text) {
  if (value) return {std::move(*value), ""};
  return Problem("the number " + std::string(text) + " does not fit into 64 bits");
}

ScalarReading ReadInt(std::string_view text) {
  std::string digits = WithoutUnderscores(text);
  std::string_view rest = digits;
  const bool negative = TakeSign(rest);
  if (rest.size() == 2 && (rest == "0b" || rest == "0x")) {
    return Problem("\"" + std::string(text) + "\" has no digits");
  }
  if (rest.starts_with("0b")) return IntOrProblem(ReadInteger(rest.substr(2), 2, negative), text);
  if (rest.starts_with("0x")) return IntOrProblem(ReadInteger(rest.substr(2), 16, negative), text);
  if (rest.find(':') == std::string_view::npos) {
    const int base = rest.size() > 1 && rest[0] == '0' ? 8 : 10;
    return IntOrProblem(ReadInteger(rest, base, negative), text);
  }
  std::uint64_t number = 0;
  while (true) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const auto part = ReadInteger(rest.substr(0, end), 10, false);
    constexpr std::uint64_t kRoom = std::numeric_limits<std::int64_t>::max() / 60 - 1;
    if (!part || number > kRoom || part->get<std::uint64_t>() > kRoom) {
      return IntOrProblem(std::nullopt, text);
    }
    number = number * 60 + part->get<std::uint64_t>();
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  const auto value = static_cast<std::int64_t>(number);
  return {Value(negative ? -value : value), ""};
}

ScalarReading ReadFloatScalar(std::string_view text) {
  std::string digits = WithoutUnderscores(text);
  for (char& c : digits) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  std::string_view rest = digits;
  const double sign = TakeSign(rest) ? -1 : 1;
  if (OneOf(rest, {".inf", "inf", "infinity"})) {
    return {Value(sign * std::numeric_limits<double>::infinity()), ""};
  }
  if (OneOf(rest, {".nan", "nan"})) return {Value(std::numeric_limits<double>::quiet_NaN()), ""};
  // From the right, as PyYAML adds: sums of floats depend on the order.
  double number = 0;
  double base = 1;
  while (true) {
    const std::size_t colon = rest.rfind(':');
    const std::size_t begin = colon == std::string_view::npos ? 0 : colon + 1;
    number += ReadFloat(rest.substr(begin)) * base;
    if (begin == 0) break;
    base *= 60;
    rest = rest.substr(0, colon);
  }
  return {Value(sign * number), ""};
}

ScalarReading ReadDate(const Timestamp& timestamp, std::string_view text) {
  if (!Exists(timestamp)) return Problem("there is no date " + std::string(text));
  return {Value(IsoFormat(timestamp)), ""};
}

ScalarReading ReadPlain(std::string_view text) {
  if (IsNullWord(text)) return {};
  if (const auto truth = AsBool(text)) return {Value(*truth), ""};
  const char first = text[0];
  const bool numeric = Digit(first) || first == '-' || first == '+' || first == '.';
  if (numeric && IsFloat(text)) return ReadFloatScalar(text);
  if (numeric && IsInt(text)) return ReadInt(text);
  if (Digit(first)) {
    if (const auto timestamp = ReadTimestamp(text)) return ReadDate(*timestamp, text);
  }
  if (text == "=" || text == "<<") {
    return Problem("a bare \"" + std::string(text) + "\" has no meaning here");
  }
  return {Value(std::string(text)), ""};
}

// Is it a number in the wider sense that Python's float() accepts ("1e3")?
bool IsPythonFloat(std::string_view text) {
  TakeSign(text);
  if (OneOf(text, {"nan", "NaN", "inf", "Infinity", "infinity"})) return true;
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  const std::string_view mantissa = text.substr(0, e);
  std::string_view exponent = text.substr(e);
  if (!exponent.empty()) {
    exponent.remove_prefix(1);
    TakeSign(exponent);
    if (exponent.empty() || !Only(exponent, kDigits)) return false;
  }
  const std::size_t dot = std::min(mantissa.find('.'), mantissa.size());
  const std::string_view fraction = mantissa.substr(std::min(dot + 1, mantissa.size()));
  return Only(mantissa.substr(0, dot), kDigitsAnd_) && Only(fraction, kDigitsAnd_) &&
         mantissa.find_first_of(kDigits) != std::string_view::npos;
}

ScalarReading ReadTagged(std::string_view text, std::string_view tag) {
  const auto no = [&] {
    return Problem("\"" + std::string(text) + "\" is no " + std::string(tag));
  };
  if (tag == "!!null") return {};
  if (tag == "!!bool") {
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    const auto truth = AsBool(lower);
    return truth ? ScalarReading{Value(*truth), ""} : no();
  }
  if (tag == "!!int") return IsInt(text) ? ReadInt(text) : no();
  if (tag == "!!float") {
    return IsFloat(text) || IsPythonFloat(text) ? ReadFloatScalar(text) : no();
  }
  if (tag == "!!timestamp") {
    const auto timestamp = ReadTimestamp(text);
    return timestamp ? ReadDate(*timestamp, text) : no();
  }
  return {Value(std::string(text)), ""};
}

}  // namespace

ScalarReading ReadScalar(std::string_view text, bool plain, std::string_view tag) {
  if (!tag.empty()) return ReadTagged(text, tag);
  if (!plain) return {Value(std::string(text)), ""};
  return ReadPlain(text);
}

bool IsMergeKey(std::string_view text, bool plain, std::string_view tag) {
  return plain && tag.empty() && text == "<<";
}

std::string KeyText(const Value& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) {
    const std::string text = PythonFloat(value.get<double>());
    if (text == "nan") return "NaN";
    if (text == "inf") return "Infinity";
    return text == "-inf" ? "-Infinity" : text;
  }
  return value.dump(-1, ' ', false, Value::error_handler_t::replace);
}

}  // namespace drover
