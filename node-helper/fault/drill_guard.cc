#include "node-helper/fault/drill_guard.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "node-helper/drill/responder.h"
#include "node-helper/drill/stop_event.h"
#include "node-helper/fault/fault_hands.h"
#include "node-helper/fault/process_table.h"
#include "node-helper/store/detach.h"
#include "node-helper/store/files.h"
#include "node-helper/store/systemd.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLockPatience{2000};
constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{30000};
constexpr int kPriority = 20;  // above the prober, below the VRRP thread
constexpr milliseconds kTickOfGuardian{5};
constexpr milliseconds kTickOfWatchman{40};
constexpr milliseconds kLookAtOther{200};
constexpr milliseconds kSayBeforeReboot{300};
constexpr BoardTime kArmingPatience = 5'000'000;
constexpr int kServiceUnavailable = 503;
constexpr const char* kInitScript = "/etc/init.d/drover-node-helper";

UndoneBy WhoIs(GuardRole role) {
  return role == GuardRole::kGuardian ? UndoneBy::kGuardian : UndoneBy::kWatchman;
}

// The kernel has ended it already: nobody was there who could.
bool KernelWasFirst(const DrillJournal& journal, DrillBoard& board) {
  const BoardPage& page = board.page();
  if (page.injected == 0 || BoardNow() < page.deadline) return false;
  return std::all_of(journal.steps.begin(), journal.steps.end(), IsKernelTimed);
}

class Guard {
 public:
  Guard(const DrillParts& parts, DrillJournal journal, DrillBoard& board, GuardRole role)
      : parts_(parts), journal_(std::move(journal)), board_(board), role_(role) {}

  int Watch() {
    auto kernel = KernelUndo::Open();
    if (kernel) kernel_ = std::move(*kernel);
    board_.page().pid.at(Index()) = ::getpid();
    BoardTime next_look = BoardNow();
    while (true) {
      Show();
      switch (ActOf(ViewOf(board_.page(), BoardNow()), role_)) {
        case GuardAct::kLeave:
          return 0;
        case GuardAct::kUndo:
          Undo();
          break;
        case GuardAct::kWait:
          break;
      }
      if (BoardNow() >= next_look) {
        LookAtTheOther();
        next_look = BoardNow() + std::chrono::microseconds(kLookAtOther).count();
      }
      std::this_thread::sleep_for(role_ == GuardRole::kGuardian ? kTickOfGuardian
                                                                : kTickOfWatchman);
    }
  }

  // That it lives, and knows the newest form of the journal.
  void Show() {
    const std::int64_t generation = board_.page().generation;
    if (generation != board_.page().seen.at(Index())) {
      const auto journal = DrillJournals(parts_.directory).Load(journal_.task.order.drill_id);
      if (journal) journal_ = *journal;
      if (journal) board_.page().seen.at(Index()) = generation;
    }
    board_.page().beat.at(Index()) = BoardNow();
  }

 private:
  [[nodiscard]] std::size_t Index() const { return static_cast<std::size_t>(role_); }

  void Undo() {
    if (UndoDrill(parts_, journal_, board_, WhoIs(role_), kernel_.get())) {
      parts_.tell("drill " + journal_.task.order.drill_id + ": undone by the " +
                  std::string(ToString(role_)));
      return;
    }
    if (!told_) {
      for (const std::string& residue : board_.Residue()) {
        parts_.tell("drill " + journal_.task.order.drill_id + " is not undone: " + residue);
      }
    }
    told_ = true;
    const auto until = BoardNow() + std::chrono::microseconds(pause_).count();
    pause_ = std::min(pause_ * 2, kLongestPause);
    while (BoardNow() < until && board_.page().undone == 0) {
      Show();
      std::this_thread::sleep_for(kTickOfWatchman);
    }
  }

  void LookAtTheOther() {
    const GuardRole other =
        role_ == GuardRole::kGuardian ? GuardRole::kWatchman : GuardRole::kGuardian;
    const auto index = static_cast<std::size_t>(other);
    // One that was never seen is being started by who arms the drill.
    if (board_.page().beat.at(index) == 0 || board_.Lives(other)) return;
    const auto process = ProcessOf(static_cast<pid_t>(board_.page().pid.at(index)));
    // Late is not dead; a frozen one is of no use.
    if (process && StateOf(process->pid) != 'T') return;
    [[maybe_unused]] const Status started = StartGuard(parts_, journal_.task.order.drill_id, other);
  }

  const DrillParts& parts_;
  DrillJournal journal_;
  DrillBoard& board_;
  GuardRole role_;
  std::unique_ptr<KernelUndo> kernel_;
  milliseconds pause_ = kFirstPause;
  bool told_ = false;
};

// Neither a full memory nor busy processors may hold it up. What is not allowed here is left.
void Harden() {
  (void)::mlockall(MCL_CURRENT | MCL_FUTURE);
  const sched_param param{.sched_priority = kPriority};
  (void)::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param);
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    [[maybe_unused]] const Status written = WriteAll(fd, "-1000", "oom_score_adj");
    ::close(fd);
  }
  for (const int signal : {SIGHUP, SIGPIPE, SIGINT}) ::signal(signal, SIG_IGN);
}

// A group of its own outside the session's: the end of the login must not end it.
void LeaveTheSessionsGroup() {
  if (!SystemdRuns()) return;
  const int fd = ::open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const Status moved = WriteAll(fd, std::to_string(::getpid()), "cgroup.procs");
  ::close(fd);
}

int Guarding(const DrillParts& parts, const std::string& id, GuardRole role) {
  const Status detached = Detach([&](StartReport& report) {
    CloseTheTerminal();
    auto journal = DrillJournals(parts.directory).Load(id);
    auto board = DrillBoard::Open(parts.run_directory, id);
    if (!journal || !board) {
      report.Failed(journal ? board.error().message : journal.error().message);
      return 1;
    }
    ::prctl(PR_SET_NAME, role == GuardRole::kGuardian ? "drover-guardian" : "drover-watchman");
    Harden();
    LeaveTheSessionsGroup();
    Guard guard(parts, std::move(*journal), **board, role);
    guard.Show();
    report.Ready();
    return guard.Watch();
  });
  if (detached) return 0;
  std::fprintf(stderr, "%s\n", detached.error().message.c_str());
  return 1;
}

int UndoingNow(const DrillParts& parts, const std::string& id, UndoneBy by) {
  const auto journal = DrillJournals(parts.directory).Load(id);
  if (!journal) return journal.error().code == ErrorCode::kNotFound ? 0 : 1;
  auto board = DrillBoard::Open(parts.run_directory, id);
  if (!board) return LookAfterDrills(parts, /*may_guard=*/false) ? 0 : 1;
  return UndoDrill(parts, *journal, **board, by, nullptr) ? 0 : 1;
}

// The kernel kills the process then, whatever it does.
bool DieAt(BoardTime deadline) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer{};
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return false;
  itimerspec when{};
  when.it_value.tv_sec = deadline / 1'000'000;
  when.it_value.tv_nsec = deadline % 1'000'000 * 1000;
  return ::timer_settime(timer, TIMER_ABSTIME, &when, nullptr) == 0;
}

[[noreturn]] void Burn() {
  for (volatile std::uint64_t turns = 0;;) turns = turns + 1;
}

int Burning(BoardTime deadline, std::int64_t processes) {
  const Status detached = Detach([&](StartReport& report) {
    CloseTheTerminal();
    ::prctl(PR_SET_NAME, "drover-burn");
    std::int64_t born = 1;
    while (born < processes) {
      const pid_t child = ::fork();
      if (child == 0) {
        report.Drop();
        if (!DieAt(deadline)) ::_exit(1);  // timers are not inherited
        Burn();
      }
      if (child < 0) break;
      ++born;
    }
    if (born < processes || !DieAt(deadline)) {
      report.Failed("not all processes could be started");
      return 1;
    }
    ::signal(SIGCHLD, SIG_IGN);
    report.Ready();
    Burn();
  });
  return detached ? 0 : 1;
}

int Answering(BoardTime deadline, std::uint16_t port) {
  const Status detached = Detach([&](StartReport& report) {
    CloseTheTerminal();
    ::prctl(PR_SET_NAME, "drover-answer");
    ResponderSettings settings;
    settings.name = "drill";
    settings.http = {{IpAddress::V4({0, 0, 0, 0}), port}, {IpAddress::V6({}), port}};
    auto responder = Responder::Open(settings);
    if (!responder) {
      settings.http.pop_back();  // a host without IPv6
      responder = Responder::Open(settings);
    }
    const auto stop = StopEvent::Create();
    if (!responder || !stop || !DieAt(deadline)) {
      report.Failed(responder ? "no timer" : responder.error().message);
      return 1;
    }
    (*responder)->Misbehave(kServiceUnavailable, milliseconds(0), std::chrono::hours(2));
    report.Ready();
    return (*responder)->Run(*stop) ? 0 : 1;
  });
  if (detached) return 0;
  std::fprintf(stderr, "%s\n", detached.error().message.c_str());
  return 1;
}

// The answer to the order is sent first.
int Rebooting(const DrillParts& parts, const std::string& way) {
  const Status detached = Detach([&](StartReport& report) {
    CloseTheTerminal();
    report.Ready();
    std::this_thread::sleep_for(kSayBeforeReboot);
    if (way == "systemd") return RunTool(parts, {"systemctl", "reboot"}) ? 0 : 1;
    if (way == "shutdown") return RunTool(parts, {"shutdown", "-r", "now"}) ? 0 : 1;
    // No init system stops our daemon here.
    const bool script = ::access(kInitScript, X_OK) == 0;
    [[maybe_unused]] const Status stopped =
        script ? RunTool(parts, {kInitScript, "stop"})
               : RunTool(parts, {parts.program, "daemon", "--stop"});
    ::sync();
    return ::reboot(RB_AUTOBOOT) == 0 ? 0 : 1;
  });
  return detached ? 0 : 1;
}

template <typename Number>
std::optional<Number> NumberIn(const std::string& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Nobody of the drill lives any more. What was volatile is gone with an earlier boot; where only
// /run is empty (a container's restart), everything is looked at.
void UndoLeftover(const DrillParts& parts, DrillJournal journal) {
  if (journal.boot_id != parts.boot_id()) {
    std::erase_if(journal.steps, [](const FaultStep& step) { return !IsPersistent(step); });
  }
  const std::string& id = journal.task.order.drill_id;
  auto board = DrillBoard::Create(parts.run_directory, id);
  if (!board) return;
  (*board)->page().began = BoardNow();  // who knows
  if (UndoDrill(parts, journal, **board, UndoneBy::kBoot, nullptr)) {
    parts.tell("drill " + id + ": undone after a restart");
  }
}

}  // namespace

bool UndoDrill(const DrillParts& parts, const DrillJournal& journal, DrillBoard& board, UndoneBy by,
               KernelUndo* kernel) {
  // Who holds it longer than this is frozen or hangs; everything may be done twice.
  const bool locked = board.Lock(kLockPatience);
  bool clean = true;
  if (board.page().undone == 0) {
    const bool kernel_was_first = by != UndoneBy::kGuardian && KernelWasFirst(journal, board);
    // As long as nothing was done, what differs from then is somebody else's doing.
    std::vector<std::string> residue;
    if (board.page().began != 0) {
      residue = FaultHands(parts, journal.task.order.drill_id, kernel).UndoAll(journal.steps);
    }
    board.WriteResidue(residue);
    clean = residue.empty();
    if (clean) {
      const Status forgotten = DrillJournals(parts.directory).Remove(journal.task.order.drill_id);
      if (!forgotten) board.WriteResidue({forgotten.error().message});
      clean = forgotten.has_value();
    }
    if (clean) {
      const BoardTime deadline = board.page().deadline;
      board.page().undone_by = static_cast<std::int64_t>(kernel_was_first ? UndoneBy::kKernel : by);
      board.page().undone = kernel_was_first ? deadline : BoardNow();
    }
  }
  if (locked) board.Unlock();
  return clean;
}

Status StartGuard(const DrillParts& parts, const std::string& id, GuardRole role) {
  return RunTool(parts, {parts.program, "drill", "guard", id, std::string(ToString(role))});
}

int RunDrillProcess(const DrillParts& parts, const std::vector<std::string>& arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  const std::string id = arguments.size() > 1 ? arguments[1] : "";
  const std::string more = arguments.size() > 2 ? arguments[2] : "";
  if (what == "guard" && (more == "guardian" || more == "watchman")) {
    return Guarding(parts, id, more == "guardian" ? GuardRole::kGuardian : GuardRole::kWatchman);
  }
  if (what == "undo" && !id.empty()) return UndoingNow(parts, id, UndoneBy::kSystemd);
  if (what == "reboot" && !more.empty()) return Rebooting(parts, more);
  const auto board = DrillBoard::Open(parts.run_directory, id);
  const BoardTime deadline = board ? (*board)->page().deadline.load() : 0;
  if (what == "burn" && deadline != 0) {
    if (const auto processes = NumberIn<std::int64_t>(more)) return Burning(deadline, *processes);
  }
  if (what == "answer" && deadline != 0) {
    if (const auto port = NumberIn<std::uint16_t>(more)) return Answering(deadline, *port);
  }
  return -1;
}

bool LookAfterDrills(const DrillParts& parts, bool may_guard) {
  const DrillJournals journals(parts.directory);
  bool any = false;
  for (const std::string& id : journals.Ids()) {
    auto journal = journals.Load(id);
    if (!journal) continue;
    auto board = DrillBoard::Open(parts.run_directory, id);
    if (!board || journal->boot_id != parts.boot_id()) {
      UndoLeftover(parts, std::move(*journal));
      any = true;
      continue;
    }
    if (!may_guard || (*board)->Lives(GuardRole::kGuardian)) continue;
    // Whoever arms it is about to start the first one, or has died on the way.
    const BoardPage& page = (*board)->page();
    if (page.beat[0] == 0 && BoardNow() < page.lease_until + kArmingPatience) continue;
    any = true;
    if (const Status started = StartGuard(parts, id, GuardRole::kGuardian); !started) {
      parts.tell("drill " + id + ": " + started.error().message);
    }
  }
  return any;
}

}  // namespace drover
