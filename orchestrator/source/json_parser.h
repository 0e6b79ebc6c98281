// JSON with places, for files that are JSON: Ansible reads those by JSON's rules, not YAML's.
//
// Pure; internal to this folder.
#pragma once

#include <optional>

#include "orchestrator/source/yaml_node.h"

namespace drover {

// The document when the whole text is JSON (as Python reads it, with NaN and Infinity), else
// nullopt: then it is YAML, perhaps broken. Duplicate keys and depth are diagnostics.
std::optional<Parsed<YamlNode>> ParseIfJson(const SourceFilePtr& file);

}  // namespace drover
