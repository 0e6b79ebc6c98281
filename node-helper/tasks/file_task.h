// Puts a file into place (copy, template): compares content, owner, group and mode, and replaces
// the file atomically when they differ.
//
// As with Ansible's copy and template, a symbolic link at the destination is replaced by the file,
// not followed; attributes that the task does not give are kept from the old file.
#pragma once

#include "node-helper/tasks/task_context.h"
#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

TaskResult RunFileTask(const Task& task, const FileTask& file, const ProgramCourse& course,
                       TaskContext& context);

// Contents larger than this, or that are not text, are left out of a diff.
inline constexpr std::size_t kMaxDiffBytes = std::size_t{128} << 10;

// Words of a command line with quotes and backslashes as a shell reads them, nothing else of a
// shell. kInvalid: a quote is not closed.
Result<std::vector<std::string>> SplitWords(std::string_view text);

}  // namespace drover
