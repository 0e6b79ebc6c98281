#include "node-helper/net/sysctl_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "node-helper/converge/plan.h"

namespace drover {
namespace {

constexpr std::size_t kMaxValueBytes = std::size_t{64} << 10;

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool IsMissing(int error_number) { return error_number == ENOENT || error_number == ENOTDIR; }

// Reads to the end; the errno of the first failing call, 0 when all is well.
int ReadAll(const std::string& path, std::string& text) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return errno;
  std::array<char, 4096> buffer{};
  while (text.size() < kMaxValueBytes) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return EFBIG;
}

// One write call, as the kernel takes every write for a whole value.
int WriteOnce(const std::string& path, const std::string& text) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return errno;
  const ssize_t written = write(file.get(), text.data(), text.size());
  if (written < 0) return errno;
  return static_cast<std::size_t>(written) == text.size() ? 0 : EINVAL;
}

// Readable in the file system, but nobody's business.
bool IsSecret(const std::string& path) {
  for (const char* name : {"/stable_secret", "/tcp_fastopen_key", "/fib_multipath_hash_seed"}) {
    if (path.ends_with(name)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> SysctlFiles::Keys(const std::string& folder) const {
  namespace fs = std::filesystem;
  constexpr auto kBoth = fs::perms::owner_read | fs::perms::owner_write;
  std::vector<std::string> keys;
  std::error_code error;
  fs::recursive_directory_iterator at(root_ + "/" + folder, error);
  // Interfaces come and go: what vanishes meanwhile is not there.
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code gone;
    const fs::file_status status = at->symlink_status(gone);
    if (gone || !fs::is_regular_file(status) || (status.permissions() & kBoth) != kBoth) continue;
    std::string path = at->path().string();
    if (!IsSecret(path)) keys.push_back(path.substr(root_.size() + 1));
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

Result<std::string> SysctlFiles::PathOf(const std::string& key) const {
  const Result<std::string> parsed = ParseSysctlKey(key);
  if (!parsed) return Fail(parsed.error());
  if (*parsed != key) {
    return Fail(ErrorCode::kInternal, "sysctl key \"" + key + "\" must be written with slashes");
  }
  return root_ + "/" + key;
}

Result<std::optional<std::string>> SysctlFiles::Read(const std::string& key) const {
  const Result<std::string> path = PathOf(key);
  if (!path) return Fail(path.error());
  const std::string name = "sysctl " + SysctlKeyForPeople(key);
  std::string text;
  const int error = ReadAll(*path, text);
  if (error == 0) return NormalizeSysctlValue(text);
  if (IsMissing(error)) return std::nullopt;
  if (error == EIO) return std::string();
  if (error == EISDIR) {
    return Fail(ErrorCode::kInvalid, name + ": is a group of settings, not a setting");
  }
  if (access(path->c_str(), W_OK) == 0 && (error == EACCES || error == EPERM)) {
    return Fail(ErrorCode::kInvalid, name + ": can only be written, so it has no state to compare");
  }
  return Fail(ErrnoError(error, "reading " + name));
}

Status SysctlFiles::Write(const Sysctl& sysctl) const {
  const Result<std::string> path = PathOf(sysctl.key);
  if (!path) return Fail(path.error());
  const std::string name = NameOf(sysctl);
  if (sysctl.value.find('\n') != std::string::npos) {
    return Fail(ErrorCode::kInvalid, name + ": the value has more than one line");
  }
  const int error = WriteOnce(*path, sysctl.value + "\n");
  if (IsMissing(error)) {
    return Fail(ErrorCode::kInvalid, name + ": this kernel has no such setting");
  }
  if (error == EINVAL || error == ERANGE) {
    return Fail(ErrorCode::kInvalid, name + ": the kernel refuses the value \"" + sysctl.value +
                                         "\": " + std::strerror(error));
  }
  if (error != 0) {
    return Fail(ErrnoError(error, name + ": writing \"" + sysctl.value + "\""));
  }
  const auto kept = Read(sysctl.key);
  if (!kept) return Fail(kept.error());
  if (!kept->has_value() || !SameSysctlValue(**kept, sysctl.value)) {
    return Fail(ErrorCode::kInvalid, name + ": the kernel took \"" + sysctl.value +
                                         "\" but keeps \"" + kept->value_or("") + "\"");
  }
  return {};
}

}  // namespace drover
