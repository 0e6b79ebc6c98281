#include "node-helper/install/daemon_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <thread>

#include "node-helper/store/files.h"

namespace drover {
namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::milliseconds kKillPatience{1000};

// The processes that the file names.
struct Pids {
  pid_t worker = 0;
  pid_t supervisor = 0;  // 0: none

  // Who is to be told to end: the supervisor tells the worker.
  [[nodiscard]] pid_t head() const { return supervisor != 0 ? supervisor : worker; }
};

std::optional<Pids> PidsIn(const std::string& path) {
  const auto text = ReadWholeFile(path);
  if (!text) return std::nullopt;
  Pids pids;
  const char* const end = text->data() + text->size();
  const auto worker = std::from_chars(text->data(), end, pids.worker);
  if (worker.ec != std::errc() || pids.worker <= 1) return std::nullopt;
  const char* next = worker.ptr;
  while (next < end && (*next == ' ' || *next == '\n')) ++next;
  const auto supervisor = std::from_chars(next, end, pids.supervisor);
  if (supervisor.ec != std::errc() || pids.supervisor <= 1) pids.supervisor = 0;
  return pids;
}

std::optional<pid_t> PidIn(const std::string& path) {
  const auto pids = PidsIn(path);
  if (!pids) return std::nullopt;
  return pids->worker;
}

// Fixed in length, so that one write replaces it and no reader finds it empty.
std::string PidText(pid_t pid) {
  std::string text = pid == 0 ? "" : std::to_string(pid);
  text.resize(11, ' ');
  return text + "\n";
}

bool IsLocked(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return false;
  return ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

std::string DaemonPidFile(const std::string& root) { return root + "/run/drover/daemon.pid"; }

std::optional<pid_t> RunningDaemon(const std::string& root) {
  const std::string path = DaemonPidFile(root);
  return IsLocked(path) ? PidIn(path) : std::nullopt;
}

Result<Descriptor> BecomeTheDaemon(const std::string& root) {
  const std::string path = DaemonPidFile(root);
  if (const Status made = MakeDirectories(ParentOf(path), 0700); !made) return Fail(made.error());
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return Fail(ErrnoError(errno, path));
  // Somebody who only looks (IsLocked) holds it for a moment: that is no daemon.
  for (int attempt = 0; ::flock(file.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (errno != EWOULDBLOCK && errno != EINTR) return Fail(ErrnoError(errno, path));
    if (attempt < 5) {
      std::this_thread::sleep_for(kLook);
      continue;
    }
    const auto pid = PidIn(path);
    return Fail(ErrorCode::kExists,
                "the daemon runs already" + (pid ? ", as process " + std::to_string(*pid) : ""));
  }
  if (const Status named = NameTheDaemon(file, ::getpid(), 0); !named) return Fail(named.error());
  return file;
}

Status NameTheDaemon(const Descriptor& lock, pid_t worker, pid_t supervisor) {
  const std::string text = PidText(worker) + PidText(supervisor);
  const ssize_t written = ::pwrite(lock.get(), text.data(), text.size(), 0);
  if (written != static_cast<ssize_t>(text.size())) {
    return Fail(ErrnoError(written < 0 ? errno : EIO, "daemon.pid"));
  }
  if (::ftruncate(lock.get(), written) != 0) return Fail(ErrnoError(errno, "daemon.pid"));
  return {};
}

Result<bool> StopDaemon(const std::string& root, std::chrono::milliseconds patience) {
  const std::string path = DaemonPidFile(root);
  const auto pids = IsLocked(path) ? PidsIn(path) : std::nullopt;
  if (!pids) return false;
  const pid_t head = pids->head();
  const std::string name = "daemon, process " + std::to_string(head);
  if (::kill(head, SIGTERM) != 0 && errno != ESRCH) return Fail(ErrnoError(errno, name));
  const auto same = [&] {
    const auto now = IsLocked(path) ? PidsIn(path) : std::nullopt;
    return now && now->head() == head;
  };
  auto deadline = std::chrono::steady_clock::now() + patience;
  bool killed = false;
  while (same()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      if (killed) return Fail(ErrorCode::kTimeout, name + ": does not end");
      killed = true;
      const auto now = PidsIn(path);
      ::kill(head, SIGKILL);
      if (now && now->worker != head) ::kill(now->worker, SIGKILL);
      deadline += kKillPatience;
    }
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

}  // namespace drover
