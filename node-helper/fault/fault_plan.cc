#include "node-helper/fault/fault_plan.h"

#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "node-helper/fault/drill_board.h"
#include "node-helper/fault/process_table.h"
#include "node-helper/install/daemon_lock.h"
#include "node-helper/install/service_files.h"
#include "node-helper/net/network_snapshot.h"
#include "node-helper/net/sysctl_files.h"
#include "node-helper/store/files.h"
#include "node-helper/store/systemd.h"
#include "node-helper/tasks/init_system.h"
#include "protocol/codec.h"

namespace drover {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::uint16_t kSyncPort = 8848;
constexpr std::uint16_t kSyncThreads = 64;  // the most that ip_vs has, each with a port of its own
constexpr std::uint32_t kTmpfs = 0x01021994;
constexpr std::uint32_t kRamfs = 0x858458f6;
constexpr std::uint32_t kOverlayfs = 0x794c7630;
constexpr std::int64_t kMemoryShare = 4;  // a file system in memory may take this part of it
constexpr const char* kInitScript = "/etc/init.d/drover-node-helper";

bool Exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool HasCapability(int capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[capability / 32].effective >> (capability % 32) & 1U) != 0;
}

std::int64_t AvailableMemory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t kilobytes = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    if (fields >> name >> kilobytes && name == "MemAvailable:") return kilobytes * 1024;
  }
  return 0;
}

// A port that nobody has just now.
std::uint16_t FreePort() {
  const Descriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  socklen_t length = sizeof any;
  if (!socket.valid() ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), length) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&any), &length) != 0) {
    return 0;
  }
  return ntohs(any.sin6_port);
}

StepItem ItemOf(const ProcessId& process) {
  return {.name = process.name, .before = process.started, .during = "", .number = process.pid};
}

class Planner {
 public:
  Planner(const FaultOrder& order, const DrillParts& parts, const std::optional<SshWay>& ssh,
          const std::optional<Endpoint>& marker)
      : order_(order), parts_(parts) {
    frame_.interfaces = order.interfaces;
    frame_.duration = order.duration;
    frame_.ssh = ssh;
    frame_.marker = marker;
  }

  FaultPlan Plan() {
    switch (order_.fault) {
      case Fault::kDirectorCrash:
        frame_.interfaces = Uplinks();
        AddFilter(IsolationFilter(frame_));
        AddHelper();
        break;
      case Fault::kHelperKill:
        AddHelper();
        break;
      case Fault::kHelperFreeze:
        FreezeHelper();
        break;
      case Fault::kDirectorIsolated:
      case Fault::kRealServerIsolated:
        NeedInterfaces();
        AddFilter(IsolationFilter(frame_));
        break;
      case Fault::kLinkDown:
        LinkDown();
        break;
      case Fault::kVrrpSplit:
        NeedInterfaces();
        AddFilter(VrrpFilter(frame_));
        break;
      case Fault::kVrrpLoss:
        NeedInterfaces();
        AddFilter(VrrpLossFilter(frame_, order_.loss_ppm));
        break;
      case Fault::kSyncCut:
        AddFilter(UdpFilter(frame_, SyncPorts()));
        break;
      case Fault::kHandover:
      case Fault::kFailback:
        HandOver();
        break;
      case Fault::kRealServerStop:
        StopService();
        break;
      case Fault::kRealServerHang:
        FreezeService();
        break;
      case Fault::kRealServerSlow:
        SlowService();
        break;
      case Fault::kRealServer5xx:
        FailService();
        break;
      case Fault::kVipLost:
        LoseAddresses();
        break;
      case Fault::kRulesCleared:
        ClearRules();
        break;
      case Fault::kArpMisconfigured:
        Misconfigure();
        break;
      case Fault::kDiskFull:
        FillDisks();
        break;
      case Fault::kCpuStarved:
        Add({.kind = StepKind::kBurn,
             .text = "",
             .items = {},
             .number =
                 2 * static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()))});
        break;
      case Fault::kClockJump:
        JumpClock();
        break;
      case Fault::kReboot:
        Reboot();
        break;
    }
    return std::move(plan_);
  }

 private:
  void Refuse(std::string sentence) { plan_.obstacles.push_back(std::move(sentence)); }
  void Add(FaultStep step) { plan_.steps.push_back(std::move(step)); }

  void NeedInterfaces() {
    if (order_.interfaces.empty()) Refuse("the order names no interface");
    for (const std::string& interface : order_.interfaces) {
      if (!Exists("/sys/class/net/" + interface)) Refuse("there is no interface " + interface);
    }
  }

  // All links that frames leave by; what is stacked on another one leaves by that.
  [[nodiscard]] std::vector<std::string> Uplinks() const {
    std::vector<std::string> links;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/class/net", error)) {
      const std::string name = entry.path().filename().string();
      if (name == "lo" || !Exists(entry.path().string() + "/type")) continue;
      bool stacked = false;
      for (const auto& file : std::filesystem::directory_iterator(entry.path(), error)) {
        stacked |= file.path().filename().string().starts_with("lower_");
      }
      if (!stacked) links.push_back(name);
    }
    std::sort(links.begin(), links.end());
    return links;
  }

  void AddFilter(const Filter& filter) {
    FaultStep step{.kind = StepKind::kFilter, .text = filter.ruleset, .items = {}, .number = 0};
    for (const std::string& family : filter.families) step.items.push_back({.name = family});
    Rehearse(filter);
    Add(std::move(step));
  }

  // The same rules in a network of their own: what this kernel and this nft cannot is known before.
  void Rehearse(const Filter& filter) {
    std::string rules = filter.ruleset;
    // Only lo is there. More chains for one device are no different.
    for (const std::string& interface : frame_.interfaces) {
      for (std::size_t at = 0;
           (at = rules.find("device \"" + interface + "\"", at)) != std::string::npos;) {
        rules.replace(at, interface.size() + 9, "device \"lo\"");
        at += 1;
      }
    }
    const Status fine = RunTool(parts_, {"unshare", "-n", "nft", "-f", "-"}, rules);
    if (fine) return;
    if (!HasProgram("nft")) {
      Refuse("the program nft is missing: install the package nftables");
    } else if (HasProgram("unshare")) {
      Refuse("this kernel cannot filter as the fault needs it: " + fine.error().message);
    }
  }

  static bool HasProgram(const std::string& name) {
    std::istringstream folders{std::string(kProgramPath)};
    for (std::string folder; std::getline(folders, folder, ':');) {
      if (::access((folder + "/" + name).c_str(), X_OK) == 0) return true;
    }
    return false;
  }

  // --- the helper

  std::vector<StepItem> HelperProcesses() {
    std::vector<StepItem> items;
    const auto text = ReadWholeFile(DaemonPidFile(""));
    if (!RunningDaemon("") || !text) {
      Refuse("the helper's daemon does not run here");
      return items;
    }
    std::istringstream lines(*text);
    std::vector<pid_t> pids;
    for (pid_t pid = 0; lines >> pid;) pids.push_back(pid);
    // The supervisor is the second line, and goes first: it would start the worker anew.
    for (auto pid = pids.rbegin(); pid != pids.rend(); ++pid) {
      if (auto process = ProcessOf(*pid)) items.push_back(ItemOf(*process));
    }
    supervised_ = pids.size() > 1;
    return items;
  }

  void AddHelper() {
    FaultStep step{.kind = StepKind::kHelper, .text = "", .items = HelperProcesses(), .number = 0};
    if (step.items.empty()) return;
    if (SystemdRuns() && !supervised_) {
      step.text = std::string("systemctl start ") + kServiceName;
    } else if (!supervised_) {
      Refuse("the helper's daemon was started by something unknown, which may start it again at " +
             std::string("once: run it by the init system or with --detach"));
    } else if (::access(kInitScript, X_OK) == 0) {
      step.text = std::string(kInitScript) + " start";
    } else {
      std::error_code error;
      const std::string link = "/proc/" + std::to_string(step.items.back().number) + "/exe";
      const std::string file = std::filesystem::read_symlink(link, error).string();
      const bool there = !error && ::access(file.c_str(), X_OK) == 0;
      step.text = (there ? file : parts_.program) + " daemon --detach";
    }
    Add(std::move(step));
  }

  void FreezeHelper() {
    FaultStep step{.kind = StepKind::kFreeze, .text = "", .items = HelperProcesses(), .number = 0};
    if (!step.items.empty()) Add(std::move(step));
  }

  // A failback begins with it, and is its undoing.
  void HandOver() {
    if (order_.instances.empty()) return Refuse("the order names no VRRP instance");
    if (!RunningDaemon("")) return Refuse("the helper's daemon does not run here");
    FaultStep step{.kind = StepKind::kYield, .text = "", .items = {}, .number = 0};
    for (const std::string& instance : order_.instances) step.items.push_back({.name = instance});
    Add(std::move(step));
  }

  // --- the network

  void LinkDown() {
    NeedInterfaces();
    if (frame_.ssh && !order_.may_cut_ssh) {
      const std::string way = InterfaceWith(frame_.ssh->here.address);
      if (std::find(order_.interfaces.begin(), order_.interfaces.end(), way) !=
          order_.interfaces.end()) {
        Refuse("the orchestrator's own SSH comes in by " + way +
               ", which would go down: allow that explicitly, or name another interface");
      }
    }
    const auto network = TakeNetworkSnapshot();
    if (!network) return Refuse("the network cannot be remembered: " + network.error().message);
    FaultStep step{.kind = StepKind::kLinkDown,
                   .text = EncodeNetworkSnapshot(*network),
                   .items = {},
                   .number = 0};
    for (const std::string& interface : order_.interfaces)
      step.items.push_back({.name = interface});
    Add(std::move(step));
  }

  [[nodiscard]] std::string InterfaceWith(const IpAddress& address) const {
    const auto state = Observed();
    if (!state) return "";
    for (const InterfaceAddress& own : state->addresses) {
      if (own.prefix.address == address) return own.interface;
    }
    return "";
  }

  [[nodiscard]] Result<DesiredState> Observed() const {
    const auto kernel = parts_.open_kernel();
    if (!kernel) return Fail(kernel.error());
    return (*kernel)->Observe({});
  }

  [[nodiscard]] std::vector<std::uint16_t> SyncPorts() const {
    std::set<std::uint16_t> firsts = {kSyncPort};
    if (const auto state = Observed()) {
      for (const SyncDaemon& daemon : state->sync_daemons) firsts.insert(daemon.port);
    }
    std::set<std::uint16_t> ports;
    for (const std::uint16_t first : firsts) {
      for (std::uint16_t i = 0; i < kSyncThreads; ++i) {
        ports.insert(static_cast<std::uint16_t>(first + i));
      }
    }
    return {ports.begin(), ports.end()};
  }

  void LoseAddresses() {
    const auto network = TakeNetworkSnapshot();
    if (!network) return Refuse("addresses cannot be listed: " + network.error().message);
    FaultStep step{.kind = StepKind::kAddresses, .text = "", .items = {}, .number = 0};
    for (const AddressState& address : network->addresses) {
      const auto vip = std::find(order_.vips.begin(), order_.vips.end(), address.prefix.address);
      if (vip == order_.vips.end()) continue;
      const auto link = std::find_if(network->links.begin(), network->links.end(),
                                     [&](const LinkState& l) { return l.index == address.index; });
      if (link == network->links.end()) continue;
      step.items.push_back({.name = link->name,
                            .before = address.prefix.ToString(),
                            .during = address.lifetime || parts_.is_vrrp(*vip) ? "lease" : "",
                            .number = 0});
    }
    if (step.items.empty()) return Refuse("none of the VIPs is set on this node");
    Add(std::move(step));
  }

  void ClearRules() {
    auto state = Observed();
    if (!state) return Refuse("ip_vs cannot be looked at: " + state.error().message);
    if (state->services.empty()) return Refuse("ip_vs has no services here");
    DesiredState before;
    before.services = state->services;
    Add({.kind = StepKind::kRules, .text = EncodeState(before), .items = {}, .number = 0});
  }

  void Misconfigure() {
    NeedInterfaces();
    FaultStep step{.kind = StepKind::kSysctls, .text = "", .items = {}, .number = 0};
    std::vector<std::string> places = {"all"};
    places.insert(places.end(), order_.interfaces.begin(), order_.interfaces.end());
    for (const char* setting : {"arp_announce", "arp_ignore"}) {
      for (const std::string& place : places) {
        const std::string key = "net/ipv4/conf/" + place + "/" + setting;
        const auto value = SysctlFiles().Read(key);
        if (!value || !*value) continue;
        if (**value != "0") step.items.push_back({.name = key, .before = **value, .during = "0"});
      }
    }
    if (step.items.empty()) {
      return Refuse(
          "arp_ignore and arp_announce are 0 already: the node is misconfigured as it is");
    }
    Add(std::move(step));
  }

  // --- services of real servers

  std::vector<std::uint16_t> Ports() {
    std::vector<std::uint16_t> ports;
    for (const SocketKey& service : order_.services) {
      if (service.port != 0) ports.push_back(service.port);
    }
    if (ports.empty()) Refuse("the order names no service with a port");
    return ports;
  }

  void StopService() {
    if (order_.unit.empty()) {
      return Refuse("the order names no unit: a process that was ended could not be started again");
    }
    const auto status = OpenInitSystem({parts_.run, std::chrono::seconds(20), [] { return false; }})
                            ->Look(order_.unit);
    if (!status) return Refuse(order_.unit + ": " + status.error().message);
    if (!status->exists) return Refuse("the init system knows no service " + order_.unit);
    if (!status->running) return Refuse("the service " + order_.unit + " does not run");
    Add({.kind = StepKind::kService, .text = order_.unit, .items = {}, .number = 0});
  }

  void FreezeService() {
    const auto ports = Ports();
    if (ports.empty()) return;
    FaultStep step{.kind = StepKind::kFreeze, .text = "", .items = {}, .number = 0};
    for (const ProcessId& process : ListenersOn(ports)) {
      // An init system that listens for a service must not stand still.
      if (process.pid == 1) return Refuse("process 1 listens on the service's port");
      step.items.push_back(ItemOf(process));
    }
    if (step.items.empty()) return Refuse("nobody listens on the service's port here");
    Add(std::move(step));
  }

  void SlowService() {
    NeedInterfaces();
    if (Ports().empty()) return;
    const Status fine = RunTool(parts_, {"unshare", "-n", "tc", "qdisc", "add", "dev", "lo", "root",
                                         "netem", "delay", "1ms"});
    if (!fine && !HasProgram("tc")) {
      return Refuse("the program tc is missing: install the package iproute2");
    }
    if (!fine)
      return Refuse("this kernel has no delays (module sch_netem): " + fine.error().message);
    FaultStep step{
        .kind = StepKind::kDelay, .text = "", .items = {}, .number = order_.delay.count()};
    for (const std::string& interface : order_.interfaces) {
      if (!HasDefaultQdisc(interface)) {
        Refuse("interface " + interface + " has a queueing discipline of somebody's choice");
      }
      step.items.push_back({.name = interface});
    }
    Add(std::move(step));
    AddFilter(DelayFilter(frame_, order_.services));
  }

  // The kernel's own has handle 0 and comes back by itself.
  [[nodiscard]] bool HasDefaultQdisc(const std::string& interface) const {
    ProcessSpec spec;
    spec.argv = {"tc", "qdisc", "show", "dev", interface, "root"};
    spec.timeout = std::chrono::seconds(10);
    const auto outcome = parts_.run(spec);
    return outcome && outcome->command.stdout_text.find(" 0: root") != std::string::npos;
  }

  void FailService() {
    if (Ports().empty()) return;
    for (const SocketKey& service : order_.services) {
      if (service.transport != Transport::kTcp) {
        return Refuse("only services over TCP can answer with an error of HTTP");
      }
    }
    const std::uint16_t port = FreePort();
    if (port == 0) return Refuse("there is no free port");
    Add({.kind = StepKind::kAnswer, .text = "", .items = {}, .number = port});
    AddFilter(RedirectFilter(frame_, order_.services, port));
  }

  // --- the node

  void FillDisks() {
    FaultStep step{.kind = StepKind::kFill, .text = "", .items = {}, .number = 0};
    std::set<dev_t> seen;
    std::int64_t in_memory = 0;
    // The folders are Drover's own, so that its daemon may take the file away as well.
    for (const char* folder : {"/var/log/drover", "/run/drover"}) {
      struct stat info {};
      struct statvfs space {};
      struct statfs kind {};
      std::error_code error;
      std::filesystem::create_directories(folder, error);
      if (::stat(folder, &info) != 0 || ::statvfs(folder, &space) != 0 ||
          ::statfs(folder, &kind) != 0) {
        Refuse(ErrnoError(errno, folder).message);
        continue;
      }
      if (!seen.insert(info.st_dev).second) continue;
      const std::int64_t bytes =
          static_cast<std::int64_t>(space.f_bfree) * static_cast<std::int64_t>(space.f_frsize) -
          kMiB;
      if (bytes <= 0) continue;
      const auto type = static_cast<std::uint32_t>(kind.f_type);
      if (type == kTmpfs || type == kRamfs || type == kOverlayfs) in_memory += bytes;
      step.items.push_back({.name = std::string(folder) + "/drill-" + order_.drill_id + ".fill",
                            .before = "",
                            .during = "",
                            .number = bytes});
    }
    if (in_memory > AvailableMemory() / kMemoryShare) {
      Refuse("filling the file systems would take " + std::to_string(in_memory / kMiB) +
             " MiB of memory, more than a quarter of what is free");
    }
    if (step.items.empty()) return Refuse("the file systems are full already");
    Add(std::move(step));
  }

  void JumpClock() {
    if (!HasCapability(CAP_SYS_TIME)) return Refuse("the clock cannot be set from here");
    timespec wall{};
    (void)::clock_gettime(CLOCK_REALTIME, &wall);
    const std::int64_t offset =
        std::int64_t{wall.tv_sec} * 1'000'000 + wall.tv_nsec / 1000 - BoardNow();
    Add({.kind = StepKind::kClock,
         .text = "",
         .items = {{.name = "wall clock", .before = "", .during = "", .number = offset}},
         .number = order_.jump.count()});
  }

  void Reboot() {
    std::error_code error;
    const std::string space = std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
    constexpr const char* kFirstPidSpace = "pid:[4026531836]";  // PROC_PID_INIT_INO
    std::string way;
    if (SystemdRuns()) {
      way = "systemd";
    } else if (space != kFirstPidSpace && HasCapability(CAP_SYS_BOOT)) {
      way = "namespace";
    } else if ((Exists("/run/initctl") || Exists("/dev/initctl")) && HasProgram("shutdown")) {
      way = "shutdown";
    } else {
      return Refuse("there is no orderly reboot here: neither systemd nor shutdown with an init");
    }
    Add({.kind = StepKind::kReboot, .text = way, .items = {}, .number = 0});
  }

  const FaultOrder& order_;
  const DrillParts& parts_;
  FilterFrame frame_;
  FaultPlan plan_;
  bool supervised_ = false;
};

}  // namespace

FaultPlan PlanFault(const FaultOrder& order, const DrillParts& parts,
                    const std::optional<SshWay>& ssh, const std::optional<Endpoint>& marker) {
  return Planner(order, parts, ssh, marker).Plan();
}

bool HitsTheDaemon(Fault fault) {
  return fault == Fault::kDirectorCrash || fault == Fault::kHelperKill ||
         fault == Fault::kHelperFreeze || fault == Fault::kReboot;
}

}  // namespace drover
