// `drover handover`: finds the masters, makes sure that a backup can take over, tells the masters
// to yield, and waits until the new owners are there.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "orchestrator/cluster/handover_plan.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/cluster_command.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{100};
constexpr milliseconds kSyncLookEvery{500};
constexpr milliseconds kSlack{10000};

std::string SecondsText(milliseconds span) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f s", static_cast<double>(span.count()) / 1000);
  return text.data();
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

const VrrpInstance* SettingsOf(const CompiledRun& run, const std::string& host,
                               const std::string& name) {
  const auto state = run.states.find(host);
  if (state == run.states.end()) return nullptr;
  for (const VrrpInstance& instance : state->second.vrrp_instances) {
    if (instance.name == name) return &instance;
  }
  return nullptr;
}

// One handover from its plan to its end.
class Handover {
 public:
  Handover(const CompiledRun& run, const CommandLine& line, ClusterAsker& asker)
      : run_(run), line_(line), asker_(asker) {}

  int Run() {
    cluster_ = asker_.LookTwice();
    if (asker_.interrupted()) return kExitInterrupted;
    auto steps =
        line_.back ? PlanReturn(cluster_, line_.instance) : PlanYield(cluster_, line_.instance);
    if (!steps) return Refuse(steps.error());
    steps_ = *std::move(steps);
    if (!line_.back && line_.sync_wait > 0) {
      const std::string missing = AwaitSync();
      if (asker_.interrupted()) return kExitInterrupted;
      if (!missing.empty()) {
        return Refuse(Error{ErrorCode::kInvalid, "connections would be lost: " + missing},
                      "--sync-wait 0 hands over all the same");
      }
    }
    if (!line_.check) return CarryOut();
    for (const HandoverStep& step : steps_) Foretell(step);
    ShowJson();
    return kExitOk;
  }

 private:
  int Refuse(const Error& error, const std::string& hint = "") {
    PrintProblem(error.message, hint);
    const bool silent = std::any_of(cluster_.hosts.begin(), cluster_.hosts.end(),
                                    [](const HostStatus& host) { return host.gave_no_answer(); });
    return silent ? kExitUnreachable : kExitFailed;
  }

  // What --check shows.
  void Foretell(const HandoverStep& step) {
    json_.push_back({{"instance", step.router},
                     {"addresses", step.addresses},
                     {"before", step.owner},
                     {"would", line_.back ? "return" : "yield"},
                     {"host", step.host},
                     {"heirs", step.heirs}});
    if (line_.output == "json") return;
    const std::string what = line_.back
                                 ? " may be master again"
                                 : " would hand over, " + Joined(step.heirs) + " can take over";
    PrintOut(Printable(NamesOf(step) + step.host + what) + "\n");
  }

  static std::string NamesOf(const HandoverStep& step) {
    return step.router + " (" + Joined(step.addresses) + "): ";
  }

  void ShowJson() {
    if (line_.output == "json") PrintOut(json_.dump(2) + "\n");
  }

  std::string AwaitSync() {
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                             std::chrono::duration<double>(line_.sync_wait));
    std::string missing = MissingSync(cluster_, steps_);
    if (!missing.empty()) PrintErr("drover: waiting: " + Printable(missing) + "\n");
    while (!missing.empty() && Clock::now() < deadline && !asker_.interrupted()) {
      asker_.Pause(kSyncLookEvery);
      cluster_ = asker_.AskStatus();
      missing = MissingSync(cluster_, steps_);
    }
    return missing;
  }

  int CarryOut() {
    std::map<std::string, TaskAction> tasks;
    milliseconds patience = kSlack;
    for (const HandoverStep& step : steps_) {
      HandoverTask task;
      if (const auto known = tasks.find(step.host); known != tasks.end()) {
        task = std::get<HandoverTask>(known->second);
      }
      task.move = line_.back ? HandoverMove::kReturn : HandoverMove::kYield;
      task.instances.push_back(step.instance);
      tasks[step.host] = task;
      patience = std::max(patience, 3 * MasterDown(step) + kSlack);
    }
    const auto start = Clock::now();
    bool well = true;
    for (const auto& [host, answer] : asker_.Ask(tasks, patience)) {
      const bool failed = !answer || answer->status == TaskStatus::kFailed;
      if (!failed) continue;
      well = false;
      PrintProblem(host + ": " + (answer ? answer->message : answer.error().message));
    }
    if (asker_.interrupted()) return kExitInterrupted;
    return AwaitOwners(start) && well ? kExitOk : kExitFailed;
  }

  milliseconds MasterDown(const HandoverStep& step) const {
    const NodeStatus* status = cluster_.Of(step.host);
    milliseconds down{0};
    if (status != nullptr) {
      for (const InstanceStatus& instance : status->instances) {
        if (instance.name == step.instance) down = instance.master_down;
      }
    }
    return down;
  }

  // Of a host that may return: whether it will be master by its settings, and how long that takes.
  // Nothing: it stays backup.
  std::optional<milliseconds> ReturnsWithin(const HandoverStep& step) const {
    const VrrpInstance* settings = SettingsOf(run_, step.host, step.instance);
    const NodeStatus* owner = cluster_.Of(step.owner);
    if (settings == nullptr || !settings->preempt) return std::nullopt;
    int rival = 0;
    if (owner != nullptr) {
      for (const InstanceStatus& instance : owner->instances) {
        if (instance.name == step.instance || instance.vrid == settings->vrid) {
          rival = std::max<int>(rival, instance.base_priority);
        }
      }
    }
    if (settings->priority <= rival) return std::nullopt;
    return settings->preempt_delay + settings->sync_wait + MasterDown(step) + kSlack;
  }

  bool AwaitOwners(Clock::time_point start) {
    bool well = true;
    for (const HandoverStep& step : steps_) {
      milliseconds patience = kSlack;
      if (line_.back) {
        const auto within = ReturnsWithin(step);
        if (!within) {
          Report(step, step.owner, milliseconds(0),
                 "may be master again, stays backup by its settings");
          continue;
        }
        patience = *within;
      }
      well = AwaitOwner(step, start, patience) && well;
    }
    ShowJson();
    return well;
  }

  bool AwaitOwner(const HandoverStep& step, Clock::time_point start, milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    std::vector<std::string> owners;
    while (!asker_.interrupted()) {
      cluster_ = asker_.AskStatus();
      const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
      owners = OwnersOf(cluster_, step);
      const bool there = owners.size() == 1 && (owners.front() == step.host) == line_.back;
      if (there) {
        Report(step, owners.front(), took, "");
        return true;
      }
      if (Clock::now() >= deadline) break;
      asker_.Pause(kLookEvery);
    }
    const std::string wrong = (owners.empty() ? "no host is master" : "master: " + Joined(owners)) +
                              " after " + SecondsText(patience);
    PrintProblem(step.router + ": " + wrong);
    json_.push_back({{"instance", step.router},
                     {"addresses", step.addresses},
                     {"before", step.owner},
                     {"error", wrong}});
    return false;
  }

  void Report(const HandoverStep& step, const std::string& owner, milliseconds took,
              const std::string& note) {
    json_.push_back({{"instance", step.router},
                     {"addresses", step.addresses},
                     {"before", step.owner},
                     {"after", owner},
                     {"took_ms", took.count()},
                     {"note", note}});
    if (line_.output == "json") return;
    const std::string what = NamesOf(step);
    PrintOut(Printable(note.empty()
                           ? what + step.owner + " -> " + owner + " in " + SecondsText(took)
                           : what + step.host + " " + note + "; master: " + step.owner) +
             "\n");
  }

  const CompiledRun& run_;
  const CommandLine& line_;
  ClusterAsker& asker_;
  ClusterStatus cluster_;
  std::vector<HandoverStep> steps_;
  nlohmann::ordered_json json_ = nlohmann::ordered_json::array();
};

}  // namespace

int HandoverCommand(const std::vector<std::string>& arguments) {
  return RunClusterCommand(
      "handover", "Makes the masters of a playbook's VRRP instances hand over to their backups.",
      arguments, [](const Prepared& prepared, const CommandLine& line, ClusterAsker& asker) {
        return Handover(prepared.run, line, asker).Run();
      });
}

}  // namespace drover
