// Renders one text with variables given as YAML, for the tests of templates.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "orchestrator/template/evaluate.h"
#include "orchestrator/template/variables.h"

namespace drover {

// Variables from the text of a YAML mapping.
inline Value VariablesOf(const std::string& yaml) {
  const auto file = std::make_shared<SourceFile>(SourceFile{"vars.yml", yaml});
  auto node = ParseYaml(file);
  EXPECT_TRUE(node) << (node ? "" : Format(node.error()));
  return node && node->is_mapping() ? ToValue(*node) : Value::object();
}

// What an error says, with its place: "3:7 message [hint]".
inline std::string Said(const Diagnostic& diagnostic) {
  std::string text = std::to_string(diagnostic.place.line) + ":" +
                     std::to_string(diagnostic.place.column) + " " + diagnostic.message;
  return diagnostic.hint.empty() ? text : text + " [" + diagnostic.hint + "]";
}

// The value of a template as JSON, or "error: …" without its place.
inline std::string Shown(const std::string& text, const std::string& yaml = "{}") {
  Variables variables;
  variables.DefineAll(VariableRank::kInventory, VariablesOf(yaml));
  auto value =
      EvaluateText(TemplateText{text, Place{}, TemplateText::Origin::kElsewhere, 0}, variables);
  if (value) return value->dump();
  const auto& why = value.error();
  return "error: " + why.message + (why.hint.empty() ? "" : " [" + why.hint + "]");
}

}  // namespace drover
