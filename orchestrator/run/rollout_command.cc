// `drover rollout`: from the command line to the end of a run.

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

}  // namespace

int RolloutCommand(const std::vector<std::string>& arguments) {
  const auto start = Clock::now();
  auto [line, exit] =
      ParseCommandLine("rollout", "Carries out a playbook.", arguments, ProcessEnvironment);
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
  if (line.list_hosts || line.list_tasks || line.list_tags || line.syntax_check) {
    PrintOut(ListingText(prepared.playbook, prepared.run, line));
    return kExitOk;
  }
  const auto compiled = Clock::now();
  const CarriedOut carried =
      CarryOut(prepared.run, line, {.command = "rollout", .transaction = true});
  if (!line.check) {
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

}  // namespace drover
