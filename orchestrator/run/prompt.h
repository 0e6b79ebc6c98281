// Passwords: asked on the terminal without echo, or read from a file. Never from the command line.
#pragma once

#include <string>

#include "protocol/result.h"

namespace drover {

// kInvalid when there is no terminal to ask on.
Result<std::string> AskPassword(const std::string& question);
// The first line of `path`.
Result<std::string> ReadPasswordFile(const std::string& path);

}  // namespace drover
