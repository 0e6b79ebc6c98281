// Files that are nobody else's business: plans, records of runs.
//
// Touches the disk.
#pragma once

#include <string>
#include <string_view>

#include "protocol/result.h"

namespace drover {

// Mode 0600, and whole or not at all: a file that was there is replaced in one step.
Status WritePrivateFile(const std::string& path, std::string_view text);
// The same, and makes the folders above it (0700).
Status WritePrivateFileBelow(const std::string& path, std::string_view text);
// Makes the folders above `path` (0700) where they are not there.
Status MakePrivateFoldersFor(const std::string& path);

}  // namespace drover
