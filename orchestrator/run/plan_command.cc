// `drover plan` and `drover apply`: what a run would do, kept if asked for, and a kept plan carried
// out as long as nothing has moved.

#include <algorithm>
#include <filesystem>

#include "orchestrator/plan/staleness.h"
#include "orchestrator/report/plan_text.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/carry_out.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/debug.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/last_run.h"
#include "orchestrator/run/plan_inputs.h"
#include "orchestrator/run/private_file.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"
#include "orchestrator/source/yaml_node.h"
#include "protocol/version.h"

namespace drover {
namespace {

// Terraform's -detailed-exitcode; an unreachable host has our own number.
enum PlanExit : int { kNothingToDo = 0, kPlanFailed = 1, kChangesPlanned = 2 };

constexpr std::size_t kToldOfNode = 3;  // differences; the new plan has them all

struct Planned {
  CarriedOut carried;
  HostPlans hosts;
};

// A check run over all hosts. Nothing of it is shown.
Planned MakePlan(const CompiledRun& run, const CommandLine& line) {
  PlanCollector collector(run);
  CarryOptions options;
  options.command = "plan";
  options.show = [&collector](const Shown& shown) { collector.Add(shown); };
  Planned planned;
  planned.carried = CarryOut(run, line, options);
  planned.hosts = collector.TakePlans(planned.carried.outcome.end.grounds);
  return planned;
}

int ExitOf(const Planned& planned) {
  const RunOutcome& outcome = planned.carried.outcome;
  if (outcome.interrupted) return kExitInterrupted;
  if (planned.carried.status == kExitError) return kExitError;
  bool failed = false;
  for (const auto& [host, plan] : planned.hosts) {
    if (plan.unreachable) return kExitUnreachable;
    failed |= !plan.problem.empty();
  }
  if (failed) return kPlanFailed;
  return CountsOf(planned.hosts).all() > 0 ? kChangesPlanned : kNothingToDo;
}

Status Keep(const PlanInputs& inputs, const CommandLine& line, const HostPlans& hosts) {
  const RunInfo who = WhoRuns();
  std::error_code error;
  PlanFile file;
  file.version = kVersion;
  file.created = UtcNow();
  file.user = who.user;
  file.control_host = who.control_host;
  file.directory = std::filesystem::current_path(error).string();
  file.request = RequestOf(line);
  file.inputs = inputs;
  file.hosts = hosts;
  return WritePrivateFile(line.plan_file, EncodePlanFile(file));
}

// Either a plan, or the status to end with after the complaint has been printed.
struct PlanOrExit {
  PlanFile file;
  int exit = kExitOk;
};

PlanOrExit ReadPlan(const std::string& path) {
  const auto text = ReadSource(path);
  if (!text) return {.file = {}, .exit = PrintDiagnostics(text.error())};
  auto file = DecodePlanFile((*text)->text);
  if (!file) {
    PrintProblem(path + ": " + file.error().message);
    return {.file = {}, .exit = kExitError};
  }
  if (file->version != kVersion) {
    PrintProblem(path + " was made by drover " + file->version + ", this is " + kVersion,
                 "make the plan again");
    return {.file = {}, .exit = kExitError};
  }
  return {.file = *std::move(file), .exit = kExitOk};
}

int RefuseAsStale(const std::string& path, const PlanFile& file,
                  const std::vector<std::string>& moved) {
  std::string list;
  for (const std::string& one : moved) list += "\n  " + one;
  PrintProblem(path + " is stale, nothing was changed. Since it was made (" + file.created +
                   " in " + file.directory + "):" + list,
               "make a new plan: drover plan -o " + path + " …");
  return kExitError;
}

// The hosts whose digest is no longer that of the plan, with what differs.
std::vector<std::string> MovedNodes(const PlanFile& file, const HostPlans& now) {
  std::vector<std::string> moved;
  for (const auto& [host, plan] : file.hosts) {
    const auto found = now.find(host);
    if (found == now.end() || found->second.digest == plan.digest) continue;
    auto more = MovedNode(host, plan, found->second);
    if (more.size() > kToldOfNode) {
      const std::size_t rest = more.size() - kToldOfNode;
      more.resize(kToldOfNode);
      more.push_back(host + ": and " + std::to_string(rest) + " more");
    }
    moved.insert(moved.end(), more.begin(), more.end());
  }
  return moved;
}

// A node whose state is not that of the plan has refused to begin.
bool IsStale(const PlanFile& file, const RunEnd& end) {
  return std::any_of(end.grounds.begin(), end.grounds.end(), [&](const auto& ground) {
    const auto plan = file.hosts.find(ground.first);
    return plan != file.hosts.end() && plan->second.digest != ground.second.digest &&
           end.Count(HostEnd::kConfirmed) == 0;
  });
}

int Apply(const std::string& path, const PlanFile& file, const CommandLine& line) {
  const Prepared prepared = Prepare(line);
  if (prepared.exit) return *prepared.exit;
  if (const auto moved = MovedInputs(file.inputs, InputsOf(prepared)); !moved.empty()) {
    return RefuseAsStale(path, file, moved);
  }
  CarryOptions options;
  options.command = "apply";
  for (const auto& [host, plan] : file.hosts) options.expected_digests[host] = plan.digest;
  CarriedOut carried = CarryOut(prepared.run, line, options);
  if (!IsStale(file, carried.outcome.end)) {
    RememberRun(prepared.run, line, carried.outcome);
    return EndProcess(carried);
  }
  // No host was changed: what moved is found by planning again.
  CommandLine check = line;
  check.check = true;
  const Prepared again = Prepare(check);
  if (again.exit) return *again.exit;
  const Planned planned = MakePlan(again.run, check);
  carried.status = RefuseAsStale(path, file, MovedNodes(file, planned.hosts));
  return EndProcess(carried);
}

}  // namespace

int PlanCommand(const std::vector<std::string>& arguments) {
  auto [line, exit] = ParseCommandLine(
      "plan",
      "Shows what a rollout would change, and changes nothing. Ends with 0 when nothing would "
      "change, 2 when something would, 1 when a host cannot be planned, 4 when one is unreachable "
      "or a file is wrong.",
      arguments, ProcessEnvironment);
  if (exit) return *exit;
  if (line.debug.contains("list")) {
    PrintOut(DebugModesText());
    return kExitOk;
  }
  line.check = true;
  const Prepared prepared = Prepare(line);
  if (prepared.exit) return *prepared.exit;
  const PlanInputs inputs = InputsOf(prepared);
  Planned planned = MakePlan(prepared.run, line);
  planned.carried.status = ExitOf(planned);
  const int status = planned.carried.status;
  if (planned.carried.outcome.tallies.empty() && status == kExitError) {
    return EndProcess(planned.carried);  // no host was asked; why was said
  }
  PrintOut(line.output == "json"
               ? PlanJson(line.playbook, planned.hosts)
               : PlanText(planned.hosts, ScreenOptions(line, ProcessEnvironment).colours));
  if (!line.plan_file.empty()) {
    if (status != kNothingToDo && status != kChangesPlanned) {
      PrintProblem("the plan is not whole and was not kept in " + line.plan_file);
    } else if (const Status kept = Keep(inputs, line, planned.hosts); !kept) {
      PrintProblem(kept.error().message);
      planned.carried.status = kExitError;
    } else if (line.output != "json") {
      PrintOut("Kept in " + Printable(line.plan_file) + ": drover apply " +
               Printable(line.plan_file) + "\n");
    }
  }
  return EndProcess(planned.carried);
}

int ApplyCommand(const std::vector<std::string>& arguments) {
  const auto [line, exit] =
      ParseCommandLine("apply",
                       "Carries out what \"drover plan -o FILE\" kept, as a rollout does. Refused "
                       "when playbook, inventory, variables or a node have moved since.",
                       arguments, ProcessEnvironment);
  if (exit) return *exit;
  if (line.debug.contains("list")) {
    PrintOut(DebugModesText());
    return kExitOk;
  }
  const auto [file, wrong] = ReadPlan(line.plan_file);
  if (wrong != kExitOk) return wrong;
  return Apply(line.plan_file, file, WithRequest(line, file.request));
}

}  // namespace drover
