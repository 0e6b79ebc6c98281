// The tests that stand after "is".
#include <functional>

#include "orchestrator/template/call.h"
#include "orchestrator/template/operators.h"

namespace drover {
namespace {

using Judgement = bool (*)(const Value&);

template <Judgement kJudge>
Evaluated<Operand> Is(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  return Of(kJudge(**value));
}

bool IsNone(const Value& value) { return value.is_null(); }
bool IsString(const Value& value) { return value.is_string(); }
bool IsNumber(const Value& value) { return value.is_number() || value.is_boolean(); }
bool IsInteger(const Value& value) { return value.is_number_integer(); }
bool IsFloat(const Value& value) { return value.is_number_float(); }
bool IsBoolean(const Value& value) { return value.is_boolean(); }
bool IsMapping(const Value& value) { return value.is_object(); }
bool IsSequence(const Value& value) {
  return value.is_array() || value.is_string() || value.is_object();
}
bool IsLiteralTrue(const Value& value) { return value.is_boolean() && value.get<bool>(); }
bool IsLiteralFalse(const Value& value) { return value.is_boolean() && !value.get<bool>(); }

template <bool kDefined>
Evaluated<Operand> Defined(const Bound& bound) {
  return Of(std::holds_alternative<Undefined>(bound.call.input) != kDefined);
}

template <int kRest>
Evaluated<Operand> Parity(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  if (!(*value)->is_number_integer())
    return bound.Wrong("\"" + bound.call.name + "\" needs an integer");
  return Of(((*value)->get<std::int64_t>() & 1) == kRest);
}

Evaluated<Operand> In(const Bound& bound) {
  auto value = bound.Input();
  auto hay = bound.Argument("seq", nullptr);
  if (!value) return tl::unexpected(value.error());
  if (!hay) return tl::unexpected(hay.error());
  auto found = Contains(*hay, **value, bound.call.place);
  if (!found) return tl::unexpected(found.error());
  return Of(*found);
}

Evaluated<Operand> Has(const Bound& bound) {
  auto value = bound.Input();
  auto needle = bound.Argument("value", nullptr);
  if (!value) return tl::unexpected(value.error());
  if (!needle) return tl::unexpected(needle.error());
  auto found = Contains(**value, *needle, bound.call.place);
  if (!found) return tl::unexpected(found.error());
  return Of(*found);
}

// The comparison by its name: eq, lt…
Evaluated<Operand> Compared(const Bound& bound) {
  auto value = bound.Input();
  auto other = bound.Argument("other", nullptr);
  if (!value) return tl::unexpected(value.error());
  if (!other) return tl::unexpected(other.error());
  const std::string& name = bound.call.name;
  if (name == "eq" || name == "equalto") return Of(PythonEqual(**value, *other));
  if (name == "ne") return Of(!PythonEqual(**value, *other));
  const auto order = PythonCompare(**value, *other);
  if (!order) {
    return bound.Wrong("cannot compare " + TypeName(**value) + " with " + TypeName(*other));
  }
  if (name == "lt") return Of(*order < 0);
  if (name == "le") return Of(*order <= 0);
  return Of(name == "gt" ? *order > 0 : *order >= 0);
}

const CallTable& Tests() {
  static const CallTable kTable = {
      {"boolean", {Is<IsBoolean>, {}}},
      {"contains", {Has, {"value"}, 1}},
      {"defined", {Defined<true>, {}}},
      {"eq", {Compared, {"other"}, 1}},
      {"equalto", {Compared, {"other"}, 1}},
      {"even", {Parity<0>, {}}},
      {"false", {Is<IsLiteralFalse>, {}}},
      {"float", {Is<IsFloat>, {}}},
      {"ge", {Compared, {"other"}, 1}},
      {"gt", {Compared, {"other"}, 1}},
      {"in", {In, {"seq"}, 1}},
      {"integer", {Is<IsInteger>, {}}},
      {"iterable", {Is<IsSequence>, {}}},
      {"le", {Compared, {"other"}, 1}},
      {"lt", {Compared, {"other"}, 1}},
      {"mapping", {Is<IsMapping>, {}}},
      {"ne", {Compared, {"other"}, 1}},
      {"none", {Is<IsNone>, {}}},
      {"number", {Is<IsNumber>, {}}},
      {"odd", {Parity<1>, {}}},
      {"sequence", {Is<IsSequence>, {}}},
      {"string", {Is<IsString>, {}}},
      {"true", {Is<IsLiteralTrue>, {}}},
      {"truthy", {Is<IsTrue>, {}}},
      {"undefined", {Defined<false>, {}}},
  };
  return kTable;
}

}  // namespace

bool IsKnownTest(const std::string& name) { return Tests().contains(name); }

const std::vector<std::string>& TestNames() {
  static const std::vector<std::string> kNames = NamesOf(Tests());
  return kNames;
}

Evaluated<bool> ApplyTest(const TemplateCall& call) {
  auto result = Run(Tests(), "test", call);
  if (!result) return tl::unexpected(result.error());
  return IsTrue(*std::get<ValuePtr>(*result));
}

}  // namespace drover
