#include "orchestrator/run/carry_out.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "orchestrator/report/ending.h"
#include "orchestrator/report/human.h"
#include "orchestrator/report/json_lines.h"
#include "orchestrator/report/json_report.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/ask_operator.h"
#include "orchestrator/run/debug.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/history_file.h"
#include "orchestrator/run/interrupt.h"
#include "orchestrator/run/prepare.h"
#include "orchestrator/run/progress_ticker.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"
#include "orchestrator/run/vip_probe.h"

namespace drover {
namespace {

constexpr std::size_t kMaxForks = 64;

int StatusOf(const RunOutcome& outcome) {
  bool failed = false;
  bool unreachable = false;
  for (const auto& [host, tally] : outcome.tallies) {
    failed |= tally.failed > 0;
    unreachable |= tally.unreachable > 0;
  }
  failed |= !outcome.end.reason.empty();
  return outcome.interrupted ? kExitInterrupted
         : unreachable       ? kExitUnreachable
         : failed            ? kExitFailed
                             : kExitOk;
}

// Shows a run on stdout in the form that was asked for.
class Screen {
 public:
  Screen(const CompiledRun& run, const CommandLine& line)
      : run_(run),
        line_(line),
        json_wanted_(line.output == "json"),
        lines_wanted_(line.output == "jsonl"),
        explain_(line.debug.contains("explain")),
        human_(run, ScreenOptions(line, ProcessEnvironment)),
        json_(run) {
    if (!json_wanted_ && !lines_wanted_) {
      PrintOut(human_.Head());
    }
  }
  void Show(const Shown& shown) {
    if (json_wanted_) {
      json_.Add(shown, UtcNow());
    } else if (lines_wanted_) {
      PrintOut(JsonLine(run_, shown, UtcNow()));
    } else {
      PrintOut(human_.Text(shown));
    }
    const auto* result = std::get_if<HostResult>(&shown);
    if (explain_ && result != nullptr) {
      PrintErr(ExplainText(run_, *result));
    }
  }
  void Finish(const RunOutcome& outcome) {
    if (json_wanted_) {
      PrintOut(
          json_.Document(outcome.tallies, outcome.interrupted, outcome.left_midway, outcome.end));
      return;
    }
    if (lines_wanted_) {
      PrintOut(JsonRecap(outcome.tallies, outcome.interrupted, outcome.left_midway, outcome.end,
                         UtcNow()));
      return;
    }
    PrintOut(human_.Recap(outcome.tallies, outcome.end));
    if (outcome.interrupted) {
      PrintOut(human_.Interrupted(outcome.left_midway));
    }
    PrintOut(EndingText(
        outcome.end, {.playbook = line_.playbook,
                      .inventories = line_.inventories,
                      .until = ClockText(std::time(nullptr) + outcome.end.lease.count() / 1000)}));
  }

 private:
  const CompiledRun& run_;
  const CommandLine& line_;
  bool json_wanted_;
  bool lines_wanted_;
  bool explain_;
  HumanReport human_;
  JsonReport json_;
};

// Also true for processes of other users.
bool ProcessLives(std::int64_t pid) {
  return pid > 0 && pid != getpid() && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

std::string InterruptText(int count, bool transaction) {
  if (!transaction) {
    return count == 1 ? "\ndrover: finishing the current tasks; again to stop now\n"
                      : "\ndrover: stopping now\n";
  }
  return count == 1   ? "\ndrover: finishing what is at work; again to take the run back now\n"
         : count == 2 ? "\ndrover: taking the run back; again to leave hosts to themselves\n"
                      : "\ndrover: stopping now\n";
}

Result<RunOutcome> RunIt(const CompiledRun& run, const CommandLine& line, const CarryOptions& carry,
                         const std::function<void(const Shown&)>& show) {
  const auto helper = FindHelper(line.helper_path);
  if (!helper) {
    return Fail(helper.error());
  }
  RolloutOptions options;
  options.run = WhoRuns();
  options.run.command = carry.command;
  options.forks = line.forks > 0 ? static_cast<std::size_t>(line.forks) : kMaxForks;
  options.task_timeout = std::chrono::seconds(line.task_timeout);
  if (carry.transaction) {
    options.transaction = line.check ? TransactionMode::kLook : TransactionMode::kFull;
  }
  options.lease = line.confirm_timeout;
  options.revert = line.rollback;
  options.expected_digests = carry.expected_digests;
  options.is_dead = [here = options.run.control_host](const LockHolder& holder) {
    return holder.run.control_host == here && !ProcessLives(holder.run.pid);
  };
  SurviveBrokenPipes();
  RunControl control;
  const auto watch = InterruptWatch::Start(
      [&control, transaction = options.transaction == TransactionMode::kFull](int count) {
        PrintErr(InterruptText(count, transaction));
        control.Interrupt();
      });
  if (!watch) {
    return Fail(watch.error());
  }
  return RunLoop(run, options, OpenerOf(line, *helper), show, control,
                 {.probe = ProbeFromHere, .ask = AskYesOrNo});
}

}  // namespace

CarriedOut CarryOut(const CompiledRun& run, const CommandLine& line, const CarryOptions& options) {
  std::optional<Screen> screen;
  if (!options.show) screen.emplace(run, line);
  std::optional<ProgressTicker> ticker;
  if (line.output == "human" && LookOfScreen(ProcessEnvironment).live) ticker.emplace(run);
  Result<RunOutcome> outcome = RunIt(run, line, options, [&](const Shown& shown) {
    if (ticker) ticker->Add(shown);
    options.show ? options.show(shown) : screen->Show(shown);
    const auto* result = std::get_if<HostResult>(&shown);
    if (result != nullptr && result->verify && !line.check) {
      RecordVerification(line, RecordOf(result->place.host, *result->verify));
    }
  });
  ticker.reset();
  if (!outcome) {
    PrintProblem(outcome.error().message);
    return {.status = kExitError, .outcome = {}};
  }
  if (screen) screen->Finish(*outcome);
  return {.status = StatusOf(*outcome), .outcome = std::move(*outcome)};
}

int EndProcess(const CarriedOut& carried) {
  if (carried.outcome.thread_left_behind) {
    std::fflush(nullptr);
    std::_Exit(carried.status);
  }
  return carried.status;
}

}  // namespace drover
