// What the orchestrator asks of one host: the tasks of one play, ready to be carried out.
// Everything that could be known beforehand is already filled in; the helper sees no template and
// no variable.
//
// Values only; the JSON form is in codec.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/address.h"
#include "protocol/desired_state.h"
#include "protocol/drill.h"
#include "protocol/observation.h"
#include "protocol/transaction.h"

namespace drover {

// A part of the node's desired state: compare with the kernel, send the differences.
struct ConvergeTask {
  DesiredState state;
  bool operator==(const ConvergeTask&) const = default;
};

// Ends the run of an owner on a node: what the node holds for `owner` and `whole` no longer names
// is removed. `whole` is everything the playbook asks of this node, also what --tags left out of
// this run.
struct PruneTask {
  DesiredState whole;
  // Names of VRRP instances whose other nodes of this run did not all take their new settings:
  // these go on sending what they sent before (see SpeaksDifferently), until a later run settles
  // them.
  std::vector<std::string> unsettled;
  bool operator==(const PruneTask&) const = default;
};

// Runs a program without a shell.
struct CommandTask {
  std::vector<std::string> argv;
  std::string chdir;    // empty: /
  std::string creates;  // skip when this path (glob) exists
  std::string removes;  // skip when this path (glob) does not exist
  std::string stdin_text;
  bool reports_change = true;  // changed_when: false
  bool operator==(const CommandTask&) const = default;
};

// Owner, group and mode of a file; what is not given is left as it is (new files: root, root,
// 0644).
struct FileAttributes {
  std::string owner;
  std::string group;
  std::optional<std::uint32_t> mode;  // 0 to 07777
  bool operator==(const FileAttributes&) const = default;
};

// Puts `content` to `dest` (copy, template), atomically.
struct FileTask {
  std::string dest;     // absolute path of the file itself
  std::string content;  // any bytes; base64 on the wire
  FileAttributes attributes;
  bool backup = false;   // keep the old file beside it
  std::string validate;  // command with %s for the new file; a failure leaves the old file in place
  bool operator==(const FileTask&) const = default;
};

enum class PackageState : std::uint8_t { kPresent, kAbsent, kLatest };
struct PackageTask {
  std::vector<std::string> names;
  PackageState state = PackageState::kPresent;
  bool update_cache = false;
  bool operator==(const PackageTask&) const = default;
};

enum class ServiceState : std::uint8_t { kStarted, kStopped, kRestarted, kReloaded };
// A service of the init system (systemd or sysvinit), not an ip_vs service.
struct ServiceTask {
  std::string name;
  std::optional<ServiceState> state;
  std::optional<bool> enabled;
  bool operator==(const ServiceTask&) const = default;
};

// Waits for a port to open or close, or for a path to appear or vanish.
struct WaitForTask {
  std::optional<Endpoint> endpoint;
  std::string path;
  bool present = true;  // false: drained, stopped, absent
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds interval{1000};
  std::chrono::milliseconds timeout{300000};
  bool operator==(const WaitForTask&) const = default;
};

// One host that a probe may meet, by its own (not virtual) address.
struct ProbePeer {
  std::string name;
  IpAddress address;
  // It has the VIPs without showing them: it is provoked to ask for an unknown neighbour in the
  // name of a VIP, and must not.
  bool real_server = false;
  bool operator==(const ProbePeer&) const = default;
};

// A service to be probed from this host with new connections, one after the other.
struct ProbeService {
  SocketKey service;
  std::uint32_t connections = 0;            // 1 to 100000
  std::string http_path;                    // not empty: GET it and keep the start of the body
  std::chrono::milliseconds timeout{2000};  // per connection
  // So many more with a body of kUploadBytes, so that segments of full size are seen to arrive;
  // only with a path.
  std::uint32_t uploads = 0;
  // Of a UDP service: the check (udp or dns) whose question is asked, from a port of its own each
  // time. Without it a UDP service cannot be probed.
  std::optional<CheckKind> question = {};
  // Not 0: persistence is to be outlasted. One more connection goes out so long after the last one,
  // and all of them end by reset.
  std::chrono::milliseconds outlast{0};
  bool operator==(const ProbeService&) const = default;
};

inline constexpr std::size_t kUploadBytes = 64 * 1024;

// Gathers the evidence for `verify`: connections, who answers ARP for the VIPs, which MAC each peer
// has. It judges nothing; orchestrator/verify does.
struct ProbeTask {
  std::vector<ProbeService> services;
  std::vector<IpAddress> vips;  // asked by ARP
  std::vector<ProbePeer> peers;
  std::chrono::milliseconds arp_window{600};  // how long answers are collected per round
  std::uint32_t arp_rounds = 2;
  bool operator==(const ProbeTask&) const = default;
};

// What the helper's daemon says about itself; the result carries a NodeStatus.
struct StatusTask {
  bool operator==(const StatusTask&) const = default;
};

// Moves VRRP instances on purpose. kYield: a master makes a backup take over (it goes on serving
// until then), and does not preempt afterwards; done when the new master was heard. kReturn: it may
// preempt again, as its settings say. Instances that are not master have nothing to yield.
enum class HandoverMove : std::uint8_t { kYield, kReturn };
struct HandoverTask {
  HandoverMove move = HandoverMove::kYield;
  std::vector<std::string> instances;  // empty: all
  std::chrono::milliseconds sync_wait{
      0};  // wait so long for a backup's connection table; over: failed
  // Of kYield: it may preempt again as soon as no run has the node, also when the run has died.
  bool with_run = false;
  bool operator==(const HandoverTask&) const = default;
};

// Takes from the node what is recorded for the run's owner, his generations too; when nobody else
// has anything recorded there, also the helper's service and all files of Drover's.
struct UninstallTask {
  bool operator==(const UninstallTask&) const = default;
};

using TaskAction =
    std::variant<ConvergeTask, PruneTask, CommandTask, FileTask, PackageTask, ServiceTask,
                 WaitForTask, ProbeTask, StatusTask, HandoverTask, BeginTask, ConfirmTask,
                 RevertTask, ReleaseTask, UnlockTask, RestoreTask, GenerationsTask, MaintenanceTask,
                 UninstallTask, DrillLookTask, DrillArmTask, DrillInjectTask, DrillUndoTask,
                 ProbeRunTask, ObserveTask>;

// One task for one host.
struct Task {
  std::uint32_t id = 0;  // unique within the run; results name it
  std::string name;      // for logs on the node
  TaskAction action;
  bool check = false;                    // say what would change, change nothing
  bool diff = false;                     // send contents of files before and after
  bool secret = false;                   // no_log: no content, argument or output leaves the node
  bool ignore_errors = false;            // the program goes on after a failure
  std::chrono::milliseconds timeout{0};  // 0: none
  bool operator==(const Task&) const = default;
};

struct Program {
  RunInfo run;
  std::vector<Task> tasks;
  bool operator==(const Program&) const = default;
};

// A line of the orchestrator.
using Order = std::variant<Program, Pulse, Finish>;

}  // namespace drover
