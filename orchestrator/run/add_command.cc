// `drover add`: new real servers are brought to readiness before they get a connection: their own
// plays, weight 0 in every director's table, checks that find them well, and only then the weight.

#include <algorithm>
#include <chrono>

#include "orchestrator/inventory/edit.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/growth.h"
#include "orchestrator/run/inventory_change.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{300};
constexpr milliseconds kProbeTimeout{1000};
constexpr milliseconds kProbePatience{10000};
constexpr milliseconds kWeightPatience{10000};

class Adding {
 public:
  explicit Adding(Growth& growth)
      : growth_(growth),
        line_(growth.line()),
        change_([&growth](const std::string& text) { growth.Say(text); }) {}

  int Run() {
    const int status = Enter();
    if (status != kExitOk && change_.any() && !in_place_) {
      if (const Status back = change_.TakeBack(); !back) PrintProblem(back.error().message);
    }
    return status;
  }

 private:
  int Enter() {
    if (const auto wrong = FindAll()) return *wrong;
    if (const auto wrong = growth_.Order(line_.hosts)) return *wrong;
    const auto limited = Limited();
    if (!limited) return PrintDiagnostics(limited.error());
    if (const auto ended = Reserve()) return *ended;
    in_place_ = true;
    const int carried = growth_.CarryOut(*limited);
    if (carried != kExitOk) return AfterFailure(carried);
    const int ready = AwaitReady();
    if (ready == kExitInterrupted) return ready;
    if (ready != kExitOk) return GoBack(ready);
    return Open();
  }

  // --- the inventory

  [[nodiscard]] bool Known(const std::string& host) const {
    return growth_.prepared().run.real_servers.contains(host);
  }

  // Every host has to be a real server of the playbook, with this inventory or after its change.
  std::optional<int> FindAll() {
    for (const std::string& host : line_.hosts) {
      if (Known(host)) continue;
      if (const auto wrong = PutInInventory(host)) return wrong;
    }
    if (!change_.any()) return std::nullopt;
    Prepared again = Prepare(line_);
    if (again.exit) return again.exit;
    growth_.Use(std::move(again));
    for (const std::string& host : line_.hosts) {
      if (Known(host)) continue;
      PrintProblem("\"" + host + "\" is in the inventory now, but no service of " + line_.playbook +
                   " has it");
      return kExitError;
    }
    return std::nullopt;
  }

  std::optional<int> PutInInventory(const std::string& host) {
    const auto inventory = ReadInventory(line_);  // as earlier hosts have changed it
    if (!inventory) return PrintDiagnostics(inventory.error());
    std::vector<std::string> members;
    for (const auto& [name, addresses] : growth_.prepared().run.real_servers) {
      if (inventory->inventory.FindHost(name) != nullptr) members.push_back(name);
    }
    const std::string group = GroupOfAll(inventory->inventory, members);
    const SourceFilePtr file = FileOfGroup(inventory->inventory, group);
    if (!file) {
      PrintProblem("\"" + host + "\" is no real server of " + line_.playbook +
                       ", whose services do not take them from one group of the inventory",
                   "name it in the playbook, below real_servers");
      return kExitError;
    }
    const bool there = inventory->inventory.FindHost(host) != nullptr;
    auto vars = VarsOf(host, there);
    if (!vars) {
      PrintProblem(vars.error().message);
      return kExitError;
    }
    const auto edit = AddHostLine(file, {host, group, *std::move(vars)});
    const std::string where =
        "\"" + host + "\" " + (there ? "is in the inventory, but not in" : "is expected in") +
        " the group " + group + ", from which the services take their real servers";
    if (!edit) {
      PrintProblem(where);
      return PrintDiagnostics(edit.error());
    }
    if (!line_.update_inventory) {
      PrintProblem(where, "add this line as " + file->name + ":" + std::to_string(edit->line) +
                              ", or give --update-inventory: " + edit->text);
      return kExitError;
    }
    if (const Status applied = change_.Apply(*edit); !applied) {
      PrintProblem(applied.error().message);
      return kExitError;
    }
    return std::nullopt;
  }

  // What --host-var says; for the suggestion of a line the address is left open.
  Result<std::vector<std::pair<std::string, std::string>>> VarsOf(const std::string& host,
                                                                  bool there) const {
    std::vector<std::pair<std::string, std::string>> vars;
    if (!line_.host_vars.empty() && line_.hosts.size() > 1) {
      return Fail(ErrorCode::kInvalid, "--host-var is for one host: add them one by one");
    }
    for (const std::string& text : line_.host_vars) {
      const std::size_t equals = text.find('=');
      if (equals == std::string::npos || equals == 0) {
        return Fail(ErrorCode::kInvalid, "--host-var \"" + text + "\" is not NAME=VALUE");
      }
      vars.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    if (vars.empty() && !there && !line_.update_inventory &&
        !growth_.prepared().options.resolve(host)) {
      vars.emplace_back("ansible_host", "ADDRESS");
    }
    return vars;
  }

  // --- the cluster

  // The playbook for the new servers and their directors.
  Parsed<CompiledRun> Limited() const {
    std::vector<std::string> hosts = line_.hosts;
    for (const std::string& director : growth_.directors()) hosts.push_back(director);
    return CompileWith(growth_.prepared(), growth_.prepared().inventory, Listed(hosts));
  }

  // Whatever enters the tables has weight 0 from now on. A status when there is nothing to add.
  std::optional<int> Reserve() {
    bool serves = false;
    const int status = growth_.Talk([&](ClusterAsker& asker, Drainer& drainer) -> int {
      const auto before = drainer.AskDirectors(growth_.orders(), /*ignore_silent=*/false);
      if (asker.interrupted()) return kExitInterrupted;
      if (!before) return Refuse(before.error());
      serves = AreServing(*before, growth_.addresses(), growth_.wanted());
      if (serves) return kExitOk;
      for (const auto& [maintenance, directors] : MaintenanceOf(*before)) {
        const bool ours = std::find(line_.hosts.begin(), line_.hosts.end(), maintenance.host) !=
                          line_.hosts.end();
        if (!ours || maintenance.reason == "add") continue;
        PrintProblem("maintenance of " + TextOf(maintenance) + " keeps it from its services",
                     "end it with \"drover maintenance off " + maintenance.host + "\"");
        return kExitFailed;
      }
      const auto turned = drainer.Turn(/*on=*/true, growth_.orders(), *before);
      if (turned) return kExitOk;
      return Refuse(turned.error());
    });
    if (status != kExitOk) return status;
    if (!serves) return std::nullopt;
    growth_.Say(Listed(line_.hosts) + ": serves already on all directors");
    return kExitOk;
  }

  static int Refuse(const Error& error) {
    PrintProblem(error.message);
    return StatusOf(error);
  }

  int AwaitReady() {
    return growth_.Talk([this](ClusterAsker& asker, Drainer& /*drainer*/) -> int {
      const auto deadline = Clock::now() + line_.ready_timeout;
      std::string said;
      for (;;) {
        const std::string missing = Missing(asker);
        if (asker.interrupted()) {
          PrintErr("drover: interrupted; " + Listed(line_.hosts) +
                   " is in place without connections: \"drover add\" again goes on, \"drover "
                   "remove\" takes it back\n");
          return kExitInterrupted;
        }
        if (missing.empty()) return kExitOk;
        if (missing != said) growth_.Say("waiting: " + missing);
        said = missing;
        if (Clock::now() >= deadline) {
          PrintProblem(Listed(line_.hosts) + " did not become ready: " + missing,
                       "--ready-timeout gives it more time");
          return kExitFailed;
        }
        asker.Pause(kLookEvery);
      }
    });
  }

  // What keeps the servers from being ready; empty: nothing.
  std::string Missing(ClusterAsker& asker) {
    const ClusterStatus now = asker.AskStatus(growth_.directors());
    const Readiness readiness = ReadinessOf(now, growth_.addresses(), growth_.wanted());
    if (!readiness.ready()) return Listed(readiness.open);
    for (const Endpoint& endpoint : readiness.unchecked) {
      if (const std::string why = Probe(asker, endpoint); !why.empty()) return why;
    }
    return "";
  }

  // Where no check asks, the port must at least take a connection from every director.
  std::string Probe(ClusterAsker& asker, const Endpoint& endpoint) {
    WaitForTask probe;
    probe.endpoint = endpoint;
    probe.interval = kLookEvery;
    probe.timeout = kProbeTimeout;
    std::map<std::string, TaskAction> tasks;
    for (const std::string& director : growth_.directors()) tasks.emplace(director, probe);
    for (const auto& [director, answer] : asker.Ask(tasks, kProbePatience)) {
      if (!answer) return director + ": " + answer.error().message;
      if (answer->status == TaskStatus::kFailed) return director + ": " + answer->message;
    }
    return "";
  }

  int Open() {
    if (const int status = growth_.Release(); status != kExitOk) return status;
    return growth_.Talk([this](ClusterAsker& asker, Drainer& /*drainer*/) -> int {
      const auto deadline = Clock::now() + kWeightPatience;
      while (!AreServing(asker.AskStatus(growth_.directors()), growth_.addresses(),
                         growth_.wanted())) {
        if (asker.interrupted()) return kExitInterrupted;
        if (Clock::now() >= deadline) {
          PrintProblem(Listed(line_.hosts) + " got no weight on every director",
                       "\"drover status\" says why");
          return kExitFailed;
        }
        asker.Pause(kLookEvery);
      }
      const std::set<std::string> directors = growth_.directors();
      growth_.Say(Listed(line_.hosts) + ": added, serves on " +
                  Listed({directors.begin(), directors.end()}));
      return kExitOk;
    });
  }

  // --- when it does not come about

  // A run that failed may have left the servers in some table: then they stay without connections.
  int AfterFailure(int carried) {
    bool left = false;
    const int asked = growth_.Talk([&](ClusterAsker& asker, Drainer& /*drainer*/) -> int {
      const ClusterStatus now = asker.AskStatus(growth_.directors());
      for (const HostStatus& host : now.hosts) left = left || !host.status;
      left = left || !FlowsTo(now, growth_.addresses()).empty();
      return kExitOk;
    });
    if (asked == kExitOk && !left && growth_.Release() == kExitOk) {
      in_place_ = false;
      PrintProblem(Listed(line_.hosts) + " was not added; the directors are as before");
    } else {
      PrintProblem(Listed(line_.hosts) + " was not added and gets no connections",
                   "\"drover add\" again goes on, \"drover remove\" takes it back");
    }
    return carried;
  }

  int GoBack(int status) {
    const int carried = growth_.CarryOutWithout(line_.hosts, line_.hosts);
    if (carried != kExitOk) {
      PrintProblem(Listed(line_.hosts) + " stays in the tables without connections",
                   "\"drover remove\" takes it back");
      return status;
    }
    if (growth_.Release() != kExitOk) return status;
    in_place_ = false;
    PrintProblem(Listed(line_.hosts) + " was not added; the cluster is as before");
    return status;
  }

  Growth& growth_;
  const CommandLine& line_;
  InventoryChange change_;
  bool in_place_ = false;  // some host of the cluster has been told of the new ones
};

}  // namespace

int AddServers(Growth& growth) { return Adding(growth).Run(); }

int AddCommand(const std::vector<std::string>& arguments) {
  return RunGrowth("add",
                   "Adds real servers to their services: brings them up, waits until every "
                   "director's checks find them well, and only then gives them connections.",
                   arguments, AddServers);
}

}  // namespace drover
