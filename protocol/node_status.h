// What a node's helper says about itself: `node-helper status`, the control socket and
// `drover status` share these words.
//
// Values only. Times are given as ages at the moment of asking, because clocks differ.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/address.h"
#include "protocol/destination.h"
#include "protocol/result.h"
#include "protocol/service_key.h"
#include "protocol/transaction.h"

namespace drover {

// One VRRP instance as it is now.
struct InstanceStatus {
  std::string name;
  std::string interface;
  std::uint8_t vrid = 0;
  int version = 3;
  std::string state;                // "initialize", "backup", "master", "fault"
  std::string reason;               // of the last transition
  std::string group;                // empty: none
  std::uint8_t priority = 0;        // as sent now
  std::uint8_t base_priority = 0;   // as configured
  std::optional<IpAddress> master;  // whom a backup hears
  std::chrono::milliseconds in_state_for{0};
  std::optional<std::chrono::milliseconds> last_heard;  // age of the last accepted advert
  std::chrono::milliseconds master_down{0};             // Active_Down_Interval now
  bool yielded = false;      // handed over on purpose; does not preempt until told
  bool awaits_sync = false;  // would preempt, but waits for the connection table
  bool preempts = false;     // hears a lower master and is about to replace it
  bool two_phase = false;    // speaks the old form until the run has settled
  std::vector<Prefix> addresses;
  std::string peer_checksum;  // "", "rfc9568", "pseudo_header", "pseudo_header_multicast"
  // "sent", "received", "transitions", "rivals", "checksum_mismatch", "repaired",
  // "refused_<reason>" (vrrp::Refusal); since the helper started.
  std::map<std::string, std::uint64_t> counters;
  bool operator==(const InstanceStatus&) const = default;
};

// One check of one real server.
struct CheckStatus {
  std::string kind;  // "tcp", "http", …
  bool up = false;
  bool decided = false;  // false: no verdict yet
  std::string reason;    // last failure in words
  std::chrono::microseconds latency{0};
  bool operator==(const CheckStatus&) const = default;
};

struct ServerStatus {
  Endpoint endpoint;
  Forwarding forward = Forwarding::kDr;
  bool up = true;            // true without checks
  std::uint32_t wanted = 0;  // weight by the playbook
  std::uint32_t weight = 0;  // weight as it should be now
  bool in_table = false;     // as the kernel has it
  std::uint32_t active = 0;  // connections
  std::uint32_t inactive = 0;
  std::uint32_t templates = 0;         // clients that persistence binds to it
  std::optional<Maintenance> drained;  // gets no new connections because somebody wants it so
  std::vector<CheckStatus> checks;
  bool operator==(const ServerStatus&) const = default;
};

struct ServiceStatus {
  ServiceKey service;
  std::string scheduler;
  bool watched = false;  // has checks
  bool has_quorum = true;
  bool sorry = false;             // the sorry server stands in
  std::uint64_t connections = 0;  // the kernel's count, at most 2 s old
  std::vector<ServerStatus> servers;
  bool operator==(const ServiceStatus&) const = default;
};

struct TrackerStatus {
  std::string name;
  bool up = false;
  bool decided = false;
  std::string reason;
  bool operator==(const TrackerStatus&) const = default;
};

// How much of a peer's connection table this node holds.
struct SyncPeerStatus {
  std::string peer;               // address
  std::uint64_t connections = 0;  // of the peer
  double held = 0;                // share of them that is here as well, 0 to 1
  std::chrono::milliseconds age{0};
  bool operator==(const SyncPeerStatus&) const = default;
};
struct SyncStatus {
  std::vector<std::string> roles;  // that the kernel runs: "master", "backup"
  std::uint64_t connections = 0;   // in this node's table
  std::vector<SyncPeerStatus> peers;
  bool operator==(const SyncStatus&) const = default;
};

// A line of the event log.
struct LoggedEvent {
  std::int64_t wall_us = 0;       // since 1970
  std::int64_t monotonic_us = 0;  // CLOCK_MONOTONIC of the node
  std::string kind;     // "vrrp", "check", "drift", "rival", "tracker", "sync", "daemon", …
  std::string subject;  // "vrrp_instance web"
  std::string text;
  bool operator==(const LoggedEvent&) const = default;
};

struct NodeStatus {
  std::string host;
  std::string version;
  std::int64_t pid = 0;
  std::chrono::milliseconds running_for{0};
  std::uint64_t repairs = 0;          // of drift, since it started
  std::vector<std::string> problems;  // what cannot be set now
  std::vector<InstanceStatus> instances;
  std::vector<ServiceStatus> services;
  std::vector<TrackerStatus> trackers;
  std::optional<SyncStatus> sync;
  std::vector<Maintenance> maintenance;  // all of it, also of hosts that no service has
  std::optional<LockHolder> holder;      // the run that has the node
  std::vector<LoggedEvent> events;       // the newest last, at most kMaxStatusEvents
  bool operator==(const NodeStatus&) const = default;
};

inline constexpr std::size_t kMaxStatusEvents = 50;

std::string EncodeNodeStatus(const NodeStatus& status, int indent = -1);
Result<NodeStatus> DecodeNodeStatus(std::string_view text);

}  // namespace drover
