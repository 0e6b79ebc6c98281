// A program with its arguments, as checks and trackers name it: a list of words, or a text whose
// words are parted by blanks (quotes work). No shell.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compile/arguments.h"

namespace drover {

// The first word has to be an absolute path; offences are said at the argument's place.
std::optional<std::vector<std::string>> ReadProgram(const Argument& argument, Arguments& arguments);

}  // namespace drover
