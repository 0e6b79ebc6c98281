#include "node-helper/daemon/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

#include "node-helper/daemon/log.h"
#include "node-helper/daemon/reapply.h"
#include "node-helper/install/daemon_lock.h"
#include "node-helper/store/files.h"
#include "node-helper/store/session_lock.h"
#include "node-helper/tasks/stop_signals.h"
#include "protocol/version.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookAgainAfterSession{1000};

// A pass over all records, until no failure is left.
class Keeper {
 public:
  Keeper(const DaemonParts& parts, const DaemonLog& log) : parts_(parts), log_(log) {}

  // Returns when to come again; nothing: all is set.
  std::optional<milliseconds> Pass() {
    const auto lock = SessionLock::Take(parts_.store->directory(), Myself(), milliseconds{0},
                                        [] { return true; });
    // A session is at work: what it sets is set, and what it fails at is its to report.
    if (!lock && lock.error().code == ErrorCode::kUnreachable) return kLookAgainAfterSession;
    const ReapplyReport report = lock ? Look() : ReapplyReport{{}, {lock.error().message}};
    for (const Change& change : report.done) log_.Line(OneLine(Describe(change)));
    if (report.failures != last_failures_) {
      for (const std::string& failure : report.failures) log_.Problem(failure);
      if (report.failures.empty()) log_.Line("everything that was recorded is set");
    }
    last_failures_ = report.failures;
    if (report.failures.empty()) {
      failed_passes_ = 0;
      return std::nullopt;
    }
    return RetryDelay(++failed_passes_);
  }

  void StartAfresh() {
    failed_passes_ = 0;
    last_failures_.clear();
  }

 private:
  static RunInfo Myself() {
    RunInfo run;
    run.owner = "node-helper daemon";
    run.user = "root";
    run.control_host = "this node";
    run.pid = ::getpid();
    return run;
  }

  ReapplyReport Look() {
    const auto records = parts_.store->LoadAll();
    if (!records) return {{}, {records.error().message}};
    const auto kernel = parts_.open_kernel();
    if (!kernel) return {{}, {kernel.error().message}};
    return Reapply(**kernel, *records);
  }

  const DaemonParts& parts_;
  const DaemonLog& log_;
  std::vector<std::string> last_failures_;
  int failed_passes_ = 0;
};

// Looks, waits, looks again; the exit code.
int Loop(const DaemonParts& parts, StopSignals& signals, const DaemonLog& log) {
  log.Line(std::string("node-helper ") + kVersion + " runs");
  Keeper keeper(parts, log);
  for (;;) {
    const auto again = keeper.Pass();
    pollfd waiting{signals.fd(), POLLIN, 0};
    const int patience = again ? static_cast<int>(again->count()) : -1;
    if (::poll(&waiting, 1, patience) < 0 && errno != EINTR) {
      log.Problem(ErrnoError(errno, "waiting").message);
      return 1;
    }
    while (const auto signal = signals.Next()) {
      if (*signal == SIGHUP) {
        keeper.StartAfresh();
        continue;
      }
      log.Line("ends, as asked");
      return 0;
    }
  }
}

// Everything the child of a detach does; tells its parent by `ready` how it went.
[[noreturn]] void LiveDetached(const DaemonParts& parts, Descriptor ready) {
  const auto fail = [&](const Error& error) {
    [[maybe_unused]] const Status told = WriteAll(ready.get(), error.message, "parent");
    ::_exit(1);
  };
  auto lock = BecomeTheDaemon(parts.root);
  if (!lock) fail(lock.error());
  auto signals = StopSignals::Watch();
  if (!signals) fail(signals.error());
  const DaemonLog log = DaemonLog::ToSyslogOr(parts.root + "/run/drover/daemon.log");
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
  if (null > 2) ::close(null);
  ready.Reset();
  ::_exit(Loop(parts, *signals, log));
}

}  // namespace

int RunDaemon(const DaemonParts& parts) {
  const DaemonLog log = DaemonLog::ToStderr();
  auto lock = BecomeTheDaemon(parts.root);
  if (!lock) {
    log.Problem(lock.error().message);
    return 1;
  }
  auto signals = StopSignals::Watch();
  if (!signals) {
    log.Problem(signals.error().message);
    return 1;
  }
  return Loop(parts, *signals, log);
}

Status DetachDaemon(const DaemonParts& parts) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Fail(ErrnoError(errno, "pipe"));
  Descriptor answer(ends[0]);
  Descriptor ready(ends[1]);
  const pid_t middle = ::fork();
  if (middle < 0) return Fail(ErrnoError(errno, "fork"));
  if (middle == 0) {
    // The second fork gives up the leadership of the session: no terminal can come back.
    ::setsid();
    const pid_t daemon = ::fork();
    if (daemon != 0) ::_exit(daemon < 0 ? 1 : 0);
    [[maybe_unused]] const int moved = ::chdir("/");
    answer.Reset();
    LiveDetached(parts, std::move(ready));
  }
  ready.Reset();
  int status = 0;
  while (::waitpid(middle, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Fail(ErrorCode::kInternal, "the daemon could not be started");
  }
  std::string complaint;
  std::array<char, 512> chunk;
  for (;;) {
    const ssize_t got = ::read(answer.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    complaint.append(chunk.data(), static_cast<std::size_t>(got));
  }
  if (!complaint.empty()) return Fail(ErrorCode::kInternal, complaint);
  return {};
}

}  // namespace drover
