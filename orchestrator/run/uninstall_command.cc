// `drover uninstall`: takes from the hosts what a playbook made there, and the helper where nothing
// else is recorded.

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "orchestrator/report/change_line.h"
#include "orchestrator/report/generations_text.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/cluster_command.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::seconds kRemovalPatience{60};

class Removal {
 public:
  Removal(const CompiledRun& run, const CommandLine& line, ClusterAsker& asker)
      : run_(run), line_(line), asker_(asker) {}

  int Run() {
    if (!HostsAreFree()) return status_;
    const auto steps = Steps();
    if (asker_.interrupted()) return kExitInterrupted;
    if (!line_.check && !line_.yes && !Agreed()) return kExitError;
    for (const std::vector<std::string>& step : steps) {
      // The next step takes away what the clients still use when this one failed.
      if (!Carry(step)) {
        PrintProblem("the hosts behind it were left as they are");
        break;
      }
    }
    if (line_.output == "json")
      PrintOut(json_.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return asker_.interrupted() ? int{kExitInterrupted} : status_;
  }

 private:
  void Wrong(const std::string& host, const Error& error) {
    PrintProblem(host + ": " + error.message);
    const bool lost = error.code == ErrorCode::kUnreachable || error.code == ErrorCode::kTimeout;
    status_ = lost || status_ == kExitUnreachable ? kExitUnreachable : kExitFailed;
  }

  // True when all hosts answer and no run has one of them.
  bool HostsAreFree() {
    std::map<std::string, TaskAction> tasks;
    for (const auto& [host, connection] : run_.connections) tasks.emplace(host, GenerationsTask{});
    std::map<std::string, LockHolder> holders;
    for (const auto& [host, answer] : asker_.Ask(tasks, kPatience)) {
      if (!answer) {
        Wrong(host, answer.error());
      } else if (answer->status == TaskStatus::kFailed) {
        Wrong(host, {answer->code.value_or(ErrorCode::kInternal), answer->message});
      } else if (const auto* list = std::get_if<GenerationList>(&answer->detail);
                 list != nullptr && list->holder) {
        holders.emplace(host, *list->holder);
      }
    }
    if (asker_.interrupted()) status_ = kExitInterrupted;
    if (!holders.empty()) {
      PrintErr(LocksText(holders));
      PrintProblem("a run is at work on these hosts; nothing was taken away");
      status_ = kExitFailed;
    } else if (status_ != kExitOk) {
      PrintProblem("nothing was taken away", "-l limits it to some hosts");
    }
    return status_ == kExitOk;
  }

  // Backups first, so that none takes over from the master; then masters, and real servers when no
  // director sends them anything any more.
  std::vector<std::vector<std::string>> Steps() {
    std::set<std::string> masters;
    for (const HostStatus& host : asker_.AskStatus().hosts) {
      if (!host.status) continue;
      for (const InstanceStatus& instance : host.status->instances) {
        if (instance.state == "master") masters.insert(host.host);
      }
    }
    std::vector<std::vector<std::string>> steps(3);
    for (const auto& [host, connection] : run_.connections) {
      const auto state = run_.states.find(host);
      const bool director = state != run_.states.end() && (!state->second.vrrp_instances.empty() ||
                                                           !state->second.services.empty());
      steps[masters.contains(host) ? 1 : director ? 0 : 2].push_back(host);
    }
    return steps;
  }

  [[nodiscard]] bool Agreed() const {
    if (isatty(STDIN_FILENO) != 1) {
      PrintProblem("uninstall asks before it takes anything away, and there is no terminal",
                   "-y answers yes");
      return false;
    }
    std::string hosts;
    for (const auto& [host, connection] : run_.connections) hosts += " " + host;
    PrintErr("Everything that " + Printable(line_.playbook) + " made is taken from" +
             Printable(hosts) + ".\nThe cluster stops serving. Type \"yes\" to go on: ");
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "yes") return true;
    PrintErr("drover: nothing was taken away\n");
    return false;
  }

  bool Carry(const std::vector<std::string>& hosts) {
    std::map<std::string, TaskAction> tasks;
    for (const std::string& host : hosts) tasks.emplace(host, UninstallTask{});
    bool well = true;
    for (const auto& [host, answer] : asker_.Ask(tasks, kRemovalPatience, line_.check)) {
      if (answer) Say(host, *answer);
      if (answer && answer->status != TaskStatus::kFailed) continue;
      well = false;
      Wrong(host, answer ? Error{answer->code.value_or(ErrorCode::kInternal), answer->message}
                         : answer.error());
    }
    return well;
  }

  void Say(const std::string& host, const TaskResult& result) {
    Json changes = Json::array();
    std::string text = Printable(host) + "\n";
    for (const ChangeText& change : result.changes) {
      changes.push_back({{"verb", change.verb},
                         {"resource", change.resource},
                         {"before", change.before},
                         {"reason", change.reason}});
      text += "  " + ChangeLine(change, LookOfScreen(ProcessEnvironment).colours) + "\n";
    }
    json_[host] = {{"removed", changes}};
    if (result.status == TaskStatus::kFailed) json_[host]["problem"] = result.message;
    if (result.changes.empty()) text += "  nothing of this playbook is there\n";
    if (line_.output != "json") PrintOut(text);
  }

  const CompiledRun& run_;
  const CommandLine& line_;
  ClusterAsker& asker_;
  int status_ = kExitOk;
  Json json_ = Json::object();
};

}  // namespace

int UninstallCommand(const std::vector<std::string>& arguments) {
  return RunClusterCommand(
      "uninstall",
      "Takes away what a playbook made on its hosts: addresses, sysctls, services, VRRP, and the "
      "helper where nothing else is recorded. What copy, package, command and the like did stays.",
      arguments, [](const Prepared& prepared, const CommandLine& line, ClusterAsker& asker) {
        return Removal(prepared.run, line, asker).Run();
      });
}

}  // namespace drover
