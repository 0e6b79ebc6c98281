// Reads what stands behind -e, as Ansible does: "a=1 b='two words'" (all strings), a JSON or YAML
// mapping, or "@file" with one.
//
// Reads the named file, nothing else.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/value.h"

namespace drover {

// All -e in order; a later one wins, variable by variable.
Parsed<Value> ReadExtraVars(const std::vector<std::string>& arguments);

}  // namespace drover
