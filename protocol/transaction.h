// A run as one transaction on a node: the node is locked for the run, promises before its first
// change to go back by itself, and is confirmed or taken back at the end. Also the generations that
// confirmed runs leave, and hosts under maintenance.
//
// How it goes: BeginTask on every node before anything else, then programs, whose first change arms
// the dead-man timer; from then on the node goes back unless the orchestrator says something
// (a program or a Pulse) within the lease, and ConfirmTask in the end, over a session that began
// after the node's last change. Practice: Junos "commit confirmed", deploy-rs' magic rollback.
//
// Values only; the JSON form is in codec.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/address.h"

namespace drover {

// Who runs what: kept on the node with the generation and named in the lock.
struct RunInfo {
  std::string run_id;         // unique per run of drover; also the id of its lock
  std::string owner;          // whose desired state this is: the playbook (see OwnerOfPlaybook)
  std::string playbook;       // path as typed
  std::string playbook_hash;  // sha256 of all that the playbook was read from
  std::string user;
  std::string control_host;
  std::int64_t pid = 0;
  std::string command;  // what was typed: "rollout", "add rs4", "rollback --to 3"
  std::uint64_t generation =
      0;  // number that the run's changes get in its group; 0: the node's next
  bool operator==(const RunInfo&) const = default;
};

// Takes the node for the run `RunInfo::run_id`, or renews what the run has already. Nothing is
// changed, and no timer runs, before the first change. In check mode it only looks.
struct BeginTask {
  // How long the node waits for a word of the orchestrator, for lock and timer: 1 s to 1 h.
  std::chrono::milliseconds lease{30000};
  bool revert = true;           // false (--no-rollback): no timer, changes stay as they are
  std::string take_over;        // id of the lock of a run that died; empty: none is taken over
  std::string expected_digest;  // of a plan: another digest of the node is refused; empty: any
  bool operator==(const BeginTask&) const = default;
};

// Makes what the run changed the node's new generation, and ends the transaction. Refused
// (kInvalid) in a session that began before the last change.
struct ConfirmTask {
  bool operator==(const ConfirmTask&) const = default;
};
// Goes back to what the node was before the run, and ends the transaction.
struct RevertTask {
  std::string reason;  // for the event log of the node
  bool operator==(const RevertTask&) const = default;
};
// Ends a transaction in which nothing was changed. kInvalid when something was.
struct ReleaseTask {
  bool operator==(const ReleaseTask&) const = default;
};
// Takes a lock away from a run, by its id. An armed timer is not touched: the node goes back.
struct UnlockTask {
  std::string lock_id;
  bool operator==(const UnlockTask&) const = default;
};
// Makes the newest generation that is not newer than `generation` the desired state again. A node
// whose first generation is newer had nothing then, and has nothing afterwards. kNotFound: it is
// too old and no longer kept.
struct RestoreTask {
  std::uint64_t generation = 0;
  bool operator==(const RestoreTask&) const = default;
};
// Lists what the node keeps; the result carries a GenerationList.
struct GenerationsTask {
  bool operator==(const GenerationsTask&) const = default;
};

// A host that gets no new connections though the playbook gives it a weight.
struct Maintenance {
  std::string host;  // inventory name
  // Of its destinations, on every service. None: the host is this node, whose VRRP instances hand
  // over and stay backup as long as somebody else is there.
  std::vector<IpAddress> addresses;
  std::string reason;  // "maintenance", "add", "remove"
  std::string user;    // who asked for it, from where
  std::string control_host;
  std::int64_t since = 0;  // seconds since 1970
  bool operator==(const Maintenance&) const = default;
};
// Puts a host of this director's services under maintenance, or takes it out (matched by name).
struct MaintenanceTask {
  bool on = true;
  Maintenance maintenance;
  bool operator==(const MaintenanceTask&) const = default;
};

// Who holds the lock of a node, and until when if nothing is heard of him.
struct LockHolder {
  RunInfo run;
  std::int64_t since = 0;  // seconds since 1970, by the node's clock
  std::chrono::milliseconds expires_in{0};
  bool armed = false;  // the node goes back at that moment
  bool operator==(const LockHolder&) const = default;
};

// "the run of ann on ctl (rollout) changes it: goes back in 12 s unless it is confirmed".
std::string Summary(const LockHolder& holder);

// What a node says when a run begins: where the run stands, or who is in the way.
struct NodeGround {
  std::uint64_t generation = 0;  // the newest of this owner; 0: none
  std::string digest;            // of record and kernel state, as far as a plan depends on them
  bool armed = false;       // changes of this run (or of the one taken over) await a ConfirmTask
  std::string adopted_run;  // the run that was taken over with its changes
  std::vector<std::string> masters;  // VRRP instances that are master here
  std::optional<LockHolder> holder;  // of another run: the result is kFailed then
  bool operator==(const NodeGround&) const = default;
};

// A confirmed state that a node keeps.
struct GenerationInfo {
  std::uint64_t number = 0;
  std::int64_t saved_at = 0;  // seconds since 1970
  RunInfo run;
  bool current = false;
  bool operator==(const GenerationInfo&) const = default;
};
// The newest first.
struct GenerationList {
  std::vector<GenerationInfo> generations;
  std::optional<LockHolder> holder;
  bool operator==(const GenerationList&) const = default;
};

// A word of life from the orchestrator while a task is at work or others are waited for: renews
// lock and timer of the run. Sent between programs or in the middle of one, never answered.
struct Pulse {
  std::string run_id;
  bool operator==(const Pulse&) const = default;
};

inline constexpr std::size_t kKeptGenerations = 10;

}  // namespace drover
