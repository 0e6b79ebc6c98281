// `drover drill due`: drives the drills whose time has come, each due time once, and says why
// others were not driven. A timer starts it every minute.
//
// What is to be done is written down before it is done. When this process dies in the middle, the
// drill that it started goes on or is undone by its guards; the next look finds out what became of
// it and says so.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iostream>

#include "orchestrator/drill/verdict.h"
#include "orchestrator/notify/hook.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/drill_words.h"
#include "orchestrator/run/due_store.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/history_file.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

constexpr const char* kSelf = "/proc/self/exe";

std::string TriggerOf(const DrillSchedule& schedule) { return "schedule " + schedule.name; }

// While a drill runs, a signal that asks us to end is the drill's: it undoes, and we write down
// what came of it.
class SignalsLeftToTheDrill {
 public:
  SignalsLeftToTheDrill() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      struct sigaction ignore {};
      ignore.sa_handler = SIG_IGN;
      sigaction(kSignals.at(i), &ignore, &before_.at(i));
    }
  }
  ~SignalsLeftToTheDrill() { Restore(); }
  SignalsLeftToTheDrill(const SignalsLeftToTheDrill&) = delete;
  SignalsLeftToTheDrill& operator=(const SignalsLeftToTheDrill&) = delete;
  // Also in the child.
  void Restore() const {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals.at(i), &before_.at(i), nullptr);
    }
  }

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, 3> before_{};
};

// The status that it ended with; more than 255 when a signal killed it.
Result<int> RunDrillProcess(const DrillSchedule& schedule) {
  std::vector<std::string> words = {
      "drover", "drill", "run", std::string(ToString(schedule.fault)), schedule.playbook, "-y"};
  for (const std::string& inventory : schedule.inventories) {
    words.insert(words.end(), {"-i", inventory});
  }
  words.insert(words.end(), schedule.options.begin(), schedule.options.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const std::string trigger = TriggerOf(schedule);
  const SignalsLeftToTheDrill signals;
  const pid_t child = ::fork();
  if (child < 0) return Fail(ErrnoError(errno, "drover drill run"));
  if (child == 0) {
    signals.Restore();
    const int null = ::open("/dev/null", O_RDONLY);
    if (::chdir(schedule.folder.c_str()) != 0 || null < 0 || ::dup2(null, STDIN_FILENO) < 0 ||
        ::setenv(kTriggerVariable, trigger.c_str(), 1) != 0) {
      ::_exit(kExitError);
    }
    ::execv(kSelf, pointers.data());
    ::_exit(kExitError);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

// A hook's own words, or those in the file that it names; the first line.
Result<std::string> HookOf(const std::string& hook) {
  if (!hook.starts_with('@')) return hook;
  std::ifstream file(hook.substr(1));
  std::string line;
  if (!std::getline(file, line) || line.empty()) {
    return Fail(ErrorCode::kNotFound, hook.substr(1) + " cannot be read, or is empty");
  }
  return line;
}

class DueRun {
 public:
  DueRun(ScheduleStore& schedules, HistoryStore& history, bool without_jitter)
      : schedules_(schedules), history_(history), without_jitter_(without_jitter) {}

  int Run() {
    const auto all = schedules_.Schedules();
    if (!all) return Problem(all.error());
    for (const StoredSchedule& stored : *all) {
      // A schedule that cannot be looked at does not keep the others from their drills.
      if (const Status done = Handle(stored); !done) {
        Problem(done.error().In(stored.schedule.name));
      }
    }
    return status_;
  }

 private:
  Status Handle(const StoredSchedule& stored) {
    const DrillSchedule& schedule = stored.schedule;
    const std::int64_t now = WallNowUs();
    const auto zone = ZoneOf(schedule);
    if (!zone) return Fail(zone.error());
    if (const Status taken = TakeUpDue(schedules_, stored, now); !taken) return taken;
    auto open = OpenOccurrences(schedules_, schedule.name);
    if (!open) return Fail(open.error());
    auto failures = Failures(schedule);
    if (!failures) return Fail(failures.error());
    const auto decisions = DecideDue(schedule, *zone,
                                     {.open = *open,
                                      .failures_us = *std::move(failures),
                                      .now_us = now,
                                      .without_jitter = without_jitter_});
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      if (!decisions[i].changed) continue;
      Occurrence one = decisions[i].occurrence;
      if (one.state == OccurrenceState::kInterrupted) FindItsDrill(schedule, open->at(i), one);
      if (const Status kept = schedules_.Change(one, open->at(i).state); !kept) return kept;
      if (one.state != OccurrenceState::kRunning) {
        NotDriven(schedule, one);
      } else if (const Status driven = Drive(schedule, one); !driven) {
        return driven;
      }
    }
    return {};
  }

  // The process that drove it died; its drill may have come to a verdict all the same.
  void FindItsDrill(const DrillSchedule& schedule, const Occurrence& before, Occurrence& one) {
    const auto drill = DrillSince(schedule, before.changed_us);
    if (!drill) return;
    one.state = OccurrenceState::kDone;
    one.drill = drill->id;
    one.reason = std::string(ToString(drill->verdict)) + " (found later)";
  }

  std::optional<DrillRecord> DrillSince(const DrillSchedule& schedule, std::int64_t since_us) {
    const auto drills = history_.Drills({.fault = schedule.fault, .since_us = since_us});
    if (!drills) return std::nullopt;
    for (auto drill = drills->rbegin(); drill != drills->rend(); ++drill) {
      if (drill->trigger == TriggerOf(schedule)) return *drill;
    }
    return std::nullopt;
  }

  // Of any drill of this cluster: what it bears is one budget.
  Result<std::vector<std::int64_t>> Failures(const DrillSchedule& schedule) {
    const auto drills = history_.Drills({.playbooks = {schedule.playbook}});
    if (!drills) return Fail(drills.error());
    std::vector<std::int64_t> failures;
    for (const DrillRecord& drill : *drills) {
      const bool fine =
          drill.verdict == VerdictKind::kPass || drill.verdict == VerdictKind::kInconclusive;
      if (!fine) failures.push_back(drill.started_us);
    }
    return failures;
  }

  void NotDriven(const DrillSchedule& schedule, const Occurrence& one) {
    Tell(schedule, one);
    const bool forgotten =
        one.state == OccurrenceState::kMissed || one.state == OccurrenceState::kInterrupted;
    if (forgotten) status_ = std::max<int>(status_, kExitError);
    // Held ones are told when they begin to wait, so that somebody can approve.
    const bool done = one.state == OccurrenceState::kDone;
    RunAndWarn(schedule, one, done ? "after" : "not-driven", schedule.after);
  }

  Status Drive(const DrillSchedule& schedule, Occurrence one) {
    if (const Status before = Hook(schedule, one, "before", schedule.before); !before) {
      one.state = OccurrenceState::kSkipped;
      one.reason = "before: " + before.error().message;
      if (const Status kept = Finish(one); !kept) return kept;
      NotDriven(schedule, one);
      return {};
    }
    const std::int64_t begun = WallNowUs();
    PrintOut(Printable(schedule.name + ": drives " + std::string(ToString(schedule.fault))) + "\n");
    const auto status = RunDrillProcess(schedule);
    const auto drill = DrillSince(schedule, begun);
    if (drill) {
      one.state = OccurrenceState::kDone;
      one.drill = drill->id;
      one.reason = std::string(ToString(drill->verdict));
      status_ = std::max(status_, ExitCodeOf(drill->verdict));
    } else {
      one.state = OccurrenceState::kSkipped;
      one.reason =
          status ? "drover drill run came to no verdict (status " + std::to_string(*status) + ")"
                 : status.error().message;
      status_ = std::max<int>(status_, kExitError);
    }
    if (const Status kept = Finish(one); !kept) return kept;
    Tell(schedule, one);
    RunAndWarn(schedule, one, "after", schedule.after);
    return {};
  }

  Status Finish(Occurrence& one) {
    one.changed_us = WallNowUs();
    return schedules_.Change(one, OccurrenceState::kRunning);
  }

  void Tell(const DrillSchedule& schedule, const Occurrence& one) {
    const auto zone = ZoneOf(schedule);
    PrintOut(Printable(schedule.name + " of " +
                       (zone ? LocalText(*zone, MomentOf(one.due_us)) : std::string("?")) + ": " +
                       std::string(ToString(one.state)) +
                       (one.reason.empty() ? "" : ", " + one.reason) +
                       (one.drill.empty() ? "" : " (" + one.drill + ")")) +
             "\n");
  }

  Status Hook(const DrillSchedule& schedule, const Occurrence& one, const std::string& event,
              const std::string& words) {
    if (words.empty()) return {};
    const auto hook = HookOf(words);
    if (!hook) return Fail(hook.error());
    const auto zone = ZoneOf(schedule);
    return RunHook(*hook, {{"event", event},
                           {"schedule", schedule.name},
                           {"fault", std::string(ToString(schedule.fault))},
                           {"playbook", schedule.playbook},
                           {"due", zone ? LocalText(*zone, MomentOf(one.due_us)) : ""},
                           {"state", std::string(ToString(one.state))},
                           {"reason", one.reason},
                           {"drill-id", one.drill}});
  }

  void RunAndWarn(const DrillSchedule& schedule, const Occurrence& one, const std::string& event,
                  const std::string& words) {
    if (const Status told = Hook(schedule, one, event, words); !told) {
      PrintErr("drover: warning: " + Printable(schedule.name + ": " + told.error().message) + "\n");
    }
  }

  int Problem(const Error& error) {
    PrintProblem(error.message);
    status_ = std::max<int>(status_, kExitError);
    return status_;
  }

  ScheduleStore& schedules_;
  HistoryStore& history_;
  bool without_jitter_;
  int status_ = kExitOk;
};

}  // namespace

int DrillDueCommand(const std::vector<std::string>& arguments) {
  bool now = false;
  CLI::App app{"Drives the drills whose time has come, each due time once.", "drover drill due"};
  app.add_flag("--now", now, "do not wait for the jitter");
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitError;
  }
  const auto lock = DueLock::Take(ProcessEnvironment);
  if (!lock) {
    // The next minute comes soon.
    if (lock.error().code == ErrorCode::kExists) {
      PrintOut(lock.error().message + "\n");
      return kExitOk;
    }
    PrintProblem(lock.error().message);
    return kExitError;
  }
  auto schedules = OpenSchedules(ProcessEnvironment);
  auto history = OpenHistory(ProcessEnvironment);
  if (!schedules || !history) {
    PrintProblem(schedules ? history.error().message : schedules.error().message);
    return kExitError;
  }
  return DueRun(**schedules, **history, now).Run();
}

}  // namespace drover
