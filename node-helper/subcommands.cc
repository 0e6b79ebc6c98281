#include "node-helper/subcommands.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "node-helper/daemon/control_client.h"
#include "node-helper/daemon/daemon.h"
#include "node-helper/daemon/status_table.h"
#include "node-helper/fault/drill_guard.h"
#include "node-helper/fault/drills.h"
#include "node-helper/install/daemon_lock.h"
#include "node-helper/install/install.h"
#include "node-helper/net/linux_kernel.h"
#include "node-helper/store/session_lock.h"
#include "node-helper/store/store.h"
#include "node-helper/tasks/converge_task.h"
#include "node-helper/tasks/daemon_tasks.h"
#include "node-helper/tasks/process.h"
#include "node-helper/tasks/session.h"
#include "node-helper/tasks/stop_signals.h"
#include "node-helper/wiring.h"
#include "protocol/codec.h"
#include "protocol/version.h"

namespace drover {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kLockPatience{5000};
constexpr std::chrono::seconds kStopPatience{10};
constexpr int kLsbNotRunning = 3;  // exit code of "status" in the LSB

int Complain(const std::string& message) {
  std::fprintf(stderr, "node-helper: %s\n", message.c_str());
  return 1;
}
int Complain(const Error& error) { return Complain(error.message); }

int WrongArguments(const char* subcommand, const std::string& usage) {
  return Complain(std::string(subcommand) + " takes " + usage + "; try node-helper --help");
}

// "--owner NAME" or "--owner=NAME"; nothing else is taken.
Result<std::optional<std::string>> OwnerOption(const Arguments& arguments) {
  if (arguments.empty()) return std::optional<std::string>();
  const std::string prefix = "--owner=";
  if (arguments.size() == 1 && arguments[0].starts_with(prefix) && arguments[0] != prefix) {
    return std::optional<std::string>(arguments[0].substr(prefix.size()));
  }
  if (arguments.size() == 2 && arguments[0] == "--owner" && !arguments[1].empty()) {
    return std::optional<std::string>(arguments[1]);
  }
  return Fail(ErrorCode::kInvalid, "wrong arguments");
}

void Print(const std::vector<ChangeText>& changes) {
  for (const ChangeText& change : changes) std::printf("%s\n", OneLine(change).c_str());
}

RunInfo ByHand() {
  RunInfo run;
  run.owner = "by hand on the node";
  const char* user = std::getenv("SUDO_USER");
  run.user = user != nullptr ? user : "root";
  run.control_host = "this node";
  run.pid = ::getpid();
  return run;
}

// What a person wants to know beside the resources that are named somewhere: the ARP settings of
// every interface that has an address.
std::vector<std::string> KeysToShow(const std::vector<OwnerRecord>& records,
                                    const DesiredState& observed) {
  std::set<std::string> keys = {"net/ipv4/ip_forward"};
  std::set<std::string> interfaces = {"all", "default"};
  for (const InterfaceAddress& address : observed.addresses) interfaces.insert(address.interface);
  for (const std::string& interface : interfaces) {
    keys.insert("net/ipv4/conf/" + interface + "/arp_ignore");
    keys.insert("net/ipv4/conf/" + interface + "/arp_announce");
  }
  for (const OwnerRecord& record : records) {
    for (const Sysctl& sysctl : record.state.sysctls) keys.insert(sysctl.key);
  }
  return {keys.begin(), keys.end()};
}

Json OwnerSummary(const OwnerRecord& record) {
  return Json{{"owner", record.owner},
              {"generation", record.generation},
              {"complete", record.complete},
              {"saved_at", record.saved_at},
              {"playbook", record.run.playbook},
              {"user", record.run.user},
              {"control_host", record.run.control_host},
              {"addresses", record.state.addresses.size()},
              {"sysctls", record.state.sysctls.size()},
              {"services", record.state.services.size()},
              {"sync_daemons", record.state.sync_daemons.size()},
              {"vrrp_instances", record.state.vrrp_instances.size()},
              {"checks", record.state.watches.size()},
              {"trackers", record.state.trackers.size()}};
}

Result<Json> ObserveKernel(const std::vector<OwnerRecord>& records) {
  const auto kernel = OpenLinuxKernel();
  if (!kernel) return Fail(kernel.error());
  const auto first = (*kernel)->Observe({});
  if (!first) return Fail(first.error());
  const auto observed = (*kernel)->Observe(KeysToShow(records, *first));
  if (!observed) return Fail(observed.error());
  return Json::parse(EncodeState(Canonical(*observed)));
}

int ShowOwner(const Store& store, const std::string& owner) {
  const auto record = store.Load(owner);
  if (!record) return Complain(record.error());
  if (record->generation == 0 && record->state.empty()) {
    return Complain("nothing is recorded for " + owner + " on this node");
  }
  std::fputs(EncodeRecord(*record).c_str(), stdout);
  return 0;
}

// Gives back what is recorded for one owner, or for all.
Status Release(const Store& store, const std::optional<std::string>& only,
               std::vector<ChangeText>& changes) {
  const auto records = store.LoadAll();
  if (!records) return Fail(records.error());
  std::unique_ptr<Kernel> kernel;
  for (const OwnerRecord& record : *records) {
    if (only && record.owner != *only) continue;
    if (!kernel) {
      auto opened = OpenLinuxKernel();
      if (!opened) return Fail(opened.error());
      kernel = std::move(*opened);
    }
    const Status released = ReleaseOwner(*kernel, store, record.owner, changes);
    if (!released) return released;
  }
  // It lets go of what is recorded no longer. One that does not answer looks by itself.
  ControlClient daemon;
  if (daemon.Runs()) [[maybe_unused]]
    const auto told = daemon.Reload();
  return {};
}

// "handover" and "return" with the instances' names, as a task of a session does it.
int MoveInstances(HandoverMove move, const Arguments& instances) {
  for (const std::string& name : instances) {
    if (name.starts_with("-")) {
      return WrongArguments(move == HandoverMove::kYield ? "handover" : "return", "[INSTANCE...]");
    }
  }
  if (::geteuid() != 0) return Complain("handover and return need root");
  ControlClient daemon;
  TaskContext context;
  context.daemon = &daemon;
  HandoverTask task;
  task.move = move;
  task.instances = instances;
  const TaskResult result = RunHandoverTask(task, /*check=*/false, context);
  Print(result.changes);
  if (result.status == TaskStatus::kFailed) return Complain(result.message);
  if (result.changes.empty()) {
    std::printf("unchanged: %s\n", move == HandoverMove::kYield ? "no instance is master here"
                                                                : "no instance was handed over");
  }
  return 0;
}

}  // namespace

int ApplyCommand(const Arguments& arguments) {
  if (!arguments.empty()) return WrongArguments("apply", "no arguments");
  auto signals = StopSignals::Watch();
  if (!signals) return Complain(signals.error());
  const Store store(kStateDirectory);
  ControlClient daemon;
  SessionParts parts;
  parts.in = STDIN_FILENO;
  parts.out = STDOUT_FILENO;
  parts.store = &store;
  parts.signals = &*signals;
  parts.daemon = &daemon;
  parts.open_kernel = OpenLinuxKernel;
  parts.ensure_service = [](bool check) { return Install(ThisNode(), check); };
  parts.remove_helper = [](std::vector<ChangeText>& done) { return Uninstall(ThisNode(), done); };
  const std::unique_ptr<UndoKit> undo = UndoOfThisNode(store);
  parts.transaction = TransactionOfThisNode(store, undo.get());
  parts.go_back.remove_service = TakeServiceAway;
  parts.tell = TellTheLog;
  Drills drills(DrillsOfThisNode(store));
  if (::geteuid() == 0) LookAfterDrills(DrillsOfThisNode(store), /*may_guard=*/true);
  parts.drills = &drills;
  return RunSession(parts);
}

int InstallCommand(const Arguments& arguments) {
  const bool check = arguments == Arguments{"--check"};
  if (!check && !arguments.empty()) return WrongArguments("install", "[--check]");
  const auto changes = Install(ThisNode(), check);
  if (!changes) return Complain(changes.error());
  Print(*changes);
  if (changes->empty()) std::printf("unchanged: node-helper %s is installed and runs\n", kVersion);
  return 0;
}

int ShowCommand(const Arguments& arguments) {
  const auto owner = OwnerOption(arguments);
  if (!owner) return WrongArguments("show", "[--owner NAME]");
  const Store store(kStateDirectory);
  if (*owner) return ShowOwner(store, **owner);
  const auto records = store.LoadAll();
  if (!records) return Complain(records.error());
  const auto observed = ObserveKernel(*records);
  if (!observed) return Complain(observed.error());
  Json owners = Json::array();
  for (const OwnerRecord& record : *records) owners.push_back(OwnerSummary(record));
  const Json document{{"observed", *observed}, {"owners", owners}};
  std::printf("%s\n", document.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  return 0;
}

int UninstallCommand(const Arguments& arguments) {
  const auto owner = OwnerOption(arguments);
  if (!owner) return WrongArguments("uninstall", "[--owner NAME]");
  if (::geteuid() != 0) return Complain("uninstall needs root");
  const Store store(kStateDirectory);
  std::vector<ChangeText> changes;
  Status done;
  std::error_code error;
  if (!std::filesystem::is_empty(kStateDirectory, error) && !error) {
    const auto lock =
        SessionLock::Take(kStateDirectory, ByHand(), kLockPatience, [] { return false; });
    if (!lock) return Complain(lock.error());
    const Status free = Transaction(TransactionOfThisNode(store, nullptr)).Admit();
    if (!free) return Complain(free.error());
    done = Release(store, *owner, changes);
    if (done && !*owner) done = Uninstall(ThisNode(), changes);
  } else if (!*owner) {
    done = Uninstall(ThisNode(), changes);
  }
  Print(changes);
  if (!done) return Complain(done.error());
  if (changes.empty()) {
    std::printf("unchanged: nothing of %s is on this node\n",
                *owner ? (*owner)->c_str() : "Drover's");
  }
  return 0;
}

int GuardCommand(const Arguments& arguments) {
  const bool detach = arguments == Arguments{"--detach"};
  if (!detach && !arguments.empty()) return WrongArguments("guard", "[--detach]");
  if (::geteuid() != 0) return Complain("guard needs root");
  const Store store(kStateDirectory);
  const std::unique_ptr<UndoKit> undo = UndoOfThisNode(store);
  const GuardParts parts = GuardOfThisNode(store, undo.get());
  if (!detach) return RunGuard(parts);
  const Status detached = DetachGuard(parts);
  return detached ? 0 : Complain(detached.error());
}

int DrillCommand(const Arguments& arguments) {
  if (::geteuid() != 0) return Complain("drill needs root");
  const Store store(kStateDirectory);
  const int code = RunDrillProcess(DrillsOfThisNode(store), arguments);
  return code >= 0 ? code
                   : WrongArguments("drill",
                                    "guard ID guardian|watchman, undo ID, burn ID N, "
                                    "answer ID PORT or reboot ID WAY");
}

int DaemonCommand(const Arguments& arguments) {
  const Store store(kStateDirectory);
  DaemonParts parts;
  parts.store = &store;
  parts.program = ThisNode().program();
  LookAfterRuns(store, parts);
  parts.open_kernel = OpenLinuxKernel;
  const bool starts = arguments.empty() || arguments == Arguments{"--detach"};
  // A drill that has killed the helper keeps it from coming back for a while.
  if (starts) WaitWhileHeld(kRunDirectory);
  if (arguments.empty()) return RunDaemon(parts);
  if (arguments.size() == 2 && arguments[0] == "--resume") {
    return ResumeDaemon(parts, std::atoi(arguments[1].c_str()));
  }
  const std::string option = arguments.size() == 1 ? arguments[0] : "";
  const auto running = RunningDaemon(parts.root);
  if (option == "--detach") {
    if (running) {
      std::printf("the daemon runs already, as process %d\n", static_cast<int>(*running));
      return 0;
    }
    const Status detached = DetachDaemon(parts);
    return detached ? 0 : Complain(detached.error());
  }
  if (option == "--stop") {
    const auto stopped = StopDaemon(parts.root, kStopPatience);
    return stopped ? 0 : Complain(stopped.error());
  }
  if (option == "--status") {
    if (!running) {
      std::printf("the daemon does not run\n");
      return kLsbNotRunning;
    }
    std::printf("the daemon runs, as process %d\n", static_cast<int>(*running));
    return 0;
  }
  if (option == "--reload") {
    if (!running) return Complain("the daemon does not run");
    return ::kill(*running, SIGHUP) == 0 ? 0 : Complain(ErrnoError(errno, "the daemon"));
  }
  return WrongArguments("daemon", "[--detach|--stop|--reload|--status]");
}

int StatusCommand(const Arguments& arguments) {
  const bool json = arguments == Arguments{"--json"};
  if (!json && !arguments.empty()) return WrongArguments("status", "[--json]");
  if (::geteuid() != 0) return Complain("status needs root");
  ControlClient daemon;
  if (!daemon.Runs()) {
    std::fprintf(stderr, "node-helper: the daemon does not run\n");
    return kLsbNotRunning;
  }
  const auto status = daemon.ReadStatus();
  if (!status) return Complain(status.error());
  const std::string text = json ? EncodeNodeStatus(*status, 2) + "\n" : StatusTable(*status);
  std::fputs(text.c_str(), stdout);
  return 0;
}

int HandoverCommand(const Arguments& arguments) {
  return MoveInstances(HandoverMove::kYield, arguments);
}

int ReturnCommand(const Arguments& arguments) {
  return MoveInstances(HandoverMove::kReturn, arguments);
}

int VersionCommand(const Arguments& arguments) {
  if (!arguments.empty()) return WrongArguments("version", "no arguments");
  std::printf("node-helper %s (protocol %d)\n", kVersion, kProtocolVersion);
  return 0;
}

}  // namespace drover
