// What the end of a script says about a real server.
//
// Pure.
#pragma once

#include "node-helper/checks/probe.h"

namespace drover {

// `status` as waitpid gives it. Exit 0: up; 1: down; 2 to 255 with `sets_weight`: up with weight
// (code - 2), else down.
CheckAnswer JudgeExit(int status, bool sets_weight);

}  // namespace drover
