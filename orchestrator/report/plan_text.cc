#include "orchestrator/report/plan_text.h"

#include <nlohmann/json.hpp>

#include "orchestrator/report/change_line.h"
#include "orchestrator/report/diff.h"
#include "orchestrator/report/terminal.h"

namespace drover {
namespace {

using Json = nlohmann::ordered_json;

std::string HostText(const std::string& host, const HostPlan& plan, bool colours) {
  const bool wrong = !plan.problem.empty();
  std::string text =
      "\n" + Paint(Printable(host), wrong ? Colour::kError : Colour::kChanged, colours) + "\n";
  std::string task;
  for (const PlannedChange& planned : plan.changes) {
    if (planned.task != task) text += "  " + Printable(planned.task) + "\n";
    task = planned.task;
    text += "    " + ChangeLine(planned.change, colours) + "\n";
    if (planned.diff) text += UnifiedDiff(*planned.diff, colours);
  }
  for (const std::string& unknown : plan.unknown) {
    text += "  " + Printable(unknown) + "\n    " +
            Paint("? a command, not run by a plan", Colour::kSkip, colours) + "\n";
  }
  if (wrong) {
    const std::string how = plan.unreachable ? "unreachable: " : "cannot be planned: ";
    text += "  " + Paint(Printable(how + plan.problem), Colour::kError, colours) + "\n";
  }
  return text;
}

std::string Hosts(int count) { return std::to_string(count) + (count == 1 ? " host" : " hosts"); }

}  // namespace

std::string PlanText(const HostPlans& plans, bool colours) {
  std::string text;
  std::size_t commands = 0;
  int incomplete = 0;
  for (const auto& [host, plan] : plans) {
    commands += plan.unknown.size();
    incomplete += plan.problem.empty() ? 0 : 1;
    if (!plan.changes.empty() || !plan.unknown.empty() || !plan.problem.empty()) {
      text += HostText(host, plan, colours);
    }
  }
  const PlanCounts counts = CountsOf(plans);
  if (counts.all() == 0 && incomplete == 0) {
    text += "\nNo changes: " + Hosts(counts.hosts) + " as the playbook wants " +
            (counts.hosts == 1 ? "it" : "them") + ".\n";
  } else {
    text += "\nPlan: " + std::to_string(counts.add) + " to add, " + std::to_string(counts.change) +
            " to change, " + std::to_string(counts.remove) + " to remove on " +
            std::to_string(counts.hosts_changed) + " of " + Hosts(counts.hosts) + ".\n";
  }
  if (commands > 0) {
    text += std::to_string(commands) + (commands == 1 ? " command tells" : " commands tell") +
            " only when run whether anything changes.\n";
  }
  if (incomplete > 0) text += "The plan is not whole: see " + Hosts(incomplete) + " above.\n";
  return text;
}

std::string PlanJson(const std::string& playbook, const HostPlans& plans) {
  const PlanCounts counts = CountsOf(plans);
  Json hosts = Json::object();
  for (const auto& [host, plan] : plans) {
    Json changes = Json::array();
    for (const PlannedChange& planned : plan.changes) {
      const ChangeText& change = planned.change;
      changes.push_back({{"task", planned.task},
                         {"verb", change.verb},
                         {"resource", change.resource},
                         {"before", change.before},
                         {"after", change.after},
                         {"reason", change.reason}});
    }
    hosts[host] = {{"digest", plan.digest}, {"changes", changes}, {"unknown", plan.unknown}};
    if (!plan.problem.empty()) {
      hosts[host]["problem"] = plan.problem;
      hosts[host]["unreachable"] = plan.unreachable;
    }
  }
  const Json document = {{"playbook", playbook},
                         {"whole", IsWhole(plans)},
                         {"summary",
                          {{"add", counts.add},
                           {"change", counts.change},
                           {"remove", counts.remove},
                           {"hosts_changed", counts.hosts_changed},
                           {"hosts", counts.hosts}}},
                         {"hosts", hosts}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace drover
