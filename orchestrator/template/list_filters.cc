#include <algorithm>

#include "orchestrator/template/call.h"
#include "orchestrator/template/operators.h"

namespace drover {
namespace {

Evaluated<Operand> Join(const Bound& bound) {
  auto items = bound.Items();
  auto separator = bound.TextArgument("d", "");
  if (!items) return tl::unexpected(items.error());
  if (!separator) return tl::unexpected(separator.error());
  std::string text;
  bool first = true;
  for (const auto& item : *items) {
    if (!first) text += *separator;
    first = false;
    if (!bound.Has("attribute")) {
      text += PythonText(item);
      continue;
    }
    auto path = bound.Argument("attribute", nullptr);
    if (!path) return tl::unexpected(path.error());
    auto part = LookUpPath(Of(item), *path, bound.call.place);
    if (!part) return part;
    auto value = Need(*part, bound.call.place);
    if (!value) return tl::unexpected(value.error());
    text += PythonText(**value);
  }
  return Of(std::move(text));
}

Evaluated<Operand> Length(const Bound& bound) {
  if (const auto* lazy = std::get_if<std::shared_ptr<LazyMapping>>(&bound.call.input)) {
    return Of(static_cast<std::int64_t>((*lazy)->Keys().size()));
  }
  auto items = bound.Items();
  if (!items) return tl::unexpected(items.error());
  return Of(static_cast<std::int64_t>(items->size()));
}

Evaluated<Operand> List(const Bound& bound) {
  auto items = bound.Items();
  if (!items) return tl::unexpected(items.error());
  return Of(Value(*items));
}

template <bool kFirst>
Evaluated<Operand> End(const Bound& bound) {
  auto items = bound.Items();
  if (!items) return tl::unexpected(items.error());
  if (!items->empty()) return Of(kFirst ? items->front() : items->back());
  return Undefined{
      Diagnostic{bound.call.place, "filter \"" + bound.call.name + "\" found an empty list", ""}};
}

// What sort, min, max and unique compare: the item or its attribute, strings without their case.
Evaluated<Value> KeyOf(const Bound& bound, const Value& item) {
  Value key = item;
  if (bound.Has("attribute")) {
    auto path = bound.Argument("attribute", nullptr);
    if (!path) return tl::unexpected(path.error());
    auto part = LookUpPath(Of(item), *path, bound.call.place);
    if (!part) return tl::unexpected(part.error());
    auto value = Need(*part, bound.call.place);
    if (!value) return tl::unexpected(value.error());
    key = **value;
  }
  auto sensitive = bound.Flag("case_sensitive", false);
  if (!sensitive) return tl::unexpected(sensitive.error());
  if (!*sensitive && key.is_string()) {
    auto text = key.get<std::string>();
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    key = std::move(text);
  }
  return key;
}

using Keyed = std::vector<std::pair<Value, Value>>;

Evaluated<Keyed> WithKeys(const Bound& bound) {
  auto items = bound.Items();
  if (!items) return tl::unexpected(items.error());
  Keyed keyed;
  for (auto& item : *items) {
    auto key = KeyOf(bound, item);
    if (!key) return tl::unexpected(key.error());
    keyed.emplace_back(std::move(*key), std::move(item));
  }
  return keyed;
}

Evaluated<Keyed> Sorted(const Bound& bound) {
  auto keyed = WithKeys(bound);
  if (!keyed) return keyed;
  for (std::size_t i = 1; i < keyed->size(); ++i) {
    if (PythonCompare((*keyed)[0].first, (*keyed)[i].first)) continue;
    return bound.Wrong("filter \"" + bound.call.name + "\" cannot order " +
                       TypeName((*keyed)[0].first) + " and " + TypeName((*keyed)[i].first));
  }
  auto reverse = bound.Flag("reverse", false);
  if (!reverse) return tl::unexpected(reverse.error());
  std::stable_sort(keyed->begin(), keyed->end(), [&](const auto& left, const auto& right) {
    const int order = PythonCompare(left.first, right.first).value_or(0);
    return *reverse ? order > 0 : order < 0;
  });
  return keyed;
}

Evaluated<Operand> Sort(const Bound& bound) {
  auto keyed = Sorted(bound);
  if (!keyed) return tl::unexpected(keyed.error());
  Value list = Value::array();
  for (auto& [key, item] : *keyed) list.push_back(std::move(item));
  return Of(std::move(list));
}

template <bool kMin>
Evaluated<Operand> Extreme(const Bound& bound) {
  auto keyed = Sorted(bound);
  if (!keyed) return tl::unexpected(keyed.error());
  if (!keyed->empty()) return Of(kMin ? keyed->front().second : keyed->back().second);
  return Undefined{
      Diagnostic{bound.call.place, "filter \"" + bound.call.name + "\" found an empty list", ""}};
}

Evaluated<Operand> Unique(const Bound& bound) {
  auto keyed = WithKeys(bound);
  if (!keyed) return tl::unexpected(keyed.error());
  std::vector<Value> seen;
  Value list = Value::array();
  for (auto& [key, item] : *keyed) {
    const auto same = [&key = key](const Value& other) { return PythonEqual(other, key); };
    if (std::any_of(seen.begin(), seen.end(), same)) continue;
    seen.push_back(key);
    list.push_back(std::move(item));
  }
  return Of(std::move(list));
}

Evaluated<Operand> Sum(const Bound& bound) {
  auto items = bound.Items();
  auto total = bound.Argument("start", 0);
  if (!items) return tl::unexpected(items.error());
  for (auto& item : *items) {
    Value part = std::move(item);
    if (bound.Has("attribute")) {
      auto key = KeyOf(bound, part);
      if (!key) return tl::unexpected(key.error());
      part = std::move(*key);
    }
    if (!total) break;
    total = Arithmetic("+", *total, part, bound.call.place);
  }
  if (!total) return tl::unexpected(total.error());
  return Of(std::move(*total));
}

Evaluated<Operand> Reverse(const Bound& bound) {
  auto items = bound.Items();
  if (!items) return tl::unexpected(items.error());
  std::reverse(items->begin(), items->end());
  auto input = bound.Input();
  if (!(*input)->is_string()) return Of(Value(*items));
  std::string text;
  for (const auto& item : *items) text += item.get<std::string>();
  return Of(std::move(text));
}

bool Holds(const std::vector<Value>& list, const Value& item) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Value& other) { return PythonEqual(other, item); });
}

enum class SetKind { kUnion, kIntersect, kDifference };

template <SetKind kKind>
Evaluated<Operand> SetOf(const Bound& bound) {
  auto items = bound.Items();
  auto other = bound.Argument("other", Value::array());
  if (!items) return tl::unexpected(items.error());
  if (!other) return tl::unexpected(other.error());
  if (!other->is_array()) {
    return bound.Wrong("filter \"" + bound.call.name + "\" needs a second list, not " +
                       TypeName(*other));
  }
  const std::vector<Value> second(other->begin(), other->end());
  std::vector<Value> result;
  for (auto& item : *items) {
    const bool wanted =
        kKind == SetKind::kUnion || Holds(second, item) == (kKind == SetKind::kIntersect);
    if (wanted && !Holds(result, item)) result.push_back(item);
  }
  for (const auto& item : second) {
    if (kKind == SetKind::kUnion && !Holds(result, item)) result.push_back(item);
  }
  return Of(Value(result));
}

void FlattenInto(std::vector<Value>& flat, const Value& list, std::int64_t levels) {
  for (const auto& item : list) {
    if (item.is_array() && levels > 0) {
      FlattenInto(flat, item, levels - 1);
    } else if (!item.is_null()) {
      flat.push_back(item);
    }
  }
}

Evaluated<Operand> Flatten(const Bound& bound) {
  auto items = bound.Items();
  auto levels = bound.Argument("levels", nullptr);
  if (!items) return tl::unexpected(items.error());
  if (!levels) return tl::unexpected(levels.error());
  std::vector<Value> flat;
  FlattenInto(flat, Value(*items), levels->is_number_integer() ? levels->get<std::int64_t>() : 100);
  return Of(Value(flat));
}

Evaluated<Operand> DictToItems(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  if (!(*value)->is_object()) {
    return bound.Wrong("filter \"dict2items\" needs a mapping, not " + TypeName(**value));
  }
  Value list = Value::array();
  for (const auto& [key, item] : (*value)->items()) {
    list.push_back(Value{{"key", key}, {"value", item}});
  }
  return Of(std::move(list));
}

Evaluated<Operand> Combine(const Bound& bound) {
  auto value = bound.Input();
  if (!value) return tl::unexpected(value.error());
  Value result = **value;
  if (!result.is_object()) return bound.Wrong("filter \"combine\" needs mappings");
  for (const auto& operand : bound.rest) {
    auto more = Need(operand, bound.call.place);
    if (!more) return tl::unexpected(more.error());
    if (!(*more)->is_object()) return bound.Wrong("filter \"combine\" needs mappings");
    for (const auto& [key, item] : (*more)->items()) result[key] = item;
  }
  return Of(std::move(result));
}

// 'name' | extract(container, more…): hostvars is looked into host by host.
Evaluated<Operand> Extract(const Bound& bound) {
  auto key = bound.Input();
  if (!key) return tl::unexpected(key.error());
  if (bound.rest.empty()) return bound.Wrong("filter \"extract\" needs a container");
  auto found = LookInto(bound.rest[0], **key, bound.call.place);
  for (std::size_t i = 1; found && i < bound.rest.size(); ++i) {
    auto more = Need(bound.rest[i], bound.call.place);
    if (!more) return tl::unexpected(more.error());
    if (!(*more)->is_array()) {
      found = LookInto(*found, **more, bound.call.place);
      continue;
    }
    for (const auto& part : **more) {
      if (found) found = LookInto(*found, part, bound.call.place);
    }
  }
  return found;
}

Evaluated<std::string> NameArgument(const Bound& bound, std::size_t at, const char* what) {
  auto name = Need(bound.rest[at], bound.call.place);
  if (!name) return tl::unexpected(name.error());
  if (!(*name)->is_string()) {
    return bound.Wrong("\"" + bound.call.name + "\" takes the name of a " + what + " in quotes");
  }
  return (*name)->get<std::string>();
}

Evaluated<Operand> MapItem(const Bound& bound, const Value& item) {
  if (bound.Has("attribute")) {
    auto path = bound.Argument("attribute", nullptr);
    if (!path) return tl::unexpected(path.error());
    auto found = LookUpPath(Of(item), *path, bound.call.place);
    if (found && std::holds_alternative<Undefined>(*found) && bound.Has("default")) {
      return bound.arguments.at("default");
    }
    return found;
  }
  auto name = NameArgument(bound, 0, "filter");
  if (!name) return tl::unexpected(name.error());
  return ApplyFilter(TemplateCall{
      *name, Of(item), {bound.rest.begin() + 1, bound.rest.end()}, {}, bound.call.place});
}

Evaluated<Operand> Map(const Bound& bound) {
  auto items = bound.Items();
  if (!items) return tl::unexpected(items.error());
  if (bound.rest.empty() && !bound.Has("attribute")) {
    return bound.Wrong("filter \"map\" needs the name of a filter or attribute=…");
  }
  Value list = Value::array();
  for (const auto& item : *items) {
    auto mapped = MapItem(bound, item);
    if (!mapped) return mapped;
    auto value = Need(*mapped, bound.call.place);
    if (!value) return tl::unexpected(value.error());
    list.push_back(**value);
  }
  return Of(std::move(list));
}

// select, reject, selectattr and rejectattr: a test, or plain truth, on the item or its attribute.
template <bool kAttribute, bool kWanted>
Evaluated<Operand> Select(const Bound& bound) {
  auto items = bound.Items();
  if (!items) return tl::unexpected(items.error());
  const std::size_t first = kAttribute ? 1 : 0;
  if (bound.rest.size() < first)
    return bound.Wrong("\"" + bound.call.name + "\" needs an attribute");
  Value list = Value::array();
  for (const auto& item : *items) {
    Operand subject = Of(item);
    if (kAttribute) {
      auto path = Need(bound.rest[0], bound.call.place);
      if (!path) return tl::unexpected(path.error());
      auto found = LookUpPath(subject, **path, bound.call.place);
      if (!found) return found;
      subject = std::move(*found);
    }
    Evaluated<bool> holds = true;
    if (bound.rest.size() == first) {
      auto value = Need(subject, bound.call.place);
      if (!value) return tl::unexpected(value.error());
      holds = IsTrue(**value);
    } else {
      auto name = NameArgument(bound, first, "test");
      if (!name) return tl::unexpected(name.error());
      holds = ApplyTest(TemplateCall{
          *name,
          subject,
          {bound.rest.begin() + static_cast<std::ptrdiff_t>(first) + 1, bound.rest.end()},
          {},
          bound.call.place});
    }
    if (!holds) return tl::unexpected(holds.error());
    if (*holds == kWanted) list.push_back(item);
  }
  return Of(std::move(list));
}

}  // namespace

const CallTable& ListFilters() {
  static const CallTable kTable = {
      {"combine", {Combine, {}, 1, true}},
      {"count", {Length, {}}},
      {"dict2items", {DictToItems, {}}},
      {"difference", {SetOf<SetKind::kDifference>, {"other"}, 1}},
      {"extract", {Extract, {}, 1, true}},
      {"first", {End<true>, {}}},
      {"flatten", {Flatten, {"levels"}}},
      {"intersect", {SetOf<SetKind::kIntersect>, {"other"}, 1}},
      {"join", {Join, {"d", "attribute"}}},
      {"last", {End<false>, {}}},
      {"length", {Length, {}}},
      {"list", {List, {}}},
      {"map", {Map, {"attribute", "default"}, 0, true}},
      {"max", {Extreme<false>, {"case_sensitive", "attribute"}}},
      {"min", {Extreme<true>, {"case_sensitive", "attribute"}}},
      {"reject", {Select<false, false>, {}, 0, true}},
      {"rejectattr", {Select<true, false>, {}, 1, true}},
      {"reverse", {Reverse, {}}},
      {"select", {Select<false, true>, {}, 0, true}},
      {"selectattr", {Select<true, true>, {}, 1, true}},
      {"sort", {Sort, {"reverse", "case_sensitive", "attribute"}}},
      {"sum", {Sum, {"attribute", "start"}}},
      {"union", {SetOf<SetKind::kUnion>, {"other"}, 1}},
      {"unique", {Unique, {"case_sensitive", "attribute"}}},
  };
  return kTable;
}

Evaluated<Operand> LookUpPath(const Operand& object, const Value& path, const Place& place) {
  if (!path.is_string()) return LookInto(object, path, place);
  Evaluated<Operand> found = object;
  const auto text = path.get<std::string>();
  for (std::size_t at = 0; found && at <= text.size();) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    const std::string part = text.substr(at, end - at);
    const bool index = !part.empty() && part.size() < 10 &&
                       part.find_first_not_of("0123456789") == std::string::npos;
    found = LookInto(*found, index ? Value(std::stoi(part)) : Value(part), place);
    at = end + 1;
  }
  return found;
}

}  // namespace drover
