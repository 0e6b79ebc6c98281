#include "node-helper/store/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace drover {
namespace {

constexpr std::size_t kReadChunk = 64 * 1024;
constexpr std::size_t kMaxNameInTemporary = 200;  // of NAME_MAX = 255 bytes

std::string TemporaryBeside(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return ParentOf(path) + "/." + name.substr(0, kMaxNameInTemporary) + ".drover-new";
}

}  // namespace

Status SyncDirectory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return Fail(ErrnoError(errno, path));
  // Some file systems cannot flush a directory (EINVAL); they order the rename themselves.
  if (::fsync(directory.get()) != 0 && errno != EINVAL) return Fail(ErrnoError(errno, path));
  return {};
}

Result<std::string> ReadWholeFile(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.valid()) return Fail(ErrnoError(errno, path));
  std::string content;
  std::array<char, kReadChunk> chunk;
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrnoError(errno, path));
    if (got == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

std::string ParentOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status MakeDirectories(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return {};
  if (errno == EEXIST) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    return Fail(ErrnoError(ENOTDIR, path));
  }
  const std::string parent = ParentOf(path);
  if (errno != ENOENT || parent == path) return Fail(ErrnoError(errno, path));
  if (const Status made = MakeDirectories(parent, mode); !made) return made;
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return Fail(ErrnoError(errno, path));
}

Status WriteAll(int fd, std::string_view content, std::string_view what) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Fail(ErrnoError(errno, what));
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<Replacement> Replacement::Open(const std::string& path, mode_t mode) {
  std::string temporary = TemporaryBeside(path);
  ::unlink(temporary.c_str());
  Descriptor fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd.valid()) return Fail(ErrnoError(errno, path));
  return Replacement(path, std::move(temporary), std::move(fd));
}

Replacement::Replacement(Replacement&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, std::string())),
      fd_(std::move(other.fd_)) {}

Replacement::~Replacement() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status Replacement::Commit() {
  if (::fsync(fd_.get()) != 0) return Fail(ErrnoError(errno, path_));
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return Fail(ErrnoError(errno, path_));
  temporary_.clear();
  return SyncDirectory(ParentOf(path_));
}

Status RemoveFileIfThere(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return Fail(ErrnoError(errno, path));
}

Status WriteFileAtomically(const std::string& path, std::string_view content, mode_t mode) {
  auto replacement = Replacement::Open(path, 0600);
  if (!replacement) return Fail(replacement.error());
  if (const Status written = WriteAll(replacement->fd(), content, path); !written) return written;
  if (::fchmod(replacement->fd(), mode) != 0) return Fail(ErrnoError(errno, path));
  return replacement->Commit();
}

}  // namespace drover
