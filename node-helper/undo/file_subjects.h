// Files that tasks of a run replace: content, owner, group, mode and time as they were, a symbolic
// link as a link, and a file that was not there as absent.
//
// One thread at a time.
#pragma once

#include <cstddef>

#include "node-helper/transaction/undo_part.h"

namespace drover {

// A file above this is not replaced by a run that may have to go back.
inline constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;

// "file". Subjects are absolute paths.
std::unique_ptr<UndoSubjects> MakeFileSubjects();

}  // namespace drover
