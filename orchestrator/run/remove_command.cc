// `drover remove`: real servers leave their services without a lost connection: weight 0 on every
// director, wait, out of the tables, then the virtual address leaves the server.

#include <algorithm>

#include "orchestrator/inventory/edit.h"
#include "orchestrator/run/commands.h"
#include "orchestrator/run/debug.h"
#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/growth.h"
#include "orchestrator/run/inventory_change.h"
#include "orchestrator/run/screen.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

constexpr std::chrono::milliseconds kUsualDrain{60000};

class Removing {
 public:
  explicit Removing(Growth& growth) : growth_(growth), line_(growth.line()) {}

  int Run() {
    if (const auto wrong = growth_.Order(line_.hosts)) return *wrong;
    if (const std::string service = Emptied(); !service.empty()) {
      PrintProblem("service " + service + " would have no real server left; nothing was changed",
                   "take the service out of the playbook, or add a real server first");
      return kExitFailed;
    }
    if (const auto wrong = CannotBeCompiled()) return *wrong;
    if (const int status = Drain(); status != kExitOk) return status;
    if (const int status = growth_.CarryOutWithout(line_.hosts, leaving_); status != kExitOk) {
      PrintProblem(Listed(line_.hosts) + " could not be removed and gets no new connections",
                   "\"drover remove\" again goes on, \"drover maintenance off\" gives them back");
      return status;
    }
    if (const int status = growth_.Release(); status != kExitOk) return status;
    growth_.Say(Listed(line_.hosts) + ": removed");
    return SettleInventory();
  }

  // What is wrong whoever else serves.
  std::optional<int> Foresee() {
    if (const auto wrong = growth_.Order(line_.hosts)) return *wrong;
    return CannotBeCompiled();
  }

 private:
  // The playbook without them; said before anything is touched.
  [[nodiscard]] std::optional<int> CannotBeCompiled() const {
    const auto without = RunWithout(growth_.prepared(), line_.hosts, growth_.directors(), {});
    if (!without) return PrintDiagnostics(without.error());
    return std::nullopt;
  }

  // A service that has no other real servers.
  [[nodiscard]] std::string Emptied() const {
    const std::set<IpAddress> going = growth_.addresses();
    for (const auto& [director, services] : growth_.wanted()) {
      for (const VirtualService& service : services) {
        const auto& all = service.destinations;
        const bool emptied =
            !all.empty() && std::all_of(all.begin(), all.end(), [&](const auto& one) {
              return going.contains(one.address);
            });
        if (emptied) return ToString(service.key);
      }
    }
    return "";
  }

  // Until nothing is open to them, or the time is over.
  int Drain() {
    return growth_.Talk([this](ClusterAsker& asker, Drainer& drainer) -> int {
      const auto before = drainer.AskDirectors(growth_.orders(), /*ignore_silent=*/false);
      if (asker.interrupted()) return kExitInterrupted;
      if (!before) return Refuse(before.error());
      const auto left = drainer.LeftWithout(growth_.orders(), *before);
      if (!left.empty() && !line_.force) {
        for (const std::string& sentence : left) PrintProblem(sentence);
        PrintProblem("nothing was changed", "--force removes all the same");
        return kExitFailed;
      }
      FindLeaving(asker);
      if (const auto turned = drainer.Turn(/*on=*/true, growth_.orders(), *before); !turned) {
        return Refuse(turned.error());
      }
      const std::set<std::string> directors = growth_.directors();
      growth_.Say(Listed(line_.hosts) + ": no new connections on " +
                  Listed({directors.begin(), directors.end()}));
      return Wait(asker, drainer, *before);
    });
  }

  int Wait(ClusterAsker& asker, Drainer& drainer, const ClusterStatus& before) {
    const auto patience = line_.drain.value_or(kUsualDrain);
    const Drained drained = drainer.Await(growth_.orders(), patience);
    if (asker.interrupted()) {
      drainer.PutBack(growth_.orders(), before);
      PrintErr("drover: interrupted before anything was removed\n");
      return kExitInterrupted;
    }
    if (!drained.all && !AreDrained(drained.left)) {
      growth_.Say("the time is over; this is cut: " + TextOf(drained.left));
    }
    return kExitOk;
  }

  static int Refuse(const Error& error) {
    PrintProblem(error.message);
    return StatusOf(error);
  }

  // A server that is gone cannot give anything back.
  void FindLeaving(ClusterAsker& asker) {
    std::set<std::string> known;
    for (const std::string& host : line_.hosts) {
      if (growth_.prepared().run.connections.contains(host)) known.insert(host);
    }
    for (const HostStatus& host : asker.AskStatus(known).hosts) {
      const bool silent = host.error && (host.error->code == ErrorCode::kUnreachable ||
                                         host.error->code == ErrorCode::kTimeout);
      if (!silent) {
        leaving_.push_back(host.host);
        continue;
      }
      growth_.Say(host.host + " gives no answer (" + host.error->message +
                  "); what Drover made there stays there");
    }
  }

  // The next rollout would bring them back as long as the inventory has them.
  int SettleInventory() {
    InventoryChange change([this](const std::string& text) { growth_.Say(text); });
    for (const std::string& host : line_.hosts) {
      bool found = false;
      for (const SourceFilePtr& file : FilesOf(growth_.prepared().inventory)) {
        const int status = SettleFile(file, host, change, found);
        if (status != kExitOk) return status;
      }
      if (!found) {
        growth_.Say(host +
                    " has no line of its own in the inventory: take it out by hand, else the "
                    "next rollout brings it back");
      }
    }
    return kExitOk;
  }

  int SettleFile(const SourceFilePtr& file, const std::string& host, InventoryChange& change,
                 bool& found) {
    const auto now = ReadSource(file->name);  // another host may have left it a moment ago
    const auto edit = RemoveHostLines(now ? *now : file, host, Groups());
    if (!edit) return kExitOk;
    found = true;
    if (!line_.update_inventory) {
      growth_.Say("take this line out of the inventory, else the next rollout brings " + host +
                  " back: " + file->name + ":" + std::to_string(edit->line) + ": " + edit->text);
      return kExitOk;
    }
    const Status applied = change.Apply(*edit);
    if (applied) return kExitOk;
    PrintProblem(applied.error().message);
    return kExitError;
  }

  // Those that the services take their real servers from; empty: no group has all of them.
  [[nodiscard]] std::set<std::string> Groups() const {
    const Inventory& inventory = growth_.prepared().inventory;
    std::vector<std::string> members;
    for (const auto& [name, addresses] : growth_.prepared().run.real_servers) {
      if (inventory.FindHost(name) != nullptr) members.push_back(name);
    }
    return WithGroupsBelow(inventory, GroupOfAll(inventory, members));
  }

  Growth& growth_;
  const CommandLine& line_;
  std::vector<std::string> leaving_;
};

}  // namespace

int RemoveServers(Growth& growth) { return Removing(growth).Run(); }

std::optional<int> CannotRemove(Growth& growth) { return Removing(growth).Foresee(); }

int RemoveCommand(const std::vector<std::string>& arguments) {
  return RunGrowth("remove",
                   "Takes real servers out of their services: no new connections, wait until those "
                   "that are open have ended, out of the directors' tables, virtual addresses off "
                   "the servers.",
                   arguments, RemoveServers);
}

}  // namespace drover
