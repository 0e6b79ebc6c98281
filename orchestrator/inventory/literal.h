// Values in INI inventories: a Python literal where the text is one, else the text itself.
//
// Pure. This is ast.literal_eval as Ansible uses it, without the types that JSON cannot hold.
#pragma once

#include <string>
#include <string_view>

#include "orchestrator/source/value.h"

namespace drover {

// The value, or in `problem` why this Python value has no meaning here.
struct LiteralReading {
  Value value;
  std::string problem;
};

LiteralReading ReadLiteral(std::string_view text);

}  // namespace drover
