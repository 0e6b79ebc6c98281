// Reads one task of a playbook.
//
// Pure.
#pragma once

#include <optional>

#include "orchestrator/playbook/playbook.h"

namespace drover {

// Nothing when the task is wrong, and why is in `diagnostics`.
std::optional<PlaybookTask> ReadTask(const YamlNode& node, const Play& play,
                                     Diagnostics& diagnostics);
std::optional<Play> ReadPlay(const YamlNode& node, Diagnostics& diagnostics);

}  // namespace drover
