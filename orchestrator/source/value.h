// The value of a variable: what YAML, INI and templates compute with. JSON's types, keys in the
// order of writing.
#pragma once

#include <nlohmann/json.hpp>

namespace drover {

using Value = nlohmann::ordered_json;

}  // namespace drover
