#include "orchestrator/run/private_file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace drover {
namespace {

Status WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Fail(ErrnoError(errno, "cannot write"));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0 ? Status() : Fail(ErrnoError(errno, "cannot write"));
}

Status MakeFolders(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return {};
  if (const Status above = MakeFolders(folder.parent_path()); !above) return above;
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Fail(ErrnoError(errno, folder.string()));
  }
  return {};
}

}  // namespace

Status WritePrivateFile(const std::string& path, std::string_view text) {
  std::string fresh = path + ".XXXXXX";
  const int fd = ::mkstemp(fresh.data());  // 0600
  if (fd < 0) return Fail(ErrnoError(errno, path));
  Status done = WriteAll(fd, text);
  ::close(fd);
  if (done && std::rename(fresh.c_str(), path.c_str()) != 0) {
    done = Fail(ErrnoError(errno, "cannot replace it"));
  }
  if (done) return {};
  ::unlink(fresh.c_str());
  return Fail(done.error().In(path));
}

Status MakePrivateFoldersFor(const std::string& path) {
  return MakeFolders(std::filesystem::path(path).parent_path());
}

Status WritePrivateFileBelow(const std::string& path, std::string_view text) {
  if (const Status made = MakePrivateFoldersFor(path); !made) return made;
  return WritePrivateFile(path, text);
}

}  // namespace drover
