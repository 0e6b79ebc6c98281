// Whole files, read at once and replaced atomically: a reader sees the old content or the new one,
// and after a crash one of the two is there.
//
// Any thread; two writers of one path are the caller's to keep apart.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "node-helper/store/descriptor.h"
#include "protocol/result.h"

namespace drover {

// kNotFound when there is none.
Result<std::string> ReadWholeFile(const std::string& path);

// "/etc/x" -> "/etc"; "x" -> ".".
std::string ParentOf(const std::string& path);

// Creates the directory and what leads to it; an existing one is left as it is.
Status MakeDirectories(const std::string& path, mode_t mode);

Status WriteAll(int fd, std::string_view content, std::string_view what);

// A new file beside `path`, which takes its place on Commit. Without Commit nothing is left of it.
// The name is fixed, so that what a killed process left is overwritten by the next try.
class Replacement {
 public:
  static Result<Replacement> Open(const std::string& path, mode_t mode);
  Replacement(Replacement&& other) noexcept;
  Replacement& operator=(Replacement&& other) = delete;
  ~Replacement();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return temporary_; }
  // Flushes to the disk, renames, flushes the directory.
  Status Commit();

 private:
  Replacement(std::string path, std::string temporary, Descriptor fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}

  std::string path_;
  std::string temporary_;  // empty once renamed or moved from
  Descriptor fd_;
};

// What was renamed or removed in it stays so after a power failure.
Status SyncDirectory(const std::string& path);

// Success also when there is none.
Status RemoveFileIfThere(const std::string& path);

// Writes, flushes and renames; the file has exactly `mode`.
Status WriteFileAtomically(const std::string& path, std::string_view content, mode_t mode);

}  // namespace drover
