#include "orchestrator/run/inventory_change.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "orchestrator/report/diff.h"

namespace drover {
namespace {

Status WriteWhole(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Fail(ErrnoError(errno, path));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0 ? Status() : Status(Fail(ErrnoError(errno, path)));
}

// Beside the file and then in its place; a link stays a link, owner and mode stay as they are.
Status Replace(const std::string& path, const std::string& text) {
  std::error_code error;
  const std::string real = std::filesystem::canonical(path, error).string();
  struct stat info {};
  if (error || ::stat(real.c_str(), &info) != 0) {
    return Fail(ErrnoError(error ? error.value() : errno, path));
  }
  const std::string beside = real + ".drover-new";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Fail(ErrnoError(errno, beside));
  Status done = WriteWhole(fd, text, beside);
  if (done && info.st_uid != ::geteuid() && ::fchown(fd, info.st_uid, info.st_gid) != 0) {
    done = Fail(ErrnoError(errno, beside + ": owner"));
  }
  if (done && ::fchmod(fd, info.st_mode & 07777) != 0) {
    done = Fail(ErrnoError(errno, beside + ": mode"));
  }
  ::close(fd);
  if (done && ::rename(beside.c_str(), real.c_str()) != 0) done = Fail(ErrnoError(errno, real));
  if (!done) ::unlink(beside.c_str());
  return done;
}

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Status InventoryChange::Apply(const InventoryEdit& edit) {
  const std::string& path = edit.file->name;
  if (Content(path) != edit.file->text) {
    return Fail(ErrorCode::kInvalid, path + " has just been changed by somebody else");
  }
  if (const Status replaced = Replace(path, edit.after); !replaced) return replaced;
  done_.push_back(edit);
  show_(UnifiedDiff(FileDiff{path, edit.file->text, edit.after}, /*colours=*/false));
  return {};
}

Status InventoryChange::TakeBack() {
  while (!done_.empty()) {
    const InventoryEdit edit = std::move(done_.back());
    done_.pop_back();
    const std::string& path = edit.file->name;
    if (Content(path) != edit.after) {
      return Fail(ErrorCode::kInvalid, path + " has been changed meanwhile and stays as it is");
    }
    if (const Status replaced = Replace(path, edit.file->text); !replaced) return replaced;
    show_(UnifiedDiff(FileDiff{path, edit.after, edit.file->text}, /*colours=*/false));
  }
  return {};
}

}  // namespace drover
