#include "node-helper/wiring.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "node-helper/daemon/control_client.h"
#include "node-helper/daemon/log.h"
#include "node-helper/fault/drill_guard.h"
#include "node-helper/net/linux_kernel.h"
#include "node-helper/speaker/surroundings.h"
#include "node-helper/store/systemd.h"
#include "node-helper/tasks/process.h"
#include "node-helper/tasks/restore_record.h"
#include "node-helper/transaction/run_watch.h"
#include "node-helper/undo/undo_kit.h"

namespace drover {
namespace {

constexpr std::chrono::minutes kInstallTimeout{1};
constexpr std::chrono::seconds kGuardTimeout{5};  // the daemon waits for it
constexpr const char* kGuardLog = "/run/drover/guard.log";

Status RunToSuccess(const std::vector<std::string>& argv,
                    std::chrono::milliseconds timeout = kInstallTimeout) {
  ProcessSpec spec;
  spec.argv = argv;
  spec.timeout = timeout;
  const auto outcome = RunProcess(spec);
  if (!outcome) return Fail(outcome.error());
  if (outcome->timed_out) return Fail(ErrorCode::kTimeout, argv[0] + ": not done in time");
  const CommandOutcome& command = outcome->command;
  if (command.exit_code == 0) return {};
  std::string said = command.stderr_text.empty() ? command.stdout_text : command.stderr_text;
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return Fail(ErrorCode::kInternal,
              argv[0] + ": exits with " + std::to_string(command.exit_code) + ": " + said);
}

// This program's file; once its name is gone only the kernel knows it.
std::string OwnFile() {
  std::error_code error;
  const std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  return error || ::access(path.c_str(), X_OK) != 0 ? "/proc/self/exe" : path;
}

// A guard that the daemon starts. Under systemd the daemon's own children are as confined as it is
// (no writing to /etc), and end with it: there the guard is a unit of its own.
Status StartGuardBesideTheDaemon() {
  if (!SystemdRuns()) return RunToSuccess({OwnFile(), "guard", "--detach"}, kGuardTimeout);
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return RunToSuccess({"systemd-run", "--quiet", "--collect", "--service-type=forking",
                       "--unit=drover-guard-" + std::to_string(now),
                       "--description=Drover: goes back unless the run is confirmed",
                       ThisNode().program(), "guard", "--detach"},
                      kGuardTimeout);
}

// Addresses of records, before the run or of the run, are set and removed by the record and by the
// VRRP speaker, whose virtual links are its own, too.
HeldElsewhere HeldByRecords(const Store& store) {
  std::vector<OwnerRecord> records = store.LoadAll().value_or(std::vector<OwnerRecord>());
  const PendingJournal journal(store.directory());
  if (auto undone = journal.LoadUndone(); undone && *undone) records.push_back(**undone);
  std::set<std::pair<std::string, Prefix>> fixed;
  std::set<IpAddress> virtual_ones;
  for (const OwnerRecord& record : records) {
    for (const InterfaceAddress& address : record.state.addresses) {
      fixed.emplace(address.interface, address.prefix);
    }
    for (const VrrpInstance& instance : record.state.vrrp_instances) {
      for (const Prefix& prefix : instance.AllAddresses()) virtual_ones.insert(prefix.address);
    }
  }
  HeldElsewhere held;
  held.address = [fixed, virtual_ones](const InterfaceAddress& address) {
    return fixed.contains({address.interface, address.prefix}) ||
           virtual_ones.contains(address.prefix.address);
  };
  held.interface = IsVirtualLinkName;
  return held;
}

// The kernel is opened when it is needed: going back must not wait for it before the network.
Status RestoreHere(const Store& store, const std::optional<OwnerRecord>& previous,
                   const OwnerRecord& undone, std::vector<ChangeText>& done) {
  const auto kernel = OpenLinuxKernel();
  if (!kernel) return Fail(kernel.error());
  ControlClient daemon;
  return RestoreRecord(**kernel, store, &daemon, previous, undone, done);
}

}  // namespace

InstallSite ThisNode() {
  InstallSite site;
  site.run = [](const auto& argv) { return RunToSuccess(argv); };
  site.upgrade = [] { return ControlClient().Upgrade(); };
  return site;
}

Status TakeServiceAway(std::vector<ChangeText>& changes) {
  return RemoveInstalled(ThisNode(), changes);
}

void TellTheLog(const std::string& line) { DaemonLog::ToSyslogOr(kGuardLog).Problem(line); }

std::unique_ptr<UndoKit> UndoOfThisNode(const Store& store) {
  return std::make_unique<UndoKit>(
      MakeUndoKit([&store] { return HeldByRecords(store); }, RunProcess));
}

TransactionParts TransactionOfThisNode(const Store& store, UndoKit* undo) {
  TransactionParts parts;
  parts.store = &store;
  parts.undo = undo;
  parts.start_guard = [] { return RunToSuccess({OwnFile(), "guard", "--detach"}); };
  parts.has_service = [] { return HasService(ThisNode()); };
  return parts;
}

GuardParts GuardOfThisNode(const Store& store, UndoKit* undo) {
  GuardParts parts;
  parts.store = &store;
  parts.log = [](const std::string& line, bool problem) {
    const DaemonLog log = DaemonLog::ToSyslogOr(kGuardLog);
    problem ? log.Problem(line) : log.Line(line);
  };
  parts.go_back = [&store, undo]() -> Result<GoBackParts> {
    GoBackParts go_back;
    go_back.store = &store;
    go_back.undo = undo;
    go_back.restore_record = [&store](const auto& previous, const auto& undone, auto& done) {
      return RestoreHere(store, previous, undone, done);
    };
    go_back.remove_service = TakeServiceAway;
    return go_back;
  };
  return parts;
}

DrillParts DrillsOfThisNode(const Store& store) {
  DrillParts parts;
  parts.directory = store.directory();
  parts.run_directory = kRunDirectory;
  parts.program = OwnFile();
  parts.held = [&store] { return HeldByRecords(store); };
  parts.is_vrrp = [&store](const IpAddress& address) {
    for (const OwnerRecord& record : store.LoadAll().value_or(std::vector<OwnerRecord>())) {
      for (const VrrpInstance& instance : record.state.vrrp_instances) {
        if (instance.Holds(address)) return true;
      }
    }
    return false;
  };
  parts.open_kernel = OpenLinuxKernel;
  parts.boot_id = NodeClock::OfThisNode().boot_id;
  parts.move = [](HandoverMove move, const std::vector<std::string>& instances) {
    return ControlClient().Move(move, instances, /*with_run=*/false);
  };
  parts.tell = TellTheLog;
  return parts;
}

void LookAfterRuns(const Store& store, DaemonParts& parts) {
  const TransactionParts transaction = TransactionOfThisNode(store, nullptr);
  parts.run_holder = [transaction] {
    return Transaction(transaction).Holder().value_or(std::nullopt);
  };
  parts.has_run = [&store, transaction] {
    const auto lock = Transaction(transaction).AliveLock();
    return !lock || lock->has_value() || PendingJournal(store.directory()).exists();
  };
  parts.hold_back_overdue_run = [&store] {
    const auto held = HoldBackOverdueRun(GuardOfThisNode(store, nullptr));
    return held ? Status() : Status(Fail(held.error()));
  };
  parts.look_after_runs = [&store, watch = RunWatch(), transaction,
                           drills = DrillsOfThisNode(store)]() mutable -> std::string {
    // Under systemd it may not do what undoing needs; a timer of systemd is there instead.
    (void)LookAfterDrills(drills, !SystemdRuns());
    const PendingJournal journal(store.directory());
    const RunInfo last = watch.run();
    if (!journal.exists() && last.run_id.empty()) return "";
    const auto pending = journal.Load();
    if (!pending) return "";
    if (*pending && !GuardIsAtWork(transaction.run_directory)) {
      if (const Status started = StartGuardBesideTheDaemon(); !started) {
        return started.error().message;
      }
    }
    const bool ended = !*pending && !last.run_id.empty();
    const bool kept = ended && store.GenerationsOf(last.owner).Has(last.run_id).value_or(false);
    return watch.Look(*pending, kept);
  };
}

}  // namespace drover
