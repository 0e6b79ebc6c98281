// What a YAML scalar means by YAML 1.1 as PyYAML implements it.
//
// Pure. Where scalars stand in a document is yaml_node.h.
#pragma once

#include <string>
#include <string_view>

#include "orchestrator/source/value.h"

namespace drover {

// A scalar's value, or in `problem` why it has none.
struct ScalarReading {
  Value value;
  std::string problem;
};

// `plain`: without quotes. `tag` is empty or explicit, such as "!!int".
ScalarReading ReadScalar(std::string_view text, bool plain, std::string_view tag);
// True for the plain scalar "<<" that merges mappings.
bool IsMergeKey(std::string_view text, bool plain, std::string_view tag);
// What a scalar is called as a mapping key once JSON prints it: "true", "null", "1.5".
std::string KeyText(const Value& value);

}  // namespace drover
