// `drover verify`: probes the services of a playbook and looks at its hosts, and changes nothing.
//
// The order matters: what a rollout would change and what the daemons say first, then the counters,
// then the probes one after the other (their connections take turns, too), then the counters again.

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "orchestrator/report/terminal.h"
#include "orchestrator/report/verification_report.h"
#include "orchestrator/run/cluster_command.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/history_file.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"
#include "orchestrator/verify/cluster_law.h"
#include "orchestrator/verify/counter_law.h"
#include "orchestrator/verify/host_law.h"
#include "orchestrator/verify/persistence_law.h"
#include "orchestrator/verify/verification.h"
#include "orchestrator/verify/wording.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookPatience{15000};
constexpr milliseconds kProbePatience{11 * 60 * 1000};  // the helper ends a probe after 10 minutes
constexpr const char* kEstimation = "net/ipv4/vs/run_estimation";
constexpr const char* kOwnProbes = "probes";

// What a playbook without a verify task is verified with.
constexpr const char* kOwnPlay =
    "- name: Verification\n"
    "  hosts: probes\n"
    "  tasks:\n"
    "    - name: Every service of the playbook\n"
    "      verify: {}\n";

Status AddOwnPlay(Playbook& playbook, const Inventory& inventory) {
  for (const Play& play : playbook.plays) {
    for (const PlaybookTask& task : play.tasks) {
      if (task.module == "verify") return {};
    }
  }
  if (inventory.FindGroup(kOwnProbes) == nullptr) {
    return Fail(ErrorCode::kInvalid,
                playbook.path +
                    " has no verify task, and the inventory has no group \"probes\" to probe from: "
                    "give one of them a host beside the directors that is none of the cluster's");
  }
  const auto file =
      std::make_shared<const SourceFile>(SourceFile{"(drover verify's own play)", kOwnPlay});
  auto own = ReadPlaybook(file, [](const std::string& path) -> Parsed<SourceFilePtr> {
    return Wrong(Place{}, path + " is not read");
  });
  if (!own) return Fail(ErrorCode::kInternal, Format(own.error()));
  for (Play& play : own->plays) playbook.plays.push_back(std::move(play));
  return {};
}

// A probe that is to be made, from one host.
struct PlannedProbe {
  std::string host;
  std::string name;
  ProbeTask task;
  VerifyExpectation expectation;
};

std::vector<PlannedProbe> PlannedProbes(const CompiledRun& run) {
  std::vector<PlannedProbe> planned;
  for (const CompiledPlay& play : run.plays) {
    for (const CompiledTask& task : play.tasks) {
      if (task.module != "verify") continue;
      for (const auto& [host, rounds] : task.hosts) {
        for (const HostTask& round : rounds) {
          const auto* one = std::get_if<Task>(&round.action);
          const auto* probe = one == nullptr ? nullptr : std::get_if<ProbeTask>(&one->action);
          if (probe == nullptr || !round.expectation) continue;
          planned.push_back({host, task.name, *probe, *round.expectation});
        }
      }
    }
  }
  return planned;
}

void WaitForPersistence(const VerifyExpectation& expectation, milliseconds longest,
                        ProbeTask& task) {
  for (ProbeService& service : task.services) {
    for (const ExpectedService& expected : expectation.services) {
      if (expected.key == service.service) service.outlast = OutlastOf(expected, longest);
    }
  }
}

template <typename T>
void AddOnce(std::vector<T>& list, const std::vector<T>& more) {
  for (const T& one : more) {
    if (std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
  }
}

// What all probes expect together: the cluster is one.
VerifyExpectation Together(const std::vector<PlannedProbe>& planned) {
  VerifyExpectation all;
  for (const PlannedProbe& probe : planned) {
    for (const ExpectedService& service : probe.expectation.services) {
      const bool known =
          std::any_of(all.services.begin(), all.services.end(),
                      [&](const ExpectedService& one) { return one.key == service.key; });
      if (!known) all.services.push_back(service);
    }
    AddOnce(all.directors, probe.expectation.directors);
    AddOnce(all.real_servers, probe.expectation.real_servers);
    AddOnce(all.vips, probe.expectation.vips);
    all.holders.insert(probe.expectation.holders.begin(), probe.expectation.holders.end());
  }
  return all;
}

class VerifyRun {
 public:
  VerifyRun(const CompiledRun& run, const CommandLine& line, ClusterAsker& asker)
      : run_(run), line_(line), asker_(asker), planned_(PlannedProbes(run)) {
    if (!line.wait_persistence) return;
    for (PlannedProbe& probe : planned_) {
      WaitForPersistence(probe.expectation, *line.wait_persistence, probe.task);
    }
  }

  int Run() {
    if (planned_.empty()) {
      PrintProblem(line_.playbook + " has no verify task for these hosts");
      return kExitError;
    }
    const auto start = Clock::now();
    expectation_ = Together(planned_);
    verification_.playbook = line_.playbook;
    const std::string now = UtcNow();
    verification_.started = now.substr(0, now.find('.')) + "Z";
    evidence_.states = run_.states;
    LookAtHosts();
    Observe(/*after=*/false);
    for (const PlannedProbe& probe : planned_) Probe(probe);
    Settle();
    if (asker_.interrupted()) return kExitInterrupted;
    Judge();
    verification_.duration =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    RecordVerification(line_, RecordOf(verification_));
    Show();
    return !verification_.unreachable.empty() ? kExitUnreachable
           : verification_.failed()           ? kExitFailed
                                              : kExitOk;
  }

 private:
  struct Seen {
    const PlannedProbe* planned;
    Result<TaskResult> result;
  };

  // Directors and real servers that this run reaches.
  std::set<std::string> Hosts() const {
    std::set<std::string> hosts;
    for (const auto& list : {expectation_.directors, expectation_.real_servers}) {
      for (const std::string& host : list) {
        if (run_.connections.contains(host)) hosts.insert(host);
      }
    }
    return hosts;
  }

  // Notes the host and why when it gives no answer; others' answers are for the caller.
  const TaskResult* Take(const std::string& host, const Result<TaskResult>& answer) {
    if (!answer) {
      HostEvidence& seen = evidence_.hosts[host];
      if (!seen.error) seen.error = answer.error();
      verification_.unreachable.emplace(host, answer.error().message);
      return nullptr;
    }
    return &*answer;
  }

  void LookAtHosts() {
    std::map<std::string, TaskAction> compare;
    std::map<std::string, TaskAction> ask;
    for (const std::string& host : Hosts()) {
      evidence_.hosts[host];
      const auto state = run_.states.find(host);
      if (state == run_.states.end() || state->second.empty()) continue;
      compare.emplace(host, ConvergeTask{state->second});
      if (state->second.needs_daemon()) ask.emplace(host, StatusTask{});
    }
    for (const auto& [host, answer] : asker_.Ask(compare, kLookPatience, /*check=*/true)) {
      const TaskResult* result = Take(host, answer);
      if (result == nullptr) continue;
      evidence_.hosts[host].drift = result->changes;
      if (result->status == TaskStatus::kFailed) {
        evidence_.hosts[host].not_compared = "not compared with the playbook: " + result->message;
        verification_.cluster.notes.push_back(
            host + " could not be compared with the playbook: " + result->message);
      }
    }
    for (const std::string& host : Hosts()) {
      if (evidence_.hosts[host].error) ask.erase(host);
    }
    ClusterStatus cluster;
    for (auto& [host, answer] : asker_.Ask(ask, kLookPatience)) {
      HostStatus one{.host = host, .needs_daemon = true};
      const TaskResult* result = Take(host, answer);
      if (result == nullptr) continue;
      if (const auto* status = std::get_if<NodeStatus>(&result->detail)) {
        one.status = *status;
        evidence_.hosts[host].status = *status;
      } else {
        one.error = Error{result->code.value_or(ErrorCode::kInternal), result->message};
      }
      cluster.hosts.push_back(std::move(one));
    }
    concerns_ = ConcernsOf(cluster);
  }

  ObserveTask Observation(const std::string& host) const {
    ObserveTask task;
    task.sysctls = {kEstimation};
    task.interface_settings = InterfaceSettingsToLookAt();
    for (const ExpectedService& service : expectation_.services) {
      if (service.own) continue;
      for (const ExpectedServer& server : service.servers) {
        if (server.name != host || server.destination.forward == Forwarding::kNat) continue;
        for (const IpAddress& client : clients_) {
          const RouteQuestion question{service.key.address, client};
          if (client.family() == service.key.address.family()) AddOnce(task.routes, {question});
        }
      }
    }
    return task;
  }

  void Observe(bool after) {
    std::map<std::string, TaskAction> tasks;
    for (const auto& [host, seen] : evidence_.hosts) {
      if (!seen.error) tasks.emplace(host, Observation(host));
    }
    for (const auto& [host, answer] : asker_.Ask(tasks, kLookPatience)) {
      const TaskResult* result = Take(host, answer);
      if (result == nullptr) continue;
      HostEvidence& seen = evidence_.hosts[host];
      if (const auto* observed = std::get_if<drover::Observation>(&result->detail)) {
        (after ? seen.after : seen.before) = *observed;
      } else {
        verification_.cluster.notes.push_back(host + " could not be looked at: " + result->message);
      }
    }
  }

  void Probe(const PlannedProbe& probe) {
    if (asker_.interrupted()) return;
    Say("probing from " + probe.host + ": " + probe.name);
    auto answers = asker_.Ask({{probe.host, probe.task}}, kProbePatience);
    probed_at_ = Clock::now();
    seen_.push_back({&probe, std::move(answers.at(probe.host))});
    const auto& result = seen_.back().result;
    const auto* outcome = result ? std::get_if<ProbeOutcome>(&result->detail) : nullptr;
    if (outcome == nullptr) return;
    for (const ProbeServiceResult& service : outcome->services) {
      if (const auto source = IpAddress::Parse(service.source)) AddOnce(clients_, {*source});
    }
  }

  // The kernel sums counters up every 2 s; on a busy machine somewhat later.
  void Settle() {
    const auto due = probed_at_ + line_.settle;
    asker_.Pause(
        std::max(std::chrono::duration_cast<milliseconds>(due - Clock::now()), milliseconds(0)));
    Observe(/*after=*/true);
    if (asker_.interrupted() || !SomeAreNotCounted()) return;
    asker_.Pause(line_.settle);
    Observe(/*after=*/true);
  }

  // What all probes found by whatever leads to the virtual service.
  std::vector<const ProbeServiceResult*> ResultsOf(const ServiceKey& table) const {
    std::vector<const ProbeServiceResult*> results;
    for (const Seen& seen : seen_) {
      const auto* outcome = seen.result ? std::get_if<ProbeOutcome>(&seen.result->detail) : nullptr;
      if (outcome == nullptr) continue;
      for (const ProbeServiceResult& result : outcome->services) {
        const auto served = expectation_.ServedBy(table);
        if (std::any_of(served.begin(), served.end(),
                        [&](const auto* one) { return one->key == result.service; })) {
          results.push_back(&result);
        }
      }
    }
    return results;
  }

  std::uint32_t Answered(const ServiceKey& table) const {
    std::uint32_t answered = 0;
    for (const ProbeServiceResult* result : ResultsOf(table)) {
      for (const auto* list : {&result->connections, &result->uploads, &result->later}) {
        answered += static_cast<std::uint32_t>(std::count_if(
            list->begin(), list->end(), [](const ProbeConnection& one) { return !one.error; }));
      }
    }
    return answered;
  }

  bool SomeAreNotCounted() const {
    return std::any_of(expectation_.services.begin(), expectation_.services.end(),
                       [this](const ExpectedService& service) {
                         const auto counted = CountedConnections(expectation_, evidence_, service);
                         return counted && *counted < Answered(service.table());
                       });
  }

  std::uint32_t Attempted(const ServiceKey& table) const {
    std::uint32_t attempted = 0;
    for (const ProbeServiceResult* result : ResultsOf(table)) {
      attempted += static_cast<std::uint32_t>(result->connections.size() + result->uploads.size() +
                                              result->later.size());
    }
    return attempted;
  }

  // Others connected before a service was probed or meanwhile: a second probe, and one that comes
  // by another port of the same virtual service, begin with what the first one left behind.
  bool IsShared(const ExpectedService& service) const {
    const auto counted = CountedConnections(expectation_, evidence_, service);
    return planned_.size() > 1 || expectation_.ServedBy(service.table()).size() > 1 ||
           (counted && *counted > Attempted(service.table()));
  }

  void Judge() {
    std::map<std::string, ProbedTraffic> traffic;
    for (const Seen& seen : seen_) JudgeProbe(seen, traffic);
    VerifyReport& report = verification_.cluster;
    JudgeDirectors(expectation_, evidence_, report);
    JudgeHosts(expectation_, evidence_, clients_, report);
    JudgeCounters(AsItIsNow(expectation_, evidence_), evidence_, traffic, report);
    JudgeConcerns();
    NoteUnseen();
  }

  void JudgeProbe(const Seen& seen, std::map<std::string, ProbedTraffic>& traffic) {
    ProbeReport report{.host = seen.planned->host, .task = seen.planned->name};
    const auto* outcome = seen.result ? std::get_if<ProbeOutcome>(&seen.result->detail) : nullptr;
    if (outcome == nullptr) {
      report.error = seen.result ? seen.result->message : seen.result.error().message;
      if (!seen.result) verification_.unreachable.emplace(report.host, report.error);
    } else {
      const VerifyExpectation now = AsItIsNow(seen.planned->expectation, evidence_);
      std::vector<TableBefore> tables = TablesBefore(now, evidence_);
      for (TableBefore& table : tables) {
        for (const ExpectedService& service : now.services) {
          if (service.key == table.service) table.foreign_traffic = IsShared(service);
        }
      }
      report.message = seen.result->message;
      report.report = drover::Judge(now, *outcome, tables);
      JudgeExceptions(evidence_, outcome->peers, report.report);
      for (const ServiceEvidence& found : report.report.services) {
        for (const ExpectedService& service : now.services) {
          if (ToString(ServiceKey(service.key)) == found.service) {
            traffic[ToString(service.table())].Add(found);
          }
        }
      }
    }
    verification_.probes.push_back(std::move(report));
  }

  // What the daemons say is wrong; what is only worth knowing is a note.
  void JudgeConcerns() {
    Check check{"state", "cluster", {}, ""};
    for (const Concern& concern : concerns_) {
      const std::string text = (concern.host.empty() ? "" : concern.host + ": ") + concern.text;
      if (concern.weight == Concern::Weight::kNote) {
        verification_.cluster.notes.push_back(text);
        continue;
      }
      check.findings.push_back(
          {.rule = "state",
           .host = concern.host,
           .message = concern.text,
           .why = "A part of the cluster is out of action; what is left carries its load or has "
                  "nobody to take over.",
           .remedy = "\"drover status\" shows how things stand there and since when."});
    }
    verification_.cluster.Add(std::move(check));
  }

  void NoteUnseen() {
    std::vector<std::string> unseen;
    for (const auto& list : {expectation_.directors, expectation_.real_servers}) {
      for (const std::string& host : list) {
        if (!run_.connections.contains(host)) AddOnce(unseen, {host});
      }
    }
    if (unseen.empty()) return;
    verification_.cluster.notes.push_back(JoinNames(unseen) +
                                          (unseen.size() == 1 ? " was" : " were") +
                                          " not looked at from inside: no host of this run");
  }

  void Say(const std::string& text) const {
    if (line_.output == "human") PrintErr(Printable(text) + "\n");
  }

  void Show() const {
    if (line_.output == "json") {
      PrintOut(VerificationJson(verification_));
    } else if (line_.output == "jsonl") {
      PrintOut(VerificationLines(verification_));
    } else if (line_.output == "junit") {
      PrintOut(VerificationJunit(verification_));
    } else {
      PrintOut(VerificationText(verification_, line_.verbosity > 0,
                                LookOfScreen(ProcessEnvironment).colours));
    }
  }

  const CompiledRun& run_;
  const CommandLine& line_;
  ClusterAsker& asker_;
  std::vector<PlannedProbe> planned_;
  VerifyExpectation expectation_;
  ClusterEvidence evidence_;
  std::vector<Concern> concerns_;
  std::vector<Seen> seen_;
  std::vector<IpAddress> clients_;  // that the probes connected from
  Clock::time_point probed_at_ = Clock::now();
  Verification verification_;
};

}  // namespace

int VerifyCommand(const std::vector<std::string>& arguments) {
  return RunClusterCommand(
      "verify",
      "Proves that a cluster does what its playbook says: probes its services, looks at its hosts, "
      "and changes nothing. Ends with 0 when all is well, 2 when something is found, 4 when a host "
      "gives no answer.",
      arguments,
      [](const Prepared& prepared, const CommandLine& line, ClusterAsker& asker) {
        return VerifyRun(prepared.run, line, asker).Run();
      },
      AddOwnPlay);
}

}  // namespace drover
