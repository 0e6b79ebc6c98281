// Arithmetic, membership, attributes, indexes and slices of templates, by Python's rules.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/template/operand.h"

namespace drover {

// + - * / // % ~ on two values.
Evaluated<Value> Arithmetic(const std::string& op, const Value& left, const Value& right,
                            const Place& place);
// Python's "needle in hay".
Evaluated<bool> Contains(const Value& hay, const Value& needle, const Place& place);
// object.name or object[key]. What is not there is undefined, not an error.
Evaluated<Operand> LookInto(const Operand& object, const Value& key, const Place& place);
Evaluated<Operand> Slice(const Value& object, const Value& start, const Value& end,
                         const Place& place);

// No list or string made by a template may grow beyond this.
inline constexpr std::size_t kMaxTemplateSize = 16U << 20U;

}  // namespace drover
