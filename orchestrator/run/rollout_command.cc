// `drover rollout` and `drover verify`: from the command line to the end of a run.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "orchestrator/report/human.h"
#include "orchestrator/report/json_report.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/debug.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/interrupt.h"
#include "orchestrator/run/listing.h"
#include "orchestrator/run/prepare.h"
#include "orchestrator/run/run_loop.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxForks = 64;

int StatusOf(const RunOutcome& outcome) {
  bool failed = false;
  bool unreachable = false;
  for (const auto& [host, tally] : outcome.tallies) {
    failed |= tally.failed > 0;
    unreachable |= tally.unreachable > 0;
  }
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
        json_wanted_(line.output == "json"),
        explain_(line.debug.contains("explain")),
        human_(run, ScreenOptions(line, ProcessEnvironment)),
        json_(run) {
    if (!json_wanted_) {
      PrintOut(human_.Head());
    }
  }
  void Show(const Shown& shown) {
    if (json_wanted_) {
      json_.Add(shown, UtcNow());
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
      PrintOut(json_.Document(outcome.tallies, outcome.interrupted, outcome.left_midway));
      return;
    }
    PrintOut(human_.Recap(outcome.tallies));
    if (outcome.interrupted) {
      PrintOut(human_.Interrupted(outcome.left_midway));
    }
  }

 private:
  const CompiledRun& run_;
  bool json_wanted_;
  bool explain_;
  HumanReport human_;
  JsonReport json_;
};

Result<RunOutcome> CarryOut(const CompiledRun& run, const CommandLine& line, Screen& screen) {
  const auto helper = FindHelper(line.helper_path);
  if (!helper) {
    return Fail(helper.error());
  }
  RolloutOptions options;
  options.run = WhoRuns();
  options.forks = line.forks > 0 ? static_cast<std::size_t>(line.forks) : kMaxForks;
  options.task_timeout = std::chrono::seconds(line.task_timeout);
  SurviveBrokenPipes();
  RunControl control;
  const auto watch = InterruptWatch::Start([&control](int count) {
    PrintErr(count == 1 ? "\ndrover: finishing the current tasks; again to stop now\n"
                        : "\ndrover: stopping now\n");
    control.Interrupt();
  });
  if (!watch) {
    return Fail(watch.error());
  }
  return RunLoop(
      run, options, OpenerOf(line, *helper), [&screen](const Shown& shown) { screen.Show(shown); },
      control);
}

// Only the verify tasks are left; plays without one go.
void KeepVerifyTasks(CompiledRun& run) {
  for (CompiledPlay& play : run.plays) {
    std::erase_if(play.tasks, [](const CompiledTask& task) { return task.module != "verify"; });
  }
  std::erase_if(run.plays, [](const CompiledPlay& play) { return play.tasks.empty(); });
}

int Run(const std::string& command, const std::string& help,
        const std::vector<std::string>& arguments) {
  const auto start = Clock::now();
  const auto [line, exit] = ParseCommandLine(command, help, arguments, ProcessEnvironment);
  if (exit) {
    return *exit;
  }
  if (line.debug.contains("list")) {
    PrintOut(DebugModesText());
    return kExitOk;
  }
  Prepared prepared = Prepare(line);
  if (prepared.exit) {
    return *prepared.exit;
  }
  if (command == "verify") {
    KeepVerifyTasks(prepared.run);
    if (prepared.run.plays.empty()) {
      PrintProblem(line.playbook + " has no verify task for these hosts");
      return kExitError;
    }
  }
  if (line.list_hosts || line.list_tasks || line.list_tags || line.syntax_check) {
    PrintOut(ListingText(prepared.playbook, prepared.run, line));
    return kExitOk;
  }
  const auto compiled = Clock::now();
  Screen screen(prepared.run, line);
  const Result<RunOutcome> outcome = CarryOut(prepared.run, line, screen);
  if (!outcome) {
    PrintProblem(outcome.error().message);
    return kExitError;
  }
  screen.Finish(*outcome);
  if (line.debug.contains("stats")) {
    const auto us = [](Clock::duration d) {
      return std::chrono::duration_cast<std::chrono::microseconds>(d);
    };
    PrintErr(StatsText(*outcome, us(compiled - start), us(Clock::now() - start)));
  }
  if (outcome->thread_left_behind) {
    // A thread is still inside a connection attempt; nothing may be torn down under it.
    std::fflush(nullptr);
    std::_Exit(StatusOf(*outcome));
  }
  return StatusOf(*outcome);
}

}  // namespace

int RolloutCommand(const std::vector<std::string>& arguments) {
  return Run("rollout", "Carries out a playbook.", arguments);
}

int VerifyCommand(const std::vector<std::string>& arguments) {
  return Run("verify", "Carries out the verify tasks of a playbook and nothing else.", arguments);
}

}  // namespace drover
