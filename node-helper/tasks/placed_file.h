// What lies at the place of a file, and what it takes to have another there.
//
// Any thread; two writers of one path are the caller's to keep apart.
#pragma once

#include <sys/stat.h>

#include <string>

#include "protocol/result.h"

namespace drover {

inline constexpr mode_t kModeBits = 07777;

// What lies at a path now. A symbolic link is itself, not what it leads to.
struct Present {
  bool exists = false;
  bool link = false;
  struct stat info {};
  std::string content;  // of a regular file
};

// Owner, group and mode that a file shall have.
struct Attributes {
  uid_t owner = 0;
  gid_t group = 0;
  mode_t mode = 0;
};

// kInvalid: a directory, or no file at all.
Result<Present> LookAt(const std::string& path);
// "0644".
std::string ModeText(mode_t mode);
// Of an open file; `path` is for the words.
Status SetAttributes(int fd, const Attributes& wanted, const std::string& path);

}  // namespace drover
