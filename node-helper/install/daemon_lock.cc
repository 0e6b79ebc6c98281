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

std::optional<pid_t> PidIn(const std::string& path) {
  const auto text = ReadWholeFile(path);
  if (!text) return std::nullopt;
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), pid);
  if (error != std::errc() || pid <= 1) return std::nullopt;
  return pid;
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
  if (::ftruncate(file.get(), 0) != 0) return Fail(ErrnoError(errno, path));
  const Status written = WriteAll(file.get(), std::to_string(::getpid()) + "\n", path);
  if (!written) return Fail(written.error());
  return file;
}

Result<bool> StopDaemon(const std::string& root, std::chrono::milliseconds patience) {
  const auto pid = RunningDaemon(root);
  if (!pid) return false;
  if (::kill(*pid, SIGTERM) != 0 && errno != ESRCH) {
    return Fail(ErrnoError(errno, "daemon, process " + std::to_string(*pid)));
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  bool killed = false;
  while (RunningDaemon(root) == pid) {
    if (std::chrono::steady_clock::now() >= deadline) {
      if (killed) {
        return Fail(ErrorCode::kTimeout,
                    "daemon, process " + std::to_string(*pid) + ": does not end");
      }
      killed = true;
      ::kill(*pid, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds{200});
    }
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

}  // namespace drover
