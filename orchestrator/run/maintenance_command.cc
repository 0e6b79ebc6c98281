// `drover maintenance`: hosts get no new connections for a while, though the playbook gives them
// some.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "orchestrator/report/table.h"
#include "orchestrator/run/cluster_command.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/drainer.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/growth.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/run/start.h"

namespace drover {
namespace {

std::string AddressesOf(const Maintenance& maintenance) {
  std::vector<std::string> texts;
  for (const IpAddress& address : maintenance.addresses) texts.push_back(address.ToString());
  return texts.empty() ? "(director)" : Listed(texts);
}

std::string AsJson(const std::vector<KnownMaintenance>& all) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [maintenance, directors] : all) {
    std::vector<std::string> addresses;
    for (const IpAddress& address : maintenance.addresses) addresses.push_back(address.ToString());
    list.push_back({{"host", maintenance.host},
                    {"addresses", addresses},
                    {"directors", directors},
                    {"since", maintenance.since},
                    {"user", maintenance.user},
                    {"control_host", maintenance.control_host},
                    {"reason", maintenance.reason}});
  }
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// Everything that is under maintenance now, and which directors know of it.
int List(const CommandLine& line, const CompiledRun& run, ClusterAsker& asker) {
  std::set<std::string> directors;
  for (const auto& [host, state] : run.states) {
    if (!state.services.empty() || !state.vrrp_instances.empty()) directors.insert(host);
  }
  const ClusterStatus cluster = asker.AskStatus(directors);
  if (asker.interrupted()) return kExitInterrupted;
  int status = kExitOk;
  for (const HostStatus& host : cluster.hosts) {
    if (host.status) continue;
    PrintProblem(host.host + " gave no answer (" + (host.error ? host.error->message : "") + ")");
    status = kExitUnreachable;
  }
  const auto all = MaintenanceOf(cluster);
  if (line.output == "json") {
    PrintOut(AsJson(all));
    return status;
  }
  if (all.empty()) {
    PrintOut("no host is under maintenance\n");
    return status;
  }
  Table table({"HOST", "ADDRESSES", "ON", "SINCE", "BY", "REASON"});
  for (const auto& [maintenance, on] : all) {
    table.Add({{maintenance.host},
               {AddressesOf(maintenance)},
               {Listed(on)},
               {DateText(maintenance.since)},
               {maintenance.user + "@" + maintenance.control_host},
               {maintenance.reason}});
  }
  const ScreenLook screen = LookOfScreen(ProcessEnvironment);
  PrintOut(table.Text(screen.terminal ? screen.columns : 0, screen.colours));
  return status;
}

// One `on` or `off` from its orders to its end.
class Turning {
 public:
  Turning(const CommandLine& line, const CompiledRun& run, ClusterAsker& asker)
      : line_(line),
        run_(run),
        asker_(asker),
        drainer_(run, asker, [](const std::string& text) { PrintOut(Printable(text) + "\n"); }) {}

  int Run() {
    const std::string reason = line_.reason.empty() ? "maintenance" : line_.reason;
    for (const std::string& host : line_.hosts) {
      auto order = OrderFor(run_, WhoRuns(), host, reason);
      if (!order) {
        PrintProblem(order.error().message);
        return kExitError;
      }
      orders_.push_back(*std::move(order));
    }
    const auto before = drainer_.AskDirectors(orders_, line_.ignore_unreachable);
    if (asker_.interrupted()) return kExitInterrupted;
    if (!before) {
      PrintProblem(
          before.error().message,
          "--ignore-unreachable tells the others; tell this one later with the same words");
      return StatusOf(before.error());
    }
    if (on() && !line_.force) {
      const auto left = drainer_.LeftWithout(orders_, *before);
      for (const std::string& sentence : left) PrintProblem(sentence);
      if (!left.empty()) {
        PrintProblem("nothing was changed", "--force does it all the same");
        return kExitFailed;
      }
    }
    return CarryOut(*before);
  }

 private:
  [[nodiscard]] bool on() const { return line_.turn == "on"; }

  int CarryOut(const ClusterStatus& before) {
    const auto changed = drainer_.Turn(on(), orders_, before, line_.check);
    if (asker_.interrupted()) {
      PrintErr("drover: interrupted; \"drover maintenance list\" says how things are\n");
      return kExitInterrupted;
    }
    if (!changed) {
      PrintProblem(changed.error().message);
      return StatusOf(changed.error());
    }
    for (const DrainOrder& order : orders_) Report(order, before, *changed);
    if (!on() || !line_.drain || line_.check) return kExitOk;
    const Drained drained = drainer_.Await(orders_, *line_.drain);
    if (asker_.interrupted()) return kExitInterrupted;
    if (drained.all) {
      PrintOut("nothing is open to " + Listed(line_.hosts) + "\n");
      return kExitOk;
    }
    PrintProblem("still open when the time was over: " + TextOf(drained.left));
    return kExitFailed;
  }

  void Report(const DrainOrder& order, const ClusterStatus& before,
              const std::set<std::string>& changed) {
    std::vector<std::string> told;
    std::vector<std::string> silent;
    for (const std::string& director : order.directors) {
      (before.Of(director) == nullptr ? silent : told).push_back(director);
    }
    const bool did = changed.contains(order.maintenance.host);
    std::string text = order.maintenance.host + ": ";
    if (line_.check && did) text += "would be ";
    text += on() ? "under maintenance on " : "no longer under maintenance on ";
    text += told.empty() ? "no director" : Listed(told);
    if (!did) text += " (as before)";
    if (!silent.empty()) text += "; " + Listed(silent) + " could not be told";
    PrintOut(Printable(text) + "\n");
  }

  const CommandLine& line_;
  const CompiledRun& run_;
  ClusterAsker& asker_;
  Drainer drainer_;
  std::vector<DrainOrder> orders_;
};

}  // namespace

int MaintenanceCommand(const std::vector<std::string>& arguments) {
  return RunClusterCommand(
      "maintenance",
      "Keeps new connections from real servers, or a director from the virtual addresses, until it "
      "is turned off; rollouts and restarts do not end it.",
      arguments, [](const Prepared& prepared, const CommandLine& line, ClusterAsker& asker) {
        if (line.turn == "list") return List(line, prepared.run, asker);
        return Turning(line, prepared.run, asker).Run();
      });
}

}  // namespace drover
