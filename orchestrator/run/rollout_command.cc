// `drover rollout` and `drover verify`: from the command line to the end of a run.

#include <chrono>
#include <utility>

#include "orchestrator/run/carry_out.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/debug.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/last_run.h"
#include "orchestrator/run/listing.h"
#include "orchestrator/run/prepare.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

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
  auto [line, exit] = ParseCommandLine(command, help, arguments, ProcessEnvironment);
  if (exit) {
    return *exit;
  }
  if (line.debug.contains("list")) {
    PrintOut(DebugModesText());
    return kExitOk;
  }
  if (!line.rerun.empty()) {
    const auto limit = LimitOfRerun(line);
    if (!limit) {
      PrintProblem(limit.error().message);
      return kExitError;
    }
    line.limit = *limit;
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
  const CarriedOut carried =
      CarryOut(prepared.run, line, {.command = command, .transaction = command == "rollout"});
  if (command == "rollout" && !line.check) {
    RememberRun(prepared.run, line, carried.outcome);
  }
  if (line.debug.contains("stats")) {
    const auto us = [](Clock::duration d) {
      return std::chrono::duration_cast<std::chrono::microseconds>(d);
    };
    PrintErr(StatsText(carried.outcome, us(compiled - start), us(Clock::now() - start)));
  }
  return EndProcess(carried);
}

}  // namespace

int RolloutCommand(const std::vector<std::string>& arguments) {
  return Run("rollout", "Carries out a playbook.", arguments);
}

int VerifyCommand(const std::vector<std::string>& arguments) {
  return Run("verify", "Carries out the verify tasks of a playbook and nothing else.", arguments);
}

}  // namespace drover
