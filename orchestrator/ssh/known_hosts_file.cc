#include "orchestrator/ssh/known_hosts_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <tuple>

#include "orchestrator/ssh/digest.h"
#include "orchestrator/ssh/wait.h"

namespace drover {
namespace {

constexpr std::size_t kSaltBytes = 20;

// Changes whenever the file does: size and time of the last change.
using Version = std::tuple<dev_t, ino_t, off_t, time_t, long>;

struct LoadedFile {
  Version version;
  std::shared_ptr<const std::vector<KnownHostsLine>> lines;
};

std::string ReadAll(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  off_t at = 0;
  while (true) {
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    at += got;
  }
}

std::shared_ptr<const std::vector<KnownHostsLine>> LoadOne(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, LoadedFile> loaded;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (!file.valid() || ::fstat(file.get(), &about) != 0) return nullptr;
  const Version version{about.st_dev, about.st_ino, about.st_size, about.st_mtim.tv_sec,
                        about.st_mtim.tv_nsec};
  const std::lock_guard lock(mutex);
  LoadedFile& cached = loaded[path];
  if (!cached.lines || cached.version != version) {
    cached.version = version;
    cached.lines = std::make_shared<const std::vector<KnownHostsLine>>(
        ParseKnownHosts(ReadAll(file.get()), path));
  }
  return cached.lines;
}

Status WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Fail(ErrnoError(errno, path));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

std::shared_ptr<const std::vector<KnownHostsLine>> LoadKnownHosts(
    const std::vector<std::string>& files) {
  std::vector<std::shared_ptr<const std::vector<KnownHostsLine>>> parts;
  for (const std::string& file : files) {
    if (auto lines = LoadOne(file); lines && !lines->empty()) parts.push_back(std::move(lines));
  }
  // Nearly always one file: no copy then.
  if (parts.size() == 1) return parts.front();
  auto all = std::make_shared<std::vector<KnownHostsLine>>();
  for (const auto& part : parts) all->insert(all->end(), part->begin(), part->end());
  return all;
}

Result<bool> AddKnownHost(const std::string& file, const std::string& name, const ShownKey& shown,
                          bool hashed) {
  const std::size_t slash = file.rfind('/');
  if (slash != std::string::npos && slash > 0) ::mkdir(file.substr(0, slash).c_str(), 0700);
  const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) return Fail(ErrnoError(errno, file));
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return Fail(ErrnoError(errno, file + ": lock"));
  }
  const std::string text = ReadAll(fd.get());
  const HostKeyJudgement judgement =
      JudgeHostKey(LinesFor(ParseKnownHosts(text, file), name), shown);
  if (judgement.verdict == HostKeyVerdict::kKnown) return false;
  if (judgement.verdict != HostKeyVerdict::kUnknown) {
    return Fail(ErrorCode::kUnreachable,
                file + " got another key for " + name + " just now: run again");
  }
  // One write: readers see the whole line or nothing of it.
  std::string line = FormatKnownHost(name, shown, hashed ? RandomBytes(kSaltBytes) : "");
  if (!text.empty() && text.back() != '\n') line.insert(0, 1, '\n');
  if (const Status written = WriteAll(fd.get(), line, file); !written) return Fail(written.error());
  return true;
}

}  // namespace drover
