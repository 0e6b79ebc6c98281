#include "orchestrator/template/evaluate.h"

#include <algorithm>

namespace drover {
namespace {

// Values within values of variables may be templates again; this bounds a value's own depth.
constexpr int kMaxDepth = 100;

bool IsSingleOutput(const Parts& parts) {
  return parts.size() == 1 && parts[0].kind == Part::Kind::kOutput;
}

Evaluated<Value> EvaluateInside(const Value& value, const Place& place, Names& names, int depth) {
  if (depth > kMaxDepth) return Offence(place, "value is nested too deeply");
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (!HasTemplate(text)) return value;
    return EvaluateText(TemplateText{text, place, TemplateText::Origin::kElsewhere, 0}, names);
  }
  if (value.is_array()) {
    Value list = Value::array();
    for (const auto& item : value) {
      auto part = EvaluateInside(item, place, names, depth + 1);
      if (!part) return part;
      if (!IsOmit(*part)) list.push_back(std::move(*part));
    }
    return list;
  }
  if (value.is_object()) {
    Value object = Value::object();
    for (const auto& [key, item] : value.items()) {
      auto part = EvaluateInside(item, place, names, depth + 1);
      if (!part) return part;
      if (!IsOmit(*part)) object[key] = std::move(*part);
    }
    return object;
  }
  return value;
}

bool HoldsTemplate(const Value& value) {
  if (value.is_string()) return HasTemplate(value.get_ref<const std::string&>());
  return value.is_structured() && std::any_of(value.begin(), value.end(), HoldsTemplate);
}

Evaluated<Value> EvaluateMapping(const YamlNode& node, Names& names) {
  Value object = Value::object();
  for (const auto& [key, item] : node.entries) {
    std::string name = KeyOf(key);
    if (key.is_scalar() && HasTemplate(key.scalar)) {
      auto text = EvaluateText(TemplateText::OfScalar(key), names);
      if (!text) return text;
      name = PythonText(*text);
    }
    auto value = EvaluateNode(item, names);
    if (!value) return value;
    if (!IsOmit(*value)) object[name] = std::move(*value);
  }
  return object;
}

// One condition of `when`: whether it holds.
Evaluated<bool> Holds(const YamlNode& condition, Names& names) {
  if (condition.is_null()) return true;
  if (!condition.is_scalar()) {
    return Offence(condition.place, "\"when\" takes conditions, not nested lists or mappings");
  }
  const Value literal = ToValue(condition);
  if (literal.is_boolean()) return literal.get<bool>();
  const TemplateText source = TemplateText::OfScalar(condition);
  Evaluated<Value> value = Value();
  if (HasTemplate(condition.scalar)) {
    value = EvaluateText(source, names);
  } else {
    auto expression = ParseExpression(source);
    if (!expression) return tl::unexpected(expression.error());
    auto operand = Evaluator(source, names).Evaluate(**expression);
    if (!operand) return tl::unexpected(operand.error());
    auto needed = Need(*operand, source.At((*expression)->offset));
    if (!needed) return tl::unexpected(needed.error());
    value = **needed;
  }
  if (!value) return tl::unexpected(value.error());
  if (value->is_boolean() || value->is_number() || value->is_null()) return IsTrue(*value);
  return Offence(condition.place,
                 "\"when\" needs a boolean, this condition gives a " + TypeName(*value),
                 value->is_string() ? "compare it, or write | bool behind it"
                                    : "write | length > 0 behind it");
}

bool ReadOption(TemplateOptions& options, const std::string& name, const std::string& word) {
  bool* target = name == "trim_blocks"     ? &options.trim_blocks
                 : name == "lstrip_blocks" ? &options.lstrip_blocks
                                           : nullptr;
  const bool yes = word == "True" || word == "true";
  if (target == nullptr || (!yes && word != "False" && word != "false")) return false;
  *target = yes;
  return true;
}

std::string Trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Reads "#jinja2: name: value, …"; gives how many bytes it takes.
Evaluated<std::size_t> ReadHeader(const SourceFilePtr& file, TemplateOptions& options) {
  constexpr std::string_view kHeader = "#jinja2:";
  if (!file->text.starts_with(kHeader)) return std::size_t{0};
  const std::size_t end = std::min(file->text.find('\n'), file->text.size());
  for (std::size_t at = kHeader.size(); at < end;) {
    const std::size_t stop = std::min(file->text.find(',', at), end);
    const std::string option = file->text.substr(at, stop - at);
    const std::size_t colon = option.find(':');
    const bool known =
        colon != std::string::npos &&
        ReadOption(options, Trimmed(option.substr(0, colon)), Trimmed(option.substr(colon + 1)));
    if (!known) {
      return Offence(TemplateText::OfFile(file).At(at),
                     "Drover does not know the template option \"" + Trimmed(option) + "\"",
                     "known are trim_blocks and lstrip_blocks, each True or False");
    }
    at = stop + 1;
  }
  return std::min(end + 1, file->text.size());
}

}  // namespace

const Value& OmitMarker() {
  static const Value kMarker = std::string(
      "\x01"
      "drover omits this\x01");
  return kMarker;
}

bool IsOmit(const Value& value) { return value.is_string() && value == OmitMarker(); }

Evaluated<Value> EvaluateText(const TemplateText& source, Names& names) {
  if (!HasTemplate(source.text)) return Value(source.text);
  auto parts = ParseTemplate(source);
  if (!parts) return tl::unexpected(parts.error());
  Evaluator evaluator(source, names);
  if (!IsSingleOutput(*parts)) {
    auto text = evaluator.Render(*parts);
    if (!text) return tl::unexpected(text.error());
    return Value(std::move(*text));
  }
  auto operand = evaluator.Evaluate(*(*parts)[0].expression);
  if (!operand) return tl::unexpected(operand.error());
  auto value = Need(*operand, source.At((*parts)[0].expression->offset));
  if (!value) return tl::unexpected(value.error());
  return **value;
}

Evaluated<Value> EvaluateNode(const YamlNode& node, Names& names) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return Value();
    case YamlNode::Kind::kScalar:
      if (HasTemplate(node.scalar)) return EvaluateText(TemplateText::OfScalar(node), names);
      return ToValue(node);
    case YamlNode::Kind::kSequence: {
      Value list = Value::array();
      for (const auto& item : node.items) {
        auto value = EvaluateNode(item, names);
        if (!value) return value;
        if (!IsOmit(*value)) list.push_back(std::move(*value));
      }
      return list;
    }
    case YamlNode::Kind::kMapping:
      return EvaluateMapping(node, names);
  }
  return Value();
}

Evaluated<ValuePtr> EvaluateValue(const ValuePtr& value, const Place& place, Names& names) {
  if (!HoldsTemplate(*value)) return value;
  auto result = EvaluateInside(*value, place, names, 0);
  if (!result) return tl::unexpected(result.error());
  return std::make_shared<const Value>(std::move(*result));
}

Evaluated<std::string> RenderFile(const SourceFilePtr& file, Names& names) {
  TemplateOptions options;
  auto header = ReadHeader(file, options);
  if (!header) return tl::unexpected(header.error());
  const TemplateText source = TemplateText::OfFile(file, *header);
  auto parts = ParseTemplate(source, options);
  if (!parts) return tl::unexpected(parts.error());
  return Evaluator(source, names).Render(*parts);
}

Evaluated<std::string> FirstFalse(const YamlNode& when, Names& names) {
  if (!when.is_sequence()) {
    auto holds = Holds(when, names);
    if (!holds) return tl::unexpected(holds.error());
    return *holds ? std::string() : when.scalar;
  }
  for (const auto& condition : when.items) {
    auto holds = Holds(condition, names);
    if (!holds) return tl::unexpected(holds.error());
    if (!*holds) return condition.scalar;
  }
  return std::string();
}

void CheckTemplates(const YamlNode& node, Diagnostics& diagnostics) {
  if (node.is_scalar() && HasTemplate(node.scalar)) {
    const TemplateText source = TemplateText::OfScalar(node);
    if (auto parts = ParseTemplate(source); !parts) diagnostics.push_back(parts.error());
  }
  for (const auto& item : node.items) CheckTemplates(item, diagnostics);
  for (const auto& [key, value] : node.entries) {
    CheckTemplates(key, diagnostics);
    CheckTemplates(value, diagnostics);
  }
}

void CheckCondition(const YamlNode& when, Diagnostics& diagnostics) {
  if (when.is_sequence()) {
    for (const auto& condition : when.items) CheckCondition(condition, diagnostics);
  } else if (when.is_scalar() && !ToValue(when).is_boolean()) {
    const TemplateText source = TemplateText::OfScalar(when);
    if (HasTemplate(when.scalar)) {
      CheckTemplates(when, diagnostics);
    } else if (auto expression = ParseExpression(source); !expression) {
      diagnostics.push_back(expression.error());
    }
  } else if (when.is_mapping()) {
    diagnostics.push_back(Diagnostic{when.place, "\"when\" takes conditions, not a mapping", ""});
  }
}

}  // namespace drover
