#include "node-helper/daemon/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "node-helper/daemon/daemon_loop.h"
#include "node-helper/daemon/log.h"
#include "node-helper/daemon/supervisor.h"
#include "node-helper/install/daemon_lock.h"
#include "node-helper/store/files.h"
#include "node-helper/tasks/stop_signals.h"

namespace drover {
namespace {

constexpr const char* kReady = "ready";

std::string LogFile(const DaemonParts& parts) { return parts.root + "/run/drover/daemon.log"; }

// The memory of the process holds the passwords of instances: no core, no ptrace by other users.
void KeepMemoryPrivate() { ::prctl(PR_SET_DUMPABLE, 0); }

int RunLoop(const DaemonParts& parts, const DaemonLog& log, const LoopStart& start) {
  KeepMemoryPrivate();
  auto signals = StopSignals::Watch();
  const Status done =
      signals ? RunDaemonLoop(parts, *signals, log, start) : Status(Fail(signals.error()));
  if (done) return 0;
  log.Problem(done.error().message);
  return kCannotBegin;
}

void CloseTheTerminal() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
  if (null > 2) ::close(null);
}

// The worker of a detached daemon; tells the one who started it by `ready` how it went.
int Work(const DaemonParts& parts, const Descriptor& lock, Descriptor& ready) {
  KeepMemoryPrivate();
  auto signals = StopSignals::Watch();
  const DaemonLog log = DaemonLog::ToSyslogOr(LogFile(parts));
  LoopStart start;
  start.lock_fd = lock.get();
  start.detached = true;
  start.ready = [&ready] {
    [[maybe_unused]] const Status told = WriteAll(ready.get(), kReady, "parent");
    ready.Reset();
  };
  const Status done =
      signals ? RunDaemonLoop(parts, *signals, log, start) : Status(Fail(signals.error()));
  if (done) return 0;
  log.Problem(done.error().message);
  if (ready.valid()) {
    [[maybe_unused]] const Status told = WriteAll(ready.get(), done.error().message, "parent");
    return kCannotBegin;
  }
  return 1;
}

// Everything the last child of a detach does.
[[noreturn]] void LiveDetached(const DaemonParts& parts, Descriptor ready) {
  auto lock = BecomeTheDaemon(parts.root);
  if (!lock) {
    [[maybe_unused]] const Status told = WriteAll(ready.get(), lock.error().message, "parent");
    ::_exit(1);
  }
  CloseTheTerminal();
  const pid_t supervisor = ::getpid();
  SupervisedWorker worker;
  worker.run = [&] { return Work(parts, *lock, ready); };
  worker.started = [&](pid_t pid) {
    ready.Reset();  // the first worker has its own
    [[maybe_unused]] const Status named =
        NameTheDaemon(*lock, pid == 0 ? supervisor : pid, supervisor);
  };
  ::_exit(Supervise(worker));
}

std::string ReadToEnd(const Descriptor& from) {
  std::string text;
  std::array<char, 512> chunk;
  for (;;) {
    const ssize_t got = ::read(from.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

int RunDaemon(const DaemonParts& parts) {
  const DaemonLog log = DaemonLog::ToStderr();
  auto lock = BecomeTheDaemon(parts.root);
  if (!lock) {
    log.Problem(lock.error().message);
    return 1;
  }
  LoopStart start;
  start.lock_fd = lock->get();
  start.ready = [] {};
  return RunLoop(parts, log, start) == 0 ? 0 : 1;
}

int ResumeDaemon(const DaemonParts& parts, int fd) {
  LoopStart start;
  auto inheritance = TakeInheritance(fd);
  if (!inheritance) {
    DaemonLog::ToStderr().Problem(inheritance.error().message);
    return 1;  // who supervises starts afresh
  }
  start.lock_fd = inheritance->lock_fd;
  start.detached = inheritance->detached;
  start.inheritance = std::move(*inheritance);
  start.ready = [] {};
  const DaemonLog log =
      start.detached ? DaemonLog::ToSyslogOr(LogFile(parts)) : DaemonLog::ToStderr();
  return RunLoop(parts, log, start) == 0 ? 0 : 1;
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
  const std::string said = ReadToEnd(answer);
  if (said == kReady) return {};
  return Fail(
      ErrorCode::kInternal,
      said.empty() ? "the daemon ended before it was ready (see " + LogFile(parts) + ")" : said);
}

}  // namespace drover
