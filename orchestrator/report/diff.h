// The differences between two texts as a unified diff, in Ansible's form.
//
// Pure. The comparison itself is Myers' O(ND) algorithm with a limit on its work: beyond it the
// whole text counts as replaced.
#pragma once

#include <string>
#include <string_view>

#include "protocol/event.h"

namespace drover {

// "--- before: /etc/x\n+++ after: /etc/x\n@@ -1 +1,2 @@…" and an empty line; empty when both sides
// are equal. Contents are made printable.
std::string UnifiedDiff(const FileDiff& diff, bool colours);

}  // namespace drover
