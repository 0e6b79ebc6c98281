// A drill as a node sees it: it looks whether a fault may be injected, arms what will undo it,
// injects, undoes; and the prober's side of it, which runs all the while.
//
// How it goes: BeginTask on every node (the lock), DrillLookTask on every node (obstacles, and a
// snapshot), DrillArmTask on the target (journal on disk, guards running, nothing injected yet),
// ProbeRunTask on the prober, DrillInjectTask, and DrillUndoTask in the end. Without a Pulse of the
// orchestrator within the lease, and at the latest when the fault's duration is over, the node
// undoes the fault by itself, whatever process is still alive. Undoing twice does nothing.
//
// Values only; the JSON form is in codec.h.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/address.h"
#include "protocol/fault.h"
#include "protocol/probe_log.h"
#include "protocol/service_key.h"

namespace drover {

// The fault, with all that the node needs to know to inject and undo it alone.
struct FaultOrder {
  std::string drill_id;  // 1 to 64 of a-z 0-9 -; the same as the run's id
  Fault fault = Fault::kDirectorCrash;
  std::chrono::milliseconds duration{10'000};  // until it is undone: 100 ms to 1 h
  std::vector<std::string> interfaces;         // by which the VIPs are reached
  std::vector<std::string> instances;          // of VRRP
  std::vector<IpAddress> vips;
  std::vector<SocketKey> services;       // under test: VIP and port
  std::string unit;                      // real-server-stop: of the init system; empty: who listens
  std::uint32_t loss_ppm = 10'000;       // vrrp-loss: millionths of the adverts
  std::chrono::milliseconds delay{500};  // real-server-slow
  std::chrono::seconds jump{3600};       // clock-jump; negative: back
  bool may_cut_ssh = false;  // link-down: also when the orchestrator's way is the same link
  bool operator==(const FaultOrder&) const = default;
};

// Looks only: what is in the way of the fault here, and how the node is.
struct DrillLookTask {
  std::optional<FaultOrder> order;  // none: this node is no target
  bool operator==(const DrillLookTask&) const = default;
};

// Journal and guards; kFailed with the reason, and nothing left, when one of them cannot be had.
struct DrillArmTask {
  FaultOrder order;
  std::chrono::milliseconds lease{5000};  // 500 ms to 10 min
  bool operator==(const DrillArmTask&) const = default;
};

struct DrillInjectTask {
  std::string drill_id;
  std::optional<Endpoint> marker;  // gets a datagram in the moment of the injection: its text is
                                   // "DRILL_ID injected"
  bool operator==(const DrillInjectTask&) const = default;
};

struct DrillUndoTask {
  std::string drill_id;
  bool operator==(const DrillUndoTask&) const = default;
};

// What of a node a drill must leave as it was: addresses, links, routes, permanent neighbours, nft,
// qdiscs, sysctls, ip_vs (services, destinations, timeouts, daemons), processes of Drover, mounts
// nearly full. Sorted, without what changes by itself (lifetimes, counters, pids).
struct SnapshotSection {
  std::string name;  // "addresses"
  std::vector<std::string> lines;
  bool operator==(const SnapshotSection&) const = default;
};
struct NodeSnapshot {
  std::vector<SnapshotSection> sections;
  bool operator==(const NodeSnapshot&) const = default;
};
// "addresses: - 10.0.0.1/32 dev lo", "addresses: + …"; empty when they are equal.
std::vector<std::string> DifferencesOf(const NodeSnapshot& before, const NodeSnapshot& after);

// Answer to a look.
struct DrillGround {
  NodeSnapshot snapshot;
  std::vector<std::string> obstacles;  // each a sentence; empty: the fault may be injected here
  // What would undo it: "kernel" (its rules end by themselves), "guardian" and "watchman" (two
  // processes), "daemon", "systemd" (a timer).
  std::vector<std::string> guards;
  std::string no_drill;             // reason of the node's no-drill flag; empty: there is none
  std::vector<std::string> leftovers;  // ids of drills whose journal is still there
  std::int64_t clock_us = 0;           // wall clock of the node at the look, since 1970
  bool operator==(const DrillGround&) const = default;
};

// Answer to arm, inject and undo.
struct DrillState {
  std::string drill_id;
  std::vector<std::string> guards;  // armed now
  bool injected = false;
  bool undone = false;
  // "order", "kernel", "guardian", "watchman", "systemd", "boot"; the daemon starts guards anew.
  std::string undone_by;
  std::int64_t injected_us = 0;      // CLOCK_MONOTONIC of the node; 0: not yet
  std::int64_t undone_us = 0;        // likewise
  std::vector<std::string> residue;  // what could not be undone, each a sentence
  bool operator==(const DrillState&) const = default;
};

// --- the prober

// One series of probes (see ProbeKind).
struct ProbeRunSeries {
  std::string name;
  ProbeKind kind = ProbeKind::kPath;
  Endpoint target;
  std::optional<IpAddress> source;  // default: as the kernel routes
  // Between two probes of the series. Long-lived: each connection asks once in period *
  // connections.
  ProbeTime period{1000};
  ProbeTime deadline = std::chrono::milliseconds(250);
  // Answers are waited for so long, to tell late from lost; not less than the deadline.
  ProbeTime give_up{0};
  std::uint32_t connections = 1;  // long-lived: the population; path: sockets, used in turn
  // Of the page. Empty: a connection is answer enough (connect…); of a path series: not a datagram
  // to a responder, but a bare SYN to the target's TCP port, which SYN-ACK or reset answers, so
  // that the cluster needs nothing of ours. Such answers name neither real server nor MAC.
  std::string path = "/";
  bool operator==(const ProbeRunSeries&) const = default;
};

// Probes until its time is over or a Finish comes, tells its progress meanwhile.
struct ProbeRunTask {
  std::string prober;  // name of the vantage point
  std::vector<ProbeRunSeries> series;
  std::chrono::milliseconds duration{60'000};
  std::optional<Endpoint> markers;  // where the target's marker is taken
  // Who answers for these is asked every `owner_period` by ARP or neighbour discovery.
  std::vector<IpAddress> vips;
  std::chrono::milliseconds owner_period{100};
  bool capture = true;  // VRRP, ARP and neighbour discovery of the VIPs' interfaces, as pcap
  bool operator==(const ProbeRunTask&) const = default;
};

// What became of probes since the last report, by ProbeFate and series; and which MACs answered or
// announced a VIP since.
struct ProbeProgress {
  ProbeTime at{0};
  std::vector<std::array<std::uint64_t, 6>> fates;
  std::vector<MacAddress> owners;
  bool operator==(const ProbeProgress&) const = default;
};

struct SeriesLag {
  std::string series;
  std::uint64_t planned = 0;
  std::uint64_t unsent = 0;
  ProbeTime p50{0};
  ProbeTime p99{0};  // ProbeTime::max() when it falls on probes that were not sent
  ProbeTime max{0};
  bool operator==(const SeriesLag&) const = default;
};

// Answer to a ProbeRunTask. Times of the capture are wall time as log.header.started_wall_us has
// it: started_wall_us + (CLOCK_MONOTONIC - started_monotonic_us).
struct ProbeRunOutcome {
  std::string log;      // protocol/probe_log.h, bytes
  std::string capture;  // pcap (Ethernet, microseconds), bytes; empty: none was asked for
  std::vector<SeriesLag> lag;
  std::string void_reason;  // empty: the run was driven as planned
  bool operator==(const ProbeRunOutcome&) const = default;
};

// An order like Pulse, never answered: the task ends as soon as it can, with what it has.
struct Finish {
  std::uint32_t task = 0;
  bool operator==(const Finish&) const = default;
};

}  // namespace drover
