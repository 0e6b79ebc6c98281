// Methods of mappings and strings, and global functions.
#include "orchestrator/template/call.h"
#include "orchestrator/template/operators.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxRange = 100000;

Evaluated<Operand> Get(const Bound& bound) {
  auto key = bound.Argument("key", nullptr);
  if (!key) return tl::unexpected(key.error());
  auto found = LookInto(bound.call.input, *key, bound.call.place);
  if (!found) return found;
  if (!std::holds_alternative<Undefined>(*found)) return found;
  if (std::holds_alternative<Undefined>(bound.call.input)) return found;
  return bound.Has("default") ? bound.arguments.at("default") : Of(nullptr);
}

enum class Half { kKeys, kValues, kItems };

template <Half kHalf>
Evaluated<Operand> Entries(const Bound& bound) {
  Value list = Value::array();
  if (const auto* lazy = std::get_if<std::shared_ptr<LazyMapping>>(&bound.call.input);
      lazy != nullptr && kHalf == Half::kKeys) {
    return Of(Value((*lazy)->Keys()));
  }
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  if (!(*value)->is_object()) {
    return bound.Wrong("\"" + bound.call.name + "()\" needs a mapping, not " + TypeName(**value));
  }
  for (const auto& [key, item] : (*value)->items()) {
    if (kHalf == Half::kKeys) list.push_back(key);
    if (kHalf == Half::kValues) list.push_back(item);
    if (kHalf == Half::kItems) list.push_back(Value::array({key, item}));
  }
  return Of(std::move(list));
}

// String methods that are filters under the same or another name.
Evaluated<Operand> AsFilter(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  if (!(*value)->is_string()) {
    return bound.Wrong("\"" + bound.call.name + "()\" needs a string, not " + TypeName(**value));
  }
  TemplateCall call = bound.call;
  if (call.name == "strip") call.name = "trim";
  return ApplyFilter(call);
}

template <bool kStart>
Evaluated<Operand> HasEnd(const Bound& bound) {
  auto value = bound.Input();
  auto part = bound.Argument("part", nullptr);
  if (!value) return tl::unexpected(value.error());
  if (!part) return tl::unexpected(part.error());
  if (!(*value)->is_string() || !part->is_string()) {
    return bound.Wrong("\"" + bound.call.name + "()\" needs strings");
  }
  const auto& text = (*value)->get_ref<const std::string&>();
  const auto& end = part->get_ref<const std::string&>();
  return Of(kStart ? text.starts_with(end) : text.ends_with(end));
}

Evaluated<Operand> Range(const Bound& bound) {
  std::vector<std::int64_t> numbers;
  for (const auto& operand : bound.rest) {
    auto value = Need(operand, bound.call.place);
    if (!value) return tl::unexpected(value.error());
    if (!(*value)->is_number_integer()) {
      return bound.Wrong("range() takes integers, not " + TypeName(**value));
    }
    numbers.push_back((*value)->get<std::int64_t>());
  }
  if (numbers.empty() || numbers.size() > 3) return bound.Wrong("range() takes 1 to 3 integers");
  const std::int64_t start = numbers.size() == 1 ? 0 : numbers[0];
  const std::int64_t end = numbers.size() == 1 ? numbers[0] : numbers[1];
  const std::int64_t step = numbers.size() == 3 ? numbers[2] : 1;
  if (step == 0) return bound.Wrong("the step of range() may not be 0");
  Value list = Value::array();
  std::int64_t at = start;
  while (step > 0 ? at < end : at > end) {
    if (list.size() >= static_cast<std::size_t>(kMaxRange)) {
      return bound.Wrong("range() would have more than " + std::to_string(kMaxRange) + " numbers");
    }
    list.push_back(at);
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  return Of(std::move(list));
}

const CallTable& Methods() {
  static const CallTable kTable = {
      {"capitalize", {AsFilter, {}}},
      {"endswith", {HasEnd<false>, {"part"}, 1}},
      {"get", {Get, {"key", "default"}, 1}},
      {"items", {Entries<Half::kItems>, {}}},
      {"keys", {Entries<Half::kKeys>, {}}},
      {"lower", {AsFilter, {}}},
      {"replace", {AsFilter, {"old", "new", "count"}, 2}},
      {"split", {AsFilter, {"sep"}}},
      {"startswith", {HasEnd<true>, {"part"}, 1}},
      {"strip", {AsFilter, {"chars"}}},
      {"upper", {AsFilter, {}}},
      {"values", {Entries<Half::kValues>, {}}},
  };
  return kTable;
}

const CallTable& Functions() {
  static const CallTable kTable = {{"range", {Range, {}, 1, true}}};
  return kTable;
}

}  // namespace

bool IsKnownMethod(const std::string& name) { return Methods().contains(name); }

const std::vector<std::string>& MethodNames() {
  static const std::vector<std::string> kNames = NamesOf(Methods());
  return kNames;
}

Evaluated<Operand> CallMethod(const TemplateCall& call) { return Run(Methods(), "method", call); }

bool IsKnownFunction(const std::string& name) { return Functions().contains(name); }

const std::vector<std::string>& FunctionNames() {
  static const std::vector<std::string> kNames = NamesOf(Functions());
  return kNames;
}

Evaluated<Operand> CallFunction(const TemplateCall& call) {
  return Run(Functions(), "function", call);
}

}  // namespace drover
