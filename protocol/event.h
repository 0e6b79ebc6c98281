// What the helper tells the orchestrator while it works, one value per line of its output.
//
// Values only; the JSON form is in codec.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/address.h"
#include "protocol/change.h"
#include "protocol/drill.h"
#include "protocol/node_status.h"
#include "protocol/observation.h"
#include "protocol/result.h"
#include "protocol/transaction.h"

namespace drover {

// First line of a session.
struct Hello {
  int protocol = 0;     // kProtocolVersion of the helper
  std::string version;  // of Drover
  std::string host;     // what the node calls itself
  std::string kernel;   // uname -r
  bool root = false;    // effective user id 0
  bool operator==(const Hello&) const = default;
};

struct TaskStarted {
  std::uint32_t task = 0;
  bool operator==(const TaskStarted&) const = default;
};

enum class TaskStatus : std::uint8_t { kOk, kChanged, kSkipped, kFailed };
std::string_view ToString(TaskStatus status);  // "ok", "changed", "skipped", "failed"

// Output of a command that ran.
struct CommandOutcome {
  int exit_code = 0;        // 128 + n when signal n ended it
  std::string stdout_text;  // bytes that are not UTF-8 are replaced
  std::string stderr_text;
  bool truncated = false;  // more than kMaxOutputBytes of either
  bool operator==(const CommandOutcome&) const = default;
};

// Contents of a file for --diff; absent side: the file does not exist there.
struct FileDiff {
  std::string path;
  std::optional<std::string> before;
  std::optional<std::string> after;
  bool binary = false;  // not text or too large: contents are left out
  bool operator==(const FileDiff&) const = default;
};

// One connection of a probe, in the order in which they were opened.
struct ProbeConnection {
  std::optional<Error> error;  // no answer; the rest is empty then
  std::string
      reply_mac;  // source MAC of the SYN-ACK as seen here, also with an error; empty when not seen
  std::string body;     // start of the HTTP body (at most kMaxProbeBody bytes), stripped
  int http_status = 0;  // 0: not asked
  std::chrono::microseconds connect_time{0};  // SYN to SYN-ACK
  std::chrono::microseconds total_time{0};    // to the end of the answer
  std::uint16_t local_port = 0;               // 0: it never got one
  int reply_ttl = 0;                          // of the SYN-ACK, as it came in; 0: not seen
  bool operator==(const ProbeConnection&) const = default;
};

struct ProbeServiceResult {
  SocketKey service;
  std::vector<ProbeConnection> connections;
  std::string source = {};  // address that the connections went out from; empty: none went out
  std::vector<ProbeConnection> uploads = {};  // behind the others
  std::vector<ProbeConnection> later = {};    // behind the wait for persistence to end
  bool operator==(const ProbeServiceResult&) const = default;
};

// Who answered "who has `vip`", or claimed it unasked: every MAC with the number of its frames.
struct ArpAnswers {
  IpAddress vip;
  bool on_link = false;  // false: not asked, the VIP is not on a network of this host
  bool local = false;    // the VIP is an address of the asking host itself
  std::string interface;
  std::map<std::string, std::uint32_t> answers;
  // Of these frames, the ones that asked for somebody else in the VIP's name (arp_announce).
  std::map<std::string, std::uint32_t> requests = {};
  bool operator==(const ArpAnswers&) const = default;
};

struct PeerMac {
  std::string name;
  std::string mac;             // empty: not on link or no answer
  std::string interface = {};  // of the probing host, on whose network it is; empty: on none
  bool operator==(const PeerMac&) const = default;
};

// ICMP redirects that came in while the probe ran.
struct RedirectsSeen {
  std::string mac;   // who sent them
  std::string from;  // source address
  std::uint32_t count = 0;
  bool operator==(const RedirectsSeen&) const = default;
};

// The evidence for `verify`.
struct ProbeOutcome {
  std::vector<ProbeServiceResult> services;
  std::vector<ArpAnswers> arp;
  std::vector<PeerMac> peers;
  std::vector<RedirectsSeen> redirects = {};
  bool operator==(const ProbeOutcome&) const = default;
};

using TaskDetail =
    std::variant<std::monostate, CommandOutcome, FileDiff, ProbeOutcome, NodeStatus, NodeGround,
                 GenerationList, DrillGround, DrillState, ProbeRunOutcome, Observation>;

struct TaskResult {
  std::uint32_t task = 0;
  TaskStatus status = TaskStatus::kOk;
  std::string message;              // why it failed or was skipped; notes of a probe
  std::optional<ErrorCode> code;    // set when failed
  std::vector<ChangeText> changes;  // done, or in check mode what would be done
  TaskDetail detail;
  std::chrono::microseconds duration{0};
  bool operator==(const TaskResult&) const = default;
};

// Of a task that takes long and is watched, a few times a second.
struct TaskProgress {
  std::uint32_t task = 0;
  ProbeProgress progress;
  bool operator==(const TaskProgress&) const = default;
};

// The program is through; no further result for it will come. Tasks behind a failed one were not
// started.
struct ProgramDone {
  bool ok = false;
  bool armed = false;  // the run has changed the node: it goes back unless it is confirmed
  bool operator==(const ProgramDone&) const = default;
};

// The session itself failed (a line that is no message, a lock held by somebody else); the helper
// ends after it.
struct SessionError {
  Error error;
  bool operator==(const SessionError&) const = default;
};

using Event = std::variant<Hello, TaskStarted, TaskResult, ProgramDone, SessionError, TaskProgress>;

}  // namespace drover
