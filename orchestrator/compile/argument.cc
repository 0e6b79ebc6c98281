#include "orchestrator/compile/argument.h"

#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

// A value without places of its own.
Argument Spread(const Value& value, const Place& place) {
  Argument argument;
  argument.value = value;
  argument.place = place;
  argument.key_place = place;
  if (value.is_array()) {
    for (const auto& item : value) argument.items.push_back(Spread(item, place));
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      argument.entries.emplace_back(key, Spread(item, place));
    }
  }
  return argument;
}

Evaluated<Argument> EvaluateMapping(const YamlNode& node, Names& names) {
  Argument mapping;
  mapping.place = node.place;
  mapping.value = Value::object();
  for (const auto& [key, value] : node.entries) {
    std::string name = KeyOf(key);
    if (key.is_scalar() && HasTemplate(key.scalar)) {
      auto text = EvaluateText(TemplateText::OfScalar(key), names);
      if (!text) return tl::unexpected(text.error());
      name = PythonText(*text);
    }
    auto argument = EvaluateArgument(value, names);
    if (!argument) return argument;
    if (IsOmit(argument->value)) continue;
    argument->key_place = key.place;
    mapping.value[name] = argument->value;
    mapping.entries.emplace_back(name, std::move(*argument));
  }
  return mapping;
}

}  // namespace

Evaluated<Argument> EvaluateArgument(const YamlNode& node, Names& names) {
  if (node.is_mapping()) return EvaluateMapping(node, names);
  Argument argument;
  argument.place = node.place;
  argument.key_place = node.place;
  if (node.is_sequence()) {
    argument.value = Value::array();
    for (const auto& child : node.items) {
      auto item = EvaluateArgument(child, names);
      if (!item) return item;
      if (IsOmit(item->value)) continue;
      argument.value.push_back(item->value);
      argument.items.push_back(std::move(*item));
    }
    return argument;
  }
  auto value = EvaluateNode(node, names);
  if (!value) return tl::unexpected(value.error());
  if (value->is_structured()) return Spread(*value, node.place);
  argument.value = std::move(*value);
  if (node.is_scalar() && node.plain && !HasTemplate(node.scalar)) argument.written = node.scalar;
  return argument;
}

std::string Describe(const Value& value) {
  if (value.is_string()) return "\"" + value.get<std::string>() + "\"";
  if (value.is_null()) return "nothing";
  if (value.is_array()) return "a list";
  if (value.is_object()) return "a mapping";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  return PythonText(value);
}

}  // namespace drover
