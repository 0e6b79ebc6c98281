// `drover drill list`: the catalogue, and with a playbook which faults its cluster allows now.

#include <nlohmann/json.hpp>

#include "orchestrator/report/table.h"
#include "orchestrator/run/cluster_command.h"
#include "orchestrator/run/drill_setup.h"
#include "orchestrator/run/drill_words.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kPatience{20};

// Of a fault: where it would be injected, and what is in the way.
struct Allowed {
  std::string target;
  std::vector<std::string> obstacles;
};

void Show(const std::map<Fault, Allowed>* allowed, const std::string& output) {
  Json json = Json::array();
  const ScreenLook screen = LookOfScreen(ProcessEnvironment);
  Table table(allowed == nullptr ? std::vector<std::string>{"FAULT", "WHAT", "SHOULD"}
                                 : std::vector<std::string>{"FAULT", "TARGET", "POSSIBLE", "WHAT"});
  for (const FaultText& text : FaultCatalogue()) {
    const std::string name(ToString(text.fault));
    Json one = {{"fault", name}, {"what", text.what}, {"should", text.should}};
    if (allowed == nullptr) {
      table.Add({{name}, {std::string(text.what)}, {std::string(text.should)}});
    } else {
      const Allowed& here = allowed->at(text.fault);
      std::string why;
      for (const std::string& obstacle : here.obstacles)
        why += (why.empty() ? "" : "; ") + obstacle;
      table.Add({{name},
                 {here.target},
                 {why.empty() ? "yes" : "no: " + why, why.empty() ? Colour::kOk : Colour::kError},
                 {std::string(text.what)}});
      one["target"] = here.target;
      one["obstacles"] = here.obstacles;
    }
    json.push_back(std::move(one));
  }
  PrintOut(output == "json" ? json.dump(2) + "\n"
                            : table.Text(screen.terminal ? screen.columns : 0, screen.colours));
}

std::map<Fault, Allowed> AskAbout(const CompiledRun& run, ClusterAsker& asker) {
  const ClusterStatus cluster = asker.LookTwice();
  std::map<Fault, Allowed> allowed;
  for (const FaultText& text : FaultCatalogue()) {
    Allowed& here = allowed[text.fault];
    const DrillRequest request{.fault = text.fault};
    const auto setup = PlanDrill(run, cluster, request, "list");
    if (!setup) {
      here.obstacles.push_back(setup.error().message);
      continue;
    }
    here.target = setup->target;
    if (setup->router.peer.empty()) here.obstacles.emplace_back("nobody could take over");
    const std::map<std::string, TaskAction> task = {
        {setup->target, DrillLookTask{.order = setup->order}}};
    const auto answers = asker.Ask(task, kPatience);
    const auto& answer = answers.at(setup->target);
    const auto* ground = answer ? std::get_if<DrillGround>(&answer->detail) : nullptr;
    if (ground != nullptr) {
      here.obstacles.insert(here.obstacles.end(), ground->obstacles.begin(),
                            ground->obstacles.end());
    } else {
      here.obstacles.push_back(answer ? answer->message : answer.error().message);
    }
  }
  return allowed;
}

}  // namespace

int DrillListCommand(const std::vector<std::string>& arguments) {
  const std::string help =
      "Lists the faults of drills; with a playbook, which of them its cluster allows now.";
  const auto [line, exit] = ParseCommandLine("drill list", help, arguments, ProcessEnvironment);
  if (exit) return *exit;
  if (line.playbook.empty()) {
    Show(nullptr, line.output);
    return kExitOk;
  }
  return RunClusterCommand(
      "drill list", help, arguments,
      [](const Prepared& prepared, const CommandLine& given, ClusterAsker& asker) {
        const auto allowed = AskAbout(prepared.run, asker);
        if (asker.interrupted()) return static_cast<int>(kExitInterrupted);
        Show(&allowed, given.output);
        return static_cast<int>(kExitOk);
      });
}

}  // namespace drover
