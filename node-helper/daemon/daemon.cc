#include "node-helper/daemon/daemon.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <memory>

#include "node-helper/daemon/daemon_loop.h"
#include "node-helper/daemon/log.h"
#include "node-helper/daemon/supervisor.h"
#include "node-helper/install/daemon_lock.h"
#include "node-helper/store/detach.h"
#include "node-helper/tasks/stop_signals.h"

namespace drover {
namespace {

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

// The worker of a detached daemon.
int Work(const DaemonParts& parts, const Descriptor& lock, StartReport& report) {
  KeepMemoryPrivate();
  auto signals = StopSignals::Watch();
  const DaemonLog log = DaemonLog::ToSyslogOr(LogFile(parts));
  LoopStart start;
  start.lock_fd = lock.get();
  start.detached = true;
  start.ready = [&report] { report.Ready(); };
  const Status done =
      signals ? RunDaemonLoop(parts, *signals, log, start) : Status(Fail(signals.error()));
  if (done) return 0;
  log.Problem(done.error().message);
  if (!report.open()) return 1;
  report.Failed(done.error().message);
  return kCannotBegin;
}

// What the detached process does: it supervises the worker.
int LiveDetached(const DaemonParts& parts, StartReport& report) {
  auto lock = BecomeTheDaemon(parts.root);
  if (!lock) {
    report.Failed(lock.error().message);
    return 1;
  }
  CloseTheTerminal();
  const pid_t supervisor = ::getpid();
  SupervisedWorker worker;
  worker.run = [&] { return Work(parts, *lock, report); };
  worker.started = [&](pid_t pid) {
    report.Drop();  // the first worker has its own
    [[maybe_unused]] const Status named =
        NameTheDaemon(*lock, pid == 0 ? supervisor : pid, supervisor);
  };
  return Supervise(worker);
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
  const Status detached = Detach([&](StartReport& report) { return LiveDetached(parts, report); });
  if (detached || !detached.error().message.empty()) return detached;
  return Fail(detached.error().code,
              "the daemon ended before it was ready (see " + LogFile(parts) + ")");
}

}  // namespace drover
