// Spans of time as people write them: 50, "50s", "500ms", "5m", "1h".
//
// Pure.
#pragma once

#include <chrono>
#include <optional>

#include "orchestrator/source/value.h"

namespace drover {

// Numbers without a unit are seconds. Nothing: not a span of time, negative, or above a year.
std::optional<std::chrono::milliseconds> ReadDuration(const Value& value);

}  // namespace drover
