#include "node-helper/tasks/placed_file.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "node-helper/store/files.h"

namespace drover {

Result<Present> LookAt(const std::string& path) {
  Present present;
  if (::lstat(path.c_str(), &present.info) != 0) {
    if (errno == ENOENT) return present;
    return Fail(ErrnoError(errno, path));
  }
  present.exists = true;
  if (S_ISLNK(present.info.st_mode)) {
    present.link = true;
    return present;
  }
  if (S_ISDIR(present.info.st_mode)) {
    return Fail(ErrorCode::kInvalid, path + ": is a directory; name the file in it");
  }
  if (!S_ISREG(present.info.st_mode)) {
    return Fail(ErrorCode::kInvalid, path + ": is a device, pipe or socket, not a file");
  }
  auto content = ReadWholeFile(path);
  if (!content) return Fail(content.error());
  present.content = std::move(*content);
  return present;
}

std::string ModeText(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & kModeBits);
  return text.data();
}

Status SetAttributes(int fd, const Attributes& wanted, const std::string& path) {
  // The owner first: changing it clears the set-user-ID bit.
  if (::fchown(fd, wanted.owner, wanted.group) != 0) return Fail(ErrnoError(errno, path));
  if (::fchmod(fd, wanted.mode) != 0) return Fail(ErrnoError(errno, path));
  return {};
}

}  // namespace drover
