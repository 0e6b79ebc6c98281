// A module's arguments worked out for one host: values that still know where they were written.
//
// Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "orchestrator/source/value.h"
#include "orchestrator/source/yaml_node.h"
#include "orchestrator/template/evaluator.h"

namespace drover {

// A tree like the file's, with templates replaced. What a template gave stands at the template.
struct Argument {
  Value value;  // of scalars; lists and mappings have it too, for messages
  Place place;
  Place key_place;              // of mapping entries
  std::string written;          // a plain scalar without template, as in the file
  std::vector<Argument> items;  // of a list
  std::vector<std::pair<std::string, Argument>> entries;  // of a mapping

  [[nodiscard]] bool is_list() const { return value.is_array(); }
  [[nodiscard]] bool is_mapping() const { return value.is_object(); }
};

// Entries and items that are `omit` are dropped.
Evaluated<Argument> EvaluateArgument(const YamlNode& node, Names& names);
// For messages: "abc" in quotes, 12, a list, a mapping, nothing.
std::string Describe(const Value& value);

}  // namespace drover
