// `drover generations`, `drover rollback` and `drover unlock`: the history that the hosts keep, the
// way back in it, and the locks of runs.

#include <algorithm>
#include <chrono>

#include "orchestrator/report/generations_text.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/carry_out.h"
#include "orchestrator/run/cluster_command.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/restore_run.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

constexpr std::chrono::seconds kPatience{20};

// What the hosts of a playbook keep; those with neither a generation nor a lock are left out.
struct History {
  HostGenerations hosts;
  std::map<std::string, Error> errors;
  std::map<std::string, LockHolder> holders;
};

History AskHistory(const CompiledRun& run, ClusterAsker& asker) {
  std::map<std::string, TaskAction> tasks;
  for (const auto& [host, connection] : run.connections) tasks.emplace(host, GenerationsTask{});
  History history;
  for (auto& [host, answer] : asker.Ask(tasks, kPatience)) {
    if (!answer) {
      history.errors.emplace(host, answer.error());
      continue;
    }
    const auto* list = std::get_if<GenerationList>(&answer->detail);
    if (list == nullptr) {
      history.errors.emplace(host,
                             Error{answer->code.value_or(ErrorCode::kInternal), answer->message});
      continue;
    }
    if (list->holder) history.holders.emplace(host, *list->holder);
    if (!list->generations.empty() || list->holder) history.hosts.emplace(host, *list);
  }
  return history;
}

int StatusOf(const History& history) {
  const bool unreachable =
      std::any_of(history.errors.begin(), history.errors.end(), [](const auto& error) {
        return error.second.code == ErrorCode::kUnreachable ||
               error.second.code == ErrorCode::kTimeout;
      });
  return unreachable ? kExitUnreachable : history.errors.empty() ? kExitOk : kExitFailed;
}

void Complain(const History& history) {
  for (const auto& [host, error] : history.errors) PrintProblem(host + ": " + error.message);
}

int ShowHistory(const CommandLine& line, const History& history) {
  if (line.output == "json") {
    PrintOut(GenerationsJson(history.hosts, history.errors));
    return StatusOf(history);
  }
  const ScreenLook look = LookOfScreen(ProcessEnvironment);
  if (GroupHistory(history.hosts).empty()) {
    PrintOut("No host keeps a generation of this playbook.\n");
  } else {
    PrintOut(GenerationsText(history.hosts, look.terminal ? look.columns : 0, look.colours));
  }
  PrintOut(LocksText(history.holders));
  Complain(history);
  return StatusOf(history);
}

// Who is to be asked to go back to what; or the status to end with.
struct Goal {
  GroupGeneration generation;
  std::set<std::string> hosts;
  std::set<std::string> masters;
  std::optional<int> exit;
};

Goal FindGoal(const CompiledRun& run, const CommandLine& line, ClusterAsker& asker) {
  Goal goal;
  const History history = AskHistory(run, asker);
  if (asker.interrupted()) {
    goal.exit = kExitInterrupted;
    return goal;
  }
  if (!history.errors.empty()) {
    Complain(history);
    PrintProblem("a rollback needs all hosts", "-l limits it to some");
    goal.exit = StatusOf(history);
    return goal;
  }
  const auto number =
      line.generation ? Result<std::uint64_t>(*line.generation) : PreviousGeneration(history.hosts);
  const Status possible = number ? CheckRestore(history.hosts, *number) : Fail(number.error());
  if (!possible) {
    PrintProblem(possible.error().message,
                 "drover generations " + line.playbook + " lists them; nothing was changed");
    goal.exit = kExitError;
    return goal;
  }
  for (GroupGeneration& one : GroupHistory(history.hosts)) {
    if (one.number == *number) goal.generation = std::move(one);
  }
  std::map<std::string, TaskAction> tasks;
  for (const auto& [host, list] : history.hosts) {
    if (list.generations.empty()) continue;
    goal.hosts.insert(host);
    tasks.emplace(host, RestoreTask{*number});
  }
  // Only a host itself knows whether it still keeps what it was then; nobody is touched before all
  // have said so.
  for (const auto& [host, answer] : asker.Ask(tasks, kPatience, /*check=*/true)) {
    if (answer && answer->status != TaskStatus::kFailed) continue;
    PrintProblem(host + ": " + (answer ? answer->message : answer.error().message),
                 "nothing was changed on any host");
    goal.exit = kExitError;
  }
  if (goal.exit) return goal;
  for (const HostStatus& host : asker.AskStatus().hosts) {
    if (!host.status) continue;
    for (const InstanceStatus& instance : host.status->instances) {
      if (instance.state == "master") goal.masters.insert(host.host);
    }
  }
  return goal;
}

int Unlock(const CommandLine& line, const History& history, ClusterAsker& asker) {
  std::map<std::string, TaskAction> tasks;
  for (const auto& [host, holder] : history.holders) {
    if (holder.run.run_id == line.lock_id) tasks.emplace(host, UnlockTask{line.lock_id});
  }
  if (tasks.empty()) {
    PrintErr(LocksText(history.holders));
    PrintProblem("no host is locked with the id " + line.lock_id);
    return kExitError;
  }
  int status = StatusOf(history);
  for (const auto& [host, answer] : asker.Ask(tasks, kPatience)) {
    if (answer && answer->status != TaskStatus::kFailed) {
      PrintOut(
          Printable(host + ": unlocked" + (answer->message.empty() ? "" : "; " + answer->message)) +
          "\n");
      continue;
    }
    PrintProblem(host + ": " + (answer ? answer->message : answer.error().message));
    status = std::max<int>(status, kExitFailed);
  }
  return status;
}

}  // namespace

int GenerationsCommand(const std::vector<std::string>& arguments) {
  return RunClusterCommand(
      "generations", "Lists the states that the hosts of a playbook keep, one per run.", arguments,
      [](const Prepared& prepared, const CommandLine& line, ClusterAsker& asker) {
        const History history = AskHistory(prepared.run, asker);
        return asker.interrupted() ? int{kExitInterrupted} : ShowHistory(line, history);
      });
}

int RollbackCommand(const std::vector<std::string>& arguments) {
  Goal goal;
  CommandLine asked;
  CompiledRun run;
  const int status = RunClusterCommand(
      "rollback",
      "Brings all hosts of a playbook back to an earlier generation, as one run that is confirmed "
      "or undone like every other.",
      arguments, [&](const Prepared& prepared, const CommandLine& line, ClusterAsker& asker) {
        asked = line;
        goal = FindGoal(prepared.run, line, asker);
        run = prepared.run;
        return goal.exit.value_or(kExitOk);
      });
  if (goal.exit || run.playbook.empty()) return status;
  const CompiledRun restore =
      RestoreRun(run, goal.generation, goal.hosts, goal.masters, asked.check, asked.diff);
  CarryOptions options;
  options.command = "rollback --to " + std::to_string(goal.generation.number);
  return EndProcess(CarryOut(restore, asked, options));
}

int UnlockCommand(const std::vector<std::string>& arguments) {
  return RunClusterCommand(
      "unlock",
      "Takes the lock of a run away from the hosts of a playbook. Changes that the run has not "
      "confirmed are undone by the hosts themselves.",
      arguments, [](const Prepared& prepared, const CommandLine& line, ClusterAsker& asker) -> int {
        const History history = AskHistory(prepared.run, asker);
        if (asker.interrupted()) return kExitInterrupted;
        Complain(history);
        if (!line.lock_id.empty()) return Unlock(line, history, asker);
        if (history.holders.empty()) {
          PrintOut("No host is locked.\n");
          return StatusOf(history);
        }
        PrintOut(LocksText(history.holders));
        PrintProblem("which lock is meant?", "repeat with --id ID");
        return kExitError;
      });
}

}  // namespace drover
