#include "orchestrator/template/operand.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace drover {
namespace {

// Python's repr of a float: the shortest digits that read back the same, always with a point.
std::string FloatText(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  char buffer[40];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(buffer, sizeof buffer, "%.*g", digits, number);
    if (std::strtod(buffer, nullptr) == number) break;
  }
  std::string text = buffer;
  const double size = std::fabs(number);
  if (text.find('e') != std::string::npos && size >= 1e-4 && size < 1e16) {
    std::snprintf(buffer, sizeof buffer, "%.1f", number);
    text = buffer;
  }
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string Quoted(const std::string& text) {
  const bool has_single = text.find('\'') != std::string::npos;
  const char quote = has_single && text.find('"') == std::string::npos ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '\r') {
      result += "\\r";
    } else {
      if (c == '\\' || c == quote) result += '\\';
      result += c;
    }
  }
  return result + quote;
}

std::string Repr(const Value& value) {
  return value.is_string() ? Quoted(value.get_ref<const std::string&>()) : PythonText(value);
}

std::string ListText(const Value& list) {
  std::string result = "[";
  for (const auto& item : list) {
    if (result.size() > 1) result += ", ";
    result += Repr(item);
  }
  return result + "]";
}

std::string MappingText(const Value& mapping) {
  std::string result = "{";
  for (const auto& [key, item] : mapping.items()) {
    if (result.size() > 1) result += ", ";
    result += Quoted(key) + ": " + Repr(item);
  }
  return result + "}";
}

bool IsNumber(const Value& value) { return value.is_number() || value.is_boolean(); }

double AsDouble(const Value& value) {
  return value.is_boolean() ? static_cast<double>(value.get<bool>()) : value.get<double>();
}

std::int64_t AsInteger(const Value& value) {
  return value.is_boolean() ? static_cast<std::int64_t>(value.get<bool>())
                            : value.get<std::int64_t>();
}

template <typename T>
int Sign(const T& left, const T& right) {
  return left < right ? -1 : (right < left ? 1 : 0);
}

Evaluated<ValuePtr> WholeMapping(LazyMapping& mapping, const Place& place) {
  Value whole = Value::object();
  for (const auto& key : mapping.Keys()) {
    auto operand = mapping.Get(key, place);
    if (!operand) return tl::unexpected(operand.error());
    if (!*operand) continue;
    auto value = Need(**operand, place);
    if (!value) return tl::unexpected(value.error());
    whole[key] = **value;
  }
  return std::make_shared<const Value>(std::move(whole));
}

}  // namespace

Evaluated<ValuePtr> Need(const Operand& operand, const Place& place) {
  if (const auto* value = std::get_if<ValuePtr>(&operand)) return *value;
  if (const auto* undefined = std::get_if<Undefined>(&operand)) {
    return tl::unexpected(undefined->why);
  }
  return WholeMapping(*std::get<std::shared_ptr<LazyMapping>>(operand), place);
}

std::string PythonText(const Value& value) {
  switch (value.type()) {
    case Value::value_t::null:
      return "None";
    case Value::value_t::boolean:
      return value.get<bool>() ? "True" : "False";
    case Value::value_t::string:
      return value.get<std::string>();
    case Value::value_t::number_float:
      return FloatText(value.get<double>());
    case Value::value_t::array:
      return ListText(value);
    case Value::value_t::object:
      return MappingText(value);
    default:
      return value.dump(-1, ' ', false, Value::error_handler_t::replace);
  }
}

std::string TypeName(const Value& value) {
  switch (value.type()) {
    case Value::value_t::null:
      return "nothing (null)";
    case Value::value_t::boolean:
      return "boolean";
    case Value::value_t::string:
      return "string";
    case Value::value_t::number_float:
      return "float";
    case Value::value_t::array:
      return "list";
    case Value::value_t::object:
      return "mapping";
    default:
      return "integer";
  }
}

bool IsTrue(const Value& value) {
  if (value.is_null()) return false;
  if (IsNumber(value)) return AsDouble(value) != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.empty();
}

bool PythonEqual(const Value& left, const Value& right) {
  if (IsNumber(left) && IsNumber(right)) {
    const bool floats = left.is_number_float() || right.is_number_float();
    return floats ? AsDouble(left) == AsDouble(right) : AsInteger(left) == AsInteger(right);
  }
  if (left.is_array() && right.is_array()) {
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(), PythonEqual);
  }
  if (left.is_object() && right.is_object()) {
    if (left.size() != right.size()) return false;
    for (const auto& [key, item] : left.items()) {
      const auto other = right.find(key);
      if (other == right.end() || !PythonEqual(item, *other)) return false;
    }
    return true;
  }
  return left.type() == right.type() && left == right;
}

std::optional<int> PythonCompare(const Value& left, const Value& right) {
  if (IsNumber(left) && IsNumber(right)) {
    const bool floats = left.is_number_float() || right.is_number_float();
    return floats ? Sign(AsDouble(left), AsDouble(right)) : Sign(AsInteger(left), AsInteger(right));
  }
  if (left.is_string() && right.is_string()) {
    return Sign(left.get_ref<const std::string&>(), right.get_ref<const std::string&>());
  }
  if (!left.is_array() || !right.is_array()) return std::nullopt;
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (PythonEqual(left[i], right[i])) continue;
    return PythonCompare(left[i], right[i]);
  }
  return Sign(left.size(), right.size());
}

std::vector<std::string> Characters(const std::string& text) {
  std::vector<std::string> characters;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (continues && !characters.empty()) {
      characters.back() += c;
    } else {
      characters.emplace_back(1, c);
    }
  }
  return characters;
}

}  // namespace drover
