#include "orchestrator/template/operators.h"

#include <algorithm>
#include <cmath>

namespace drover {
namespace {

bool IsIntegral(const Value& value) { return value.is_number_integer() || value.is_boolean(); }
bool IsNumeric(const Value& value) { return value.is_number() || value.is_boolean(); }

std::int64_t Integer(const Value& value) {
  return value.is_boolean() ? static_cast<std::int64_t>(value.get<bool>())
                            : value.get<std::int64_t>();
}
double Double(const Value& value) {
  return value.is_boolean() ? static_cast<double>(value.get<bool>()) : value.get<double>();
}

Evaluated<Value> IntegerArithmetic(const std::string& op, std::int64_t a, std::int64_t b,
                                   const Place& place) {
  std::int64_t result = 0;
  bool overflow = false;
  if (op == "+") {
    overflow = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    overflow = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    overflow = __builtin_mul_overflow(a, b, &result);
  } else {
    if (b == 0) return Offence(place, "division by zero in the template");
    if (op == "/") return Value(static_cast<double>(a) / static_cast<double>(b));
    if (b == -1) {
      if (op == "%") return Value(0);
      overflow = __builtin_sub_overflow(std::int64_t{0}, a, &result);
    } else {
      const bool floors = a % b != 0 && (a < 0) != (b < 0);
      result = op == "//" ? a / b - (floors ? 1 : 0) : a % b + (floors ? b : 0);
    }
  }
  if (overflow) return Offence(place, "number in the template grows too large");
  return Value(result);
}

Evaluated<Value> FloatArithmetic(const std::string& op, double a, double b, const Place& place) {
  if (op == "+") return Value(a + b);
  if (op == "-") return Value(a - b);
  if (op == "*") return Value(a * b);
  if (b == 0) return Offence(place, "division by zero in the template");
  if (op == "/") return Value(a / b);
  const double floor = std::floor(a / b);
  return Value(op == "//" ? floor : a - floor * b);
}

Evaluated<Value> Repeat(const Value& what, std::int64_t times, const Place& place) {
  const std::size_t size =
      what.is_string() ? what.get_ref<const std::string&>().size() : what.size();
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(0, times));
  if (size > 0 && count > kMaxTemplateSize / size) {
    return Offence(place, "value in the template grows too large");
  }
  if (what.is_string()) {
    std::string text;
    for (std::size_t i = 0; i < count && size > 0; ++i) text += what.get_ref<const std::string&>();
    return Value(std::move(text));
  }
  Value list = Value::array();
  for (std::size_t i = 0; i < count && size > 0; ++i) {
    list.insert(list.end(), what.begin(), what.end());
  }
  return list;
}

// A Python index: negative ones count from the end. Nothing when out of range.
std::optional<std::size_t> Position(const Value& index, std::size_t size) {
  if (!index.is_number_integer()) return std::nullopt;
  std::int64_t at = index.get<std::int64_t>();
  const auto length = static_cast<std::int64_t>(size);
  if (at < 0) at += length;
  if (at < 0 || at >= length) return std::nullopt;
  return static_cast<std::size_t>(at);
}

Operand Missing(const Place& place, std::string message, std::string hint = "") {
  return Undefined{Diagnostic{place, std::move(message), std::move(hint)}};
}

std::string Quote(const Value& key) {
  return key.is_string() ? "\"" + key.get<std::string>() + "\"" : PythonText(key);
}

Operand LookIntoValue(const ValuePtr& object, const Value& key, const Place& place) {
  if (object->is_object()) {
    const auto found = object->find(key.is_string() ? key.get<std::string>() : PythonText(key));
    if (found != object->end()) return ValuePtr(object, &*found);
    std::vector<std::string> names;
    for (const auto& [name, item] : object->items()) names.push_back(name);
    return Missing(place, "undefined key " + Quote(key) + " of a mapping",
                   key.is_string() ? DidYouMean(key.get<std::string>(), names) : "");
  }
  if (object->is_array() && key.is_number_integer()) {
    if (const auto at = Position(key, object->size())) return ValuePtr(object, &(*object)[*at]);
    return Missing(place, "index " + PythonText(key) + " is outside of the list, which has " +
                              std::to_string(object->size()) + " items");
  }
  if (object->is_string() && key.is_number_integer()) {
    const auto characters = Characters(object->get<std::string>());
    if (const auto at = Position(key, characters.size())) return Of(characters[*at]);
    return Missing(place, "index " + PythonText(key) + " is outside of the string");
  }
  return Missing(place, "a value of type " + TypeName(*object) + " has no " + Quote(key));
}

}  // namespace

Evaluated<Value> Arithmetic(const std::string& op, const Value& left, const Value& right,
                            const Place& place) {
  if (op == "~") return Value(PythonText(left) + PythonText(right));
  if (IsIntegral(left) && IsIntegral(right)) {
    return IntegerArithmetic(op, Integer(left), Integer(right), place);
  }
  if (IsNumeric(left) && IsNumeric(right)) {
    return FloatArithmetic(op, Double(left), Double(right), place);
  }
  if (op == "+" && left.is_string() && right.is_string()) {
    return Value(left.get<std::string>() + right.get<std::string>());
  }
  if (op == "+" && left.is_array() && right.is_array()) {
    Value list = left;
    list.insert(list.end(), right.begin(), right.end());
    return list;
  }
  if (op == "*" && (left.is_string() || left.is_array()) && IsIntegral(right)) {
    return Repeat(left, Integer(right), place);
  }
  if (op == "*" && (right.is_string() || right.is_array()) && IsIntegral(left)) {
    return Repeat(right, Integer(left), place);
  }
  const bool mixed = left.is_string() != right.is_string();
  return Offence(
      place,
      "cannot compute " + TypeName(left) + " " + op + " " + TypeName(right) + " in a template",
      mixed ? "use ~ to join texts, or | int to compute with numbers" : "");
}

Evaluated<bool> Contains(const Value& hay, const Value& needle, const Place& place) {
  if (hay.is_array()) {
    return std::any_of(hay.begin(), hay.end(),
                       [&](const Value& item) { return PythonEqual(item, needle); });
  }
  if (hay.is_object()) return needle.is_string() && hay.contains(needle.get<std::string>());
  if (hay.is_string() && needle.is_string()) {
    return hay.get_ref<const std::string&>().find(needle.get_ref<const std::string&>()) !=
           std::string::npos;
  }
  return Offence(place, "cannot look for " + TypeName(needle) + " in " + TypeName(hay));
}

Evaluated<Operand> LookInto(const Operand& object, const Value& key, const Place& place) {
  if (std::holds_alternative<Undefined>(object)) return object;
  if (const auto* value = std::get_if<ValuePtr>(&object)) return LookIntoValue(*value, key, place);
  LazyMapping& mapping = *std::get<std::shared_ptr<LazyMapping>>(object);
  const std::string name = key.is_string() ? key.get<std::string>() : PythonText(key);
  auto found = mapping.Get(name, place);
  if (!found) return tl::unexpected(found.error());
  if (*found) return std::move(**found);
  return Missing(place, mapping.Name() + " has no \"" + name + "\"",
                 DidYouMean(name, mapping.Keys()));
}

Evaluated<Operand> Slice(const Value& object, const Value& start, const Value& end,
                         const Place& place) {
  if (!object.is_array() && !object.is_string()) {
    return Offence(place, "cannot take a slice of " + TypeName(object));
  }
  const auto characters =
      object.is_string() ? Characters(object.get<std::string>()) : std::vector<std::string>();
  const auto size =
      static_cast<std::int64_t>(object.is_array() ? object.size() : characters.size());
  const auto bound = [&](const Value& at, std::int64_t fallback) {
    if (!at.is_number_integer()) return fallback;
    const auto number = at.get<std::int64_t>();
    return std::clamp<std::int64_t>(number < 0 ? number + size : number, 0, size);
  };
  for (const Value* at : {&start, &end}) {
    if (!at->is_null() && !at->is_number_integer()) {
      return Offence(place, "bounds of a slice are integers, not " + TypeName(*at));
    }
  }
  const std::int64_t from = bound(start, 0);
  const std::int64_t to = bound(end, size);
  Value list = Value::array();
  std::string text;
  for (std::int64_t i = from; i < to; ++i) {
    if (object.is_array()) {
      list.push_back(object[static_cast<std::size_t>(i)]);
    } else {
      text += characters[static_cast<std::size_t>(i)];
    }
  }
  return object.is_array() ? Of(std::move(list)) : Of(std::move(text));
}

}  // namespace drover
