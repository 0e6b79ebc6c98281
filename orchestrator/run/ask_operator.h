// A question of yes or no on the terminal, even when the output of a run goes elsewhere.
//
// Blocks; called from a thread of the loop.
#pragma once

#include <atomic>
#include <string>

namespace drover {

// False also without a terminal, which is said, and when `abandoned`.
bool AskYesOrNo(const std::string& question, const std::atomic<bool>& abandoned);

}  // namespace drover
