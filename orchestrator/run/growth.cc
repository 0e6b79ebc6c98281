#include "orchestrator/run/growth.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "orchestrator/report/terminal.h"
#include "orchestrator/run/debug.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"

namespace drover {
namespace {

std::uint32_t LastTaskOf(const CompiledRun& run) {
  std::uint32_t last = 0;
  for (const CompiledPlay& play : run.plays) {
    for (const CompiledTask& task : play.tasks) {
      for (const auto& [host, rounds] : task.hosts) {
        for (const HostTask& round : rounds) {
          if (const auto* one = std::get_if<Task>(&round.action)) last = std::max(last, one->id);
        }
      }
    }
  }
  return last;
}

void AppendLeaving(CompiledRun& run, const CompiledRun& whole,
                   const std::vector<std::string>& leaving) {
  if (leaving.empty()) return;
  std::uint32_t id = LastTaskOf(run);
  CompiledTask task;
  task.name = "Virtual addresses and settings leave with the service";
  task.module = "prune";
  CompiledPlay play;
  play.name = "Real servers that leave";
  play.hosts = leaving;
  for (const std::string& host : leaving) {
    Task prune;
    prune.id = ++id;
    prune.name = task.name;
    prune.action = PruneTask{};
    HostTask round;
    round.action = std::move(prune);
    task.hosts[host].push_back(std::move(round));
    run.connections[host] = whole.connections.at(host);
    run.states[host] = DesiredState{};
  }
  play.place = task.place = run.plays.empty() ? Place{} : run.plays.back().place;
  play.tasks.push_back(std::move(task));
  run.plays.push_back(std::move(play));
}

}  // namespace

std::string Listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

int StatusOf(const Error& error) {
  const bool silent = error.code == ErrorCode::kUnreachable || error.code == ErrorCode::kTimeout;
  return silent ? kExitUnreachable : kExitFailed;
}

Parsed<CompiledRun> RunWithout(const Prepared& prepared, const std::vector<std::string>& hosts,
                               const std::set<std::string>& directors,
                               const std::vector<std::string>& leaving) {
  Inventory inventory = prepared.inventory;
  for (const std::string& host : hosts) inventory.RemoveHost(host);
  auto run = CompileWith(prepared, inventory, Listed({directors.begin(), directors.end()}));
  if (!run) return run;
  for (const std::string& host : hosts) {
    if (!run->real_servers.contains(host)) continue;
    return Wrong(Place{}, "a service of " + run->playbook + " names \"" + host + "\" itself",
                 "take it out of the playbook and roll that out");
  }
  AppendLeaving(*run, prepared.run, leaving);
  return run;
}

Growth::Growth(const CommandLine& line, Prepared prepared, std::string reason)
    : line_(line), prepared_(std::move(prepared)), reason_(std::move(reason)) {}

std::map<std::string, std::vector<VirtualService>> Growth::wanted() const {
  std::map<std::string, std::vector<VirtualService>> wanted;
  for (const std::string& director : directors()) {
    wanted[director] = prepared_.run.states.at(director).services;
  }
  return wanted;
}

std::optional<int> Growth::Order(const std::vector<std::string>& hosts) {
  orders_.clear();
  const std::set<std::string> unique(hosts.begin(), hosts.end());
  for (const std::string& host : unique) {
    auto order = OrderFor(prepared_.run, WhoRuns(), host, reason_);
    if (order && order->maintenance.addresses.empty()) {
      order = Fail(ErrorCode::kInvalid,
                   "\"" + host + "\" is a director and no real server of a service");
    }
    if (!order) {
      PrintProblem(order.error().message);
      return kExitError;
    }
    orders_.push_back(*std::move(order));
  }
  return std::nullopt;
}

int Growth::Talk(const std::function<int(ClusterAsker& asker, Drainer& drainer)>& work) {
  const drover::Talk talk = TalkToCluster(prepared_.run, line_, [&](ClusterAsker& asker) {
    Drainer drainer(prepared_.run, asker, [this](const std::string& text) { Say(text); });
    return work(asker, drainer);
  });
  thread_left_behind_ = thread_left_behind_ || talk.thread_left_behind;
  return talk.status;
}

int Growth::CarryOut(const CompiledRun& run) {
  CarryOptions options;
  options.command = reason_ + " " + Listed(line_.hosts);
  const CarriedOut carried = drover::CarryOut(run, line_, options);
  thread_left_behind_ = thread_left_behind_ || carried.outcome.thread_left_behind;
  return carried.status;
}

int Growth::CarryOutWithout(const std::vector<std::string>& hosts,
                            const std::vector<std::string>& leaving) {
  const auto run = RunWithout(prepared_, hosts, directors(), leaving);
  return run ? CarryOut(*run) : PrintDiagnostics(run.error());
}

int Growth::Release() {
  return Talk([this](ClusterAsker& asker, Drainer& drainer) {
    const ClusterStatus now = asker.AskStatus(directors());
    const auto released = drainer.Turn(/*on=*/false, orders_, now);
    if (asker.interrupted()) return static_cast<int>(kExitInterrupted);
    for (const HostStatus& host : now.hosts) {
      if (!host.status) PrintProblem(host.host + " could not be told that it is over");
    }
    if (released) return static_cast<int>(kExitOk);
    PrintProblem(released.error().message);
    return StatusOf(released.error());
  });
}

void Growth::Say(const std::string& text) const {
  const std::string line = Printable(text) + "\n";
  if (line_.output == "human") {
    PrintOut(line);
  } else {
    PrintErr(line);  // what is on stdout is a document
  }
}

int Growth::End(int status) const {
  if (thread_left_behind_) {
    std::fflush(nullptr);
    std::_Exit(status);
  }
  return status;
}

int RunGrowth(const std::string& name, const std::string& help,
              const std::vector<std::string>& arguments,
              const std::function<int(Growth& growth)>& work) {
  const auto [line, exit] = ParseCommandLine(name, help, arguments, ProcessEnvironment);
  if (exit) return *exit;
  if (line.debug.contains("list")) {
    PrintOut(DebugModesText());
    return kExitOk;
  }
  Prepared prepared = Prepare(line);
  if (prepared.exit) return *prepared.exit;
  Growth growth(line, std::move(prepared), name);
  return growth.End(work(growth));
}

}  // namespace drover
