// What a tracked file says.
//
// Judging is pure; reading is one short call.
#pragma once

#include <string>
#include <string_view>

#include "node-helper/checks/probe.h"

namespace drover {

// Down when the text begins with the number 0.
CheckAnswer JudgeFileText(std::string_view text);
// Down also when there is no such file, or no plain one.
CheckAnswer LookAtFile(const std::string& path);

}  // namespace drover
