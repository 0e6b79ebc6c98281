#include "node-helper/fault/fault_hands.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "node-helper/converge/converge.h"
#include "node-helper/converge/plan.h"
#include "node-helper/fault/process_table.h"
#include "node-helper/install/daemon_lock.h"
#include "node-helper/net/gratuitous_arp.h"
#include "node-helper/net/network_restore.h"
#include "node-helper/net/rtnetlink_addresses.h"
#include "node-helper/store/files.h"
#include "node-helper/tasks/init_system.h"
#include "protocol/codec.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLook{10};
constexpr milliseconds kGonePatience{3000};
constexpr milliseconds kStartPatience{20000};
constexpr milliseconds kRepairPatience{3000};
constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kClockSlack = kMicros / 2;
constexpr const char* kDelayText = "d0a:";
constexpr const char* kBandText = "d0a:4";
constexpr const char* kNetemText = "d0b:";

ProcessId ProcessIn(const StepItem& item) {
  return {static_cast<pid_t>(item.number), item.before, item.name};
}

// Until `condition`, or the patience is over.
template <typename Condition>
bool WaitFor(milliseconds patience, const Condition& condition) {
  const auto end = Clock::now() + patience;
  while (!condition()) {
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

Status Signal(const FaultStep& step, int number) {
  for (const StepItem& item : step.items) {
    const ProcessId process = ProcessIn(item);
    if (!IsThere(process)) continue;
    if (::kill(process.pid, number) != 0 && errno != ESRCH) {
      return Fail(ErrnoError(errno, "process " + std::to_string(process.pid)));
    }
  }
  return {};
}

std::vector<std::string> WordsOf(const std::string& line) {
  std::istringstream text(line);
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

std::int64_t WallMinusMonotonic() {
  timespec wall{};
  (void)::clock_gettime(CLOCK_REALTIME, &wall);
  return std::int64_t{wall.tv_sec} * kMicros + wall.tv_nsec / 1000 - BoardNow();
}

// Never an absolute time: what has passed since is in CLOCK_MONOTONIC.
Status SetWallMinusMonotonic(std::int64_t offset) {
  const std::int64_t wall = BoardNow() + offset;
  const timespec time{static_cast<time_t>(wall / kMicros),
                      static_cast<long>(wall % kMicros * 1000)};
  if (::clock_settime(CLOCK_REALTIME, &time) == 0) return {};
  return Fail(ErrnoError(errno, "wall clock"));
}

Result<InterfaceAddress> AddressIn(const StepItem& item) {
  const auto prefix = Prefix::Parse(item.before);
  if (!prefix) return Fail(prefix.error());
  return InterfaceAddress{item.name, *prefix, /*announce=*/false};
}

InitContext ForDrills(const DrillParts& parts) {
  return {parts.run, kStartPatience, [] { return false; }};
}

}  // namespace

Status FaultHands::Do(const FaultStep& step, BoardTime deadline) {
  switch (step.kind) {
    case StepKind::kFilter:
      return RunTool(parts_, {"nft", "-f", "-"}, step.text);
    case StepKind::kDelay:
      return Delay(step);
    case StepKind::kFreeze:
      return Signal(step, SIGSTOP);
    case StepKind::kHelper:
      return KillHelper(step, deadline);
    case StepKind::kService:
      return OpenInitSystem(ForDrills(parts_))->Tell(step.text, "stop");
    case StepKind::kAddresses:
      return RemoveAddresses(step);
    case StepKind::kSysctls:
      for (const StepItem& item : step.items) {
        if (const Status set = SysctlFiles().Write({item.name, item.during}); !set) return set;
      }
      return {};
    case StepKind::kLinkDown:
      return SetLinksDown(step);
    case StepKind::kRules:
      return ClearRules(step);
    case StepKind::kFill:
      return Fill(step);
    case StepKind::kBurn:
      return StartHand({"burn", drill_id_, std::to_string(step.number)});
    case StepKind::kAnswer:
      return StartHand({"answer", drill_id_, std::to_string(step.number)});
    case StepKind::kClock:
      return SetWallMinusMonotonic(step.items.at(0).number + step.number * kMicros);
    case StepKind::kReboot:
      return StartHand({"reboot", drill_id_, step.text});
    case StepKind::kYield:
      return Move(HandoverMove::kYield, step);
  }
  return {};
}

Status FaultHands::Undo(const FaultStep& step) {
  switch (step.kind) {
    case StepKind::kFilter:
      return UndoFilter(step);
    case StepKind::kDelay:
      return UndoDelay(step);
    case StepKind::kFreeze:
      return Signal(step, SIGCONT);
    case StepKind::kHelper:
      return StartHelper(step);
    case StepKind::kService: {
      const auto init = OpenInitSystem(ForDrills(parts_));
      const auto status = init->Look(step.text);
      if (status && status->running) return {};
      return init->Tell(step.text, "start");
    }
    case StepKind::kAddresses:
      return RestoreAddresses(step);
    case StepKind::kSysctls:
      return RestoreSysctls(step);
    case StepKind::kLinkDown:
      return RestoreNetwork(step);
    case StepKind::kRules:
      return RestoreRules(step);
    case StepKind::kFill:
      for (const StepItem& item : step.items) {
        if (const Status gone = RemoveFileIfThere(item.name); !gone) return gone;
      }
      return {};
    case StepKind::kBurn:
      return EndHands({"burn", drill_id_});
    case StepKind::kAnswer:
      return EndHands({"answer", drill_id_});
    case StepKind::kClock: {
      const std::int64_t before = step.items.at(0).number;
      if (std::llabs(WallMinusMonotonic() - before) < kClockSlack) return {};
      return SetWallMinusMonotonic(before);
    }
    case StepKind::kReboot:
      return EndHands({"reboot", drill_id_});
    case StepKind::kYield:
      // One that is started anew has not yielded.
      return RunningDaemon("") ? Move(HandoverMove::kReturn, step) : Status();
  }
  return {};
}

std::vector<std::string> FaultHands::UndoAll(const std::vector<FaultStep>& steps) {
  std::vector<std::string> residue;
  for (const FaultStep& step : UndoOrder(steps)) {
    if (const Status undone = Undo(step); !undone) residue.push_back(undone.error().message);
  }
  return residue;
}

Result<KernelUndo*> FaultHands::OpenKernel() {
  if (kernel_ == nullptr) {
    auto opened = KernelUndo::Open();
    if (!opened) return Fail(opened.error());
    own_kernel_ = std::move(*opened);
    kernel_ = own_kernel_.get();
  }
  return kernel_;
}

Status FaultHands::UndoFilter(const FaultStep& step) {
  const auto kernel = OpenKernel();
  if (!kernel) return Fail(kernel.error());
  for (const StepItem& family : step.items) {
    if (const Status gone = (*kernel)->RemoveTable(family.name); !gone) return gone;
  }
  return {};
}

// All packets go as before but those of which a rule says otherwise.
Status FaultHands::Delay(const FaultStep& step) {
  const std::string limit = "100000";
  for (const StepItem& item : step.items) {
    std::vector<std::string> bands = {"tc",     "qdisc",    "add",  "dev",   item.name, "root",
                                      "handle", kDelayText, "prio", "bands", "4",       "priomap"};
    bands.insert(bands.end(), 16, "0");
    if (const Status set = RunTool(parts_, bands); !set) return set;
    const Status slow = RunTool(
        parts_, {"tc", "qdisc", "add", "dev", item.name, "parent", kBandText, "handle", kNetemText,
                 "netem", "limit", limit, "delay", std::to_string(step.number) + "ms"});
    if (!slow) return slow;
  }
  return {};
}

Status FaultHands::UndoDelay(const FaultStep& step) {
  const auto kernel = OpenKernel();
  if (!kernel) return Fail(kernel.error());
  for (const StepItem& item : step.items) {
    if (const Status gone = (*kernel)->RemoveQdisc(item.name); !gone) return gone;
  }
  return {};
}

Status FaultHands::KillHelper(const FaultStep& step, BoardTime deadline) {
  const Status held =
      WriteFileAtomically(HoldFile(parts_.run_directory), std::to_string(deadline) + "\n", 0600);
  if (!held) return held;
  if (const Status killed = Signal(step, SIGKILL); !killed) return killed;
  const bool gone = WaitFor(kGonePatience, [&] {
    for (const StepItem& item : step.items) {
      if (IsThere(ProcessIn(item))) return false;
    }
    return true;
  });
  if (gone) return {};
  return Fail(ErrorCode::kTimeout, "the helper's processes are still there");
}

Status FaultHands::StartHelper(const FaultStep& step) {
  if (const Status free = RemoveFileIfThere(HoldFile(parts_.run_directory)); !free) return free;
  const auto runs = [] { return RunningDaemon("").has_value(); };
  if (runs()) return {};
  const Status started = RunTool(parts_, WordsOf(step.text));
  // Somebody else may have started it in the same moment.
  if (WaitFor(started ? kGonePatience : kLook, runs)) return {};
  return started ? Fail(ErrorCode::kTimeout, "the helper's daemon does not run again") : started;
}

Status FaultHands::RemoveAddresses(const FaultStep& step) {
  auto kernel = RtnetlinkAddresses::Open();
  if (!kernel) return Fail(kernel.error());
  for (const StepItem& item : step.items) {
    const auto address = AddressIn(item);
    if (!address) return Fail(address.error());
    const Status removed = kernel->Remove(*address);
    if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  }
  return {};
}

// Addresses of VRRP are the daemon's to set, here or, when it has yielded, elsewhere.
Status FaultHands::RestoreAddresses(const FaultStep& step) {
  auto kernel = RtnetlinkAddresses::Open();
  if (!kernel) return Fail(kernel.error());
  for (const StepItem& item : step.items) {
    if (item.during == "lease") continue;
    const auto address = AddressIn(item);
    if (!address) return Fail(address.error());
    const Status added = kernel->Add(*address);
    if (!added && added.error().code == ErrorCode::kExists) continue;
    if (!added) return added;
    if (const Status told = Announce(address->interface, address->prefix.address); !told) {
      return told;
    }
  }
  return {};
}

Status FaultHands::RestoreSysctls(const FaultStep& step) {
  const SysctlFiles files;
  for (auto item = step.items.rbegin(); item != step.items.rend(); ++item) {
    const auto now = files.Read(item->name);
    if (!now) return Fail(now.error());
    if (!*now || **now == item->before) continue;
    if (const Status set = files.Write({item->name, item->before}); !set) return set;
  }
  return {};
}

Status FaultHands::SetLinksDown(const FaultStep& step) {
  auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
  if (!socket) return Fail(socket.error());
  for (const StepItem& item : step.items) {
    const auto index = RtnetlinkAddresses::IndexOf(item.name);
    if (!index) return Fail(index.error());
    const auto verdict = (*socket)->Request(RTM_NEWLINK, 0, EncodeLinkUp(*index, false));
    if (!verdict) return Fail(verdict.error());
    if (!verdict->ok()) {
      return Fail(ErrorCode::kInternal, "interface " + item.name + ": " + verdict->Reason());
    }
  }
  return {};
}

Status FaultHands::RestoreNetwork(const FaultStep& step) {
  const auto before = DecodeNetworkSnapshot(step.text);
  if (!before) return Fail(before.error());
  std::vector<ChangeText> done;
  const Status links = RestoreLinks(*before, parts_.held(), done);
  const Status routing = RestoreRouting(*before, parts_.held(), done);
  return links ? routing : links;
}

Status FaultHands::ClearRules(const FaultStep& step) {
  const auto before = DecodeState(step.text);
  if (!before) return Fail(before.error());
  const auto kernel = parts_.open_kernel();
  if (!kernel) return Fail(kernel.error());
  for (const VirtualService& service : before->services) {
    const Status removed = (*kernel)->Apply({RemoveService{service}, "drill"});
    if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  }
  return {};
}

// The daemon sets its services again; what it does not, or while none runs, is set here. What
// stands stays as it is: checks may have weighted it.
Status FaultHands::RestoreRules(const FaultStep& step) {
  const auto before = DecodeState(step.text);
  if (!before) return Fail(before.error());
  const auto kernel = parts_.open_kernel();
  if (!kernel) return Fail(kernel.error());
  DesiredState missing;
  const auto look = [&] {
    const auto now = (*kernel)->Observe({});
    if (!now) return false;
    missing = {};
    for (const VirtualService& service : before->services) {
      const auto there =
          std::any_of(now->services.begin(), now->services.end(),
                      [&](const VirtualService& other) { return other.key == service.key; });
      if (!there) missing.services.push_back(service);
    }
    return missing.services.empty();
  };
  const milliseconds patience = RunningDaemon("") ? kRepairPatience : milliseconds{0};
  if (WaitFor(patience, look)) return {};
  const ConvergeReport report = Converge(**kernel, missing);
  return report.ok() ? Status() : Status(Fail(*report.error));
}

Status FaultHands::Move(HandoverMove move, const FaultStep& step) {
  std::vector<std::string> instances;
  for (const StepItem& item : step.items) instances.push_back(item.name);
  return parts_.move(move, instances);
}

Status FaultHands::Fill(const FaultStep& step) {
  for (const StepItem& item : step.items) {
    const Descriptor file(
        ::open(item.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return Fail(ErrnoError(errno, item.name));
    if (::fallocate(file.get(), 0, 0, item.number) != 0) {
      return Fail(ErrnoError(errno, item.name));
    }
  }
  return {};
}

// Another process of this program that does it until it is ended.
Status FaultHands::StartHand(const std::vector<std::string>& words) {
  std::vector<std::string> argv = {parts_.program, "drill"};
  argv.insert(argv.end(), words.begin(), words.end());
  return RunTool(parts_, argv);
}

Status FaultHands::EndHands(const std::vector<std::string>& words) {
  for (const ProcessId& process : HelpersWith(words)) {
    if (IsThere(process)) (void)::kill(process.pid, SIGKILL);
  }
  if (WaitFor(kGonePatience, [&] { return HelpersWith(words).empty(); })) return {};
  return Fail(ErrorCode::kTimeout, "processes of the drill are still there");
}

}  // namespace drover
