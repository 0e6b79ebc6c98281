#include "node-helper/transaction/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "node-helper/store/detach.h"
#include "node-helper/store/files.h"
#include "node-helper/store/session_lock.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{200};
constexpr milliseconds kFirstPause{1000};
constexpr milliseconds kLongestPause{60000};
constexpr std::uint32_t kMostDoublings = 6;
constexpr milliseconds kLockPatience{5000};
constexpr milliseconds kPoliteWait{300};
constexpr milliseconds kOthersPatience{60000};

std::string LockPath(const std::string& run_directory) { return run_directory + "/guard.lock"; }

// Held as long as this process lives; kExists when another guard has it.
Result<Descriptor> BecomeTheGuard(const std::string& run_directory) {
  if (const Status made = MakeDirectories(run_directory, 0700); !made) return Fail(made.error());
  const std::string path = LockPath(run_directory);
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return Fail(ErrnoError(errno, path));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno != EWOULDBLOCK) return Fail(ErrnoError(errno, path));
  return Fail(ErrorCode::kExists, "another guard is at work");
}

class Guard {
 public:
  explicit Guard(const GuardParts& parts)
      : parts_(parts),
        journal_(parts.store->directory()),
        deadline_(parts.run_directory, parts.clock) {}

  void Watch() {
    for (;;) {
      const auto pending = journal_.Load();
      if (!pending) {
        Tell(pending.error().message);
        std::this_thread::sleep_for(kFirstPause);
        continue;
      }
      const GuardDuty duty = DutyOf(*pending, deadline_.Left());
      if (duty.kind == GuardDuty::Kind::kNothing) return;
      if (duty.kind == GuardDuty::Kind::kWait) {
        std::this_thread::sleep_for(kLook);
        continue;
      }
      GoBack();
    }
  }

 private:
  void GoBack() {
    const auto pause = RetryPause(attempts_++);
    const auto gone = Attempt();
    if (!gone) {
      Tell(gone.error().message);
      std::this_thread::sleep_for(pause);
      return;
    }
    if (!*gone) return;
    parts_.log(SummaryOf(**gone), true);
    for (const ChangeText& change : (*gone)->done) parts_.log("  " + OneLine(change), false);
    if (!(*gone)->complete()) std::this_thread::sleep_for(pause);
  }

  // Alone with the node; a session of the run that still works is ended.
  Result<std::optional<GoneBack>> Attempt() {
    const auto before = journal_.Load();
    if (!before || !*before) return std::optional<GoneBack>();
    RunInfo run = (*before)->run;
    run.command = "going back";
    // Somebody who goes back already may be in the middle of it.
    const milliseconds polite = (*before)->going_back ? kOthersPatience : kPoliteWait;
    const auto lock = SessionLock::TakeByForce(parts_.store->directory(), run, polite);
    if (!lock) return Fail(lock.error());
    // Meanwhile it may have been confirmed, or was heard of.
    const auto pending = journal_.Load();
    if (!pending) return Fail(pending.error());
    const GuardDuty duty = DutyOf(*pending, deadline_.Left());
    if (duty.kind != GuardDuty::Kind::kGoBack) return std::optional<GoneBack>();
    auto go_back = parts_.go_back();
    if (!go_back) return Fail(go_back.error());
    return GoingBack(std::move(*go_back)).Run(duty.reason);
  }

  void Tell(const std::string& problem) {
    if (problem != told_) parts_.log("going back: " + problem, true);
    told_ = problem;
  }

  const GuardParts& parts_;
  PendingJournal journal_;
  DeadlineFile deadline_;
  std::uint32_t attempts_ = 0;
  std::string told_;
};

// What the detached process does.
int LiveDetached(const GuardParts& parts, StartReport& report) {
  const auto lock = BecomeTheGuard(parts.run_directory);
  const bool another = !lock && lock.error().code == ErrorCode::kExists;
  // Before anything is said: who started us waits for the end of our output.
  CloseTheTerminal();
  if (!lock && !another) {
    report.Failed(lock.error().message);
    return 1;
  }
  report.Ready();
  if (another) return 0;
  ::prctl(PR_SET_NAME, "drover-guard");
  Guard(parts).Watch();
  return 0;
}

}  // namespace

GuardDuty DutyOf(const std::optional<Pending>& pending, const std::optional<milliseconds>& left) {
  using Kind = GuardDuty::Kind;
  if (!pending) return {Kind::kNothing, ""};
  if (pending->going_back) return {Kind::kGoBack, pending->reason};
  if (!left) return {Kind::kGoBack, "the node was restarted before the run was confirmed"};
  if (left->count() == 0) {
    return {Kind::kGoBack, "nothing was heard of the run in time, and it was not confirmed"};
  }
  return {Kind::kWait, ""};
}

milliseconds RetryPause(std::uint32_t attempts) {
  return std::min(kFirstPause * (1U << std::min(attempts, kMostDoublings)), kLongestPause);
}

bool GuardIsAtWork(const std::string& run_directory) {
  const Descriptor file(::open(LockPath(run_directory).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return false;
  return ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

int RunGuard(const GuardParts& parts) {
  const auto lock = BecomeTheGuard(parts.run_directory);
  if (!lock) {
    if (lock.error().code == ErrorCode::kExists) return 0;
    parts.log(lock.error().message, true);
    return 1;
  }
  Guard(parts).Watch();
  return 0;
}

Status DetachGuard(const GuardParts& parts) {
  const Status detached = Detach([&](StartReport& report) {
    for (const int signal : {SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
    return LiveDetached(parts, report);
  });
  if (detached) return {};
  const std::string& why = detached.error().message;
  return Fail(detached.error().code,
              "the guard could not be started" + (why.empty() ? std::string() : ": " + why));
}

Result<bool> HoldBackOverdueRun(const GuardParts& parts) {
  const PendingJournal journal(parts.store->directory());
  if (!journal.exists()) return false;
  const DeadlineFile deadline(parts.run_directory, parts.clock);
  const auto overdue = [&]() -> Result<GuardDuty> {
    const auto pending = journal.Load();
    if (!pending) return Fail(pending.error());
    return DutyOf(*pending, deadline.Left());
  };
  auto duty = overdue();
  if (!duty) return Fail(duty.error());
  if (duty->kind != GuardDuty::Kind::kGoBack) return false;
  RunInfo run;
  run.command = "going back";
  const auto lock =
      SessionLock::Take(parts.store->directory(), run, kLockPatience, [] { return false; });
  if (!lock) return Fail(lock.error());
  duty = overdue();
  if (!duty) return Fail(duty.error());
  if (duty->kind != GuardDuty::Kind::kGoBack) return false;
  GoBackParts go_back;
  go_back.store = parts.store;
  go_back.run_directory = parts.run_directory;
  go_back.clock = parts.clock;
  if (const Status begun = GoingBack(go_back).Begin(duty->reason); !begun) {
    return Fail(begun.error());
  }
  return true;
}

}  // namespace drover
