// `drover rollout`: from the command line to the end of a run.

#include <chrono>
#include <utility>

#include "orchestrator/report/drill_text.h"
#include "orchestrator/run/carry_out.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/debug.h"
#include "orchestrator/run/drill_words.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/last_run.h"
#include "orchestrator/run/listing.h"
#include "orchestrator/run/prepare.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

// The drills of a playbook, in its order: each begins when all that was changed is confirmed, for a
// fault in the middle of a run would be answered by going back. The first that does not pass ends
// them, as a failed task ends a play.
int RunDrills(const Prepared& prepared, const CommandLine& line) {
  for (const CompiledPlay& play : prepared.run.plays) {
    for (const CompiledTask& task : play.tasks) {
      if (task.hosts.empty()) continue;
      // One drill, however many hosts could probe.
      for (const HostTask& item : task.hosts.begin()->second) {
        if (!item.drill) continue;
        CommandLine quiet = line;
        if (line.output == "json") quiet.output = "quiet";
        const DrillEnd end = CarryOutDrill(prepared, quiet, *item.drill, /*asks=*/false);
        if (end.journal && line.output == "json") {
          PrintErr(DrillText(*end.journal, end.analysis, {}));
        }
        if (end.status == kExitInterrupted) return end.status;
        if (end.status != kExitOk) return kExitFailed;
      }
    }
  }
  return kExitOk;
}

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
  if (!line.check && carried.status == kExitOk) {
    CarriedOut drilled = carried;
    drilled.status = RunDrills(prepared, line);
    return EndProcess(drilled);
  }
  return EndProcess(carried);
}

}  // namespace drover
