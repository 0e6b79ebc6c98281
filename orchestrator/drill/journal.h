// The journal of a drill: what was to be done, what was predicted, what happened when, and what was
// judged. With the raw evidence beside it in the drill's folder everything in a report can be
// worked out from it again.
//
//   journal.json    this, written anew at every step of the drill (EncodeJournal)
//   probe.dplg      the prober's log (protocol/probe_log.h)
//   capture.pcap    VRRP, ARP and neighbour discovery as the prober saw them
//   snapshots.json  of every node, before and after
//   junit.xml, report.html
//
// Values only. All times of the drill are the prober's (ProbeTime since the start of its log)
// unless their name says otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/drill/prediction.h"
#include "orchestrator/drill/redundancy.h"
#include "orchestrator/drill/verdict.h"
#include "protocol/drill.h"

namespace drover {

inline constexpr int kJournalVersion = 1;

enum class DrillPhase : std::uint8_t {
  kPlanned,   // nothing was touched
  kGated,     // gates are green, nodes are locked
  kArmed,     // guards run
  kInjected,  // the fault is there
  kUndone,    // the node said so
  kJudged,
};
std::string_view ToString(DrillPhase phase);  // "planned", "gated", "armed", …
Result<DrillPhase> ParseDrillPhase(std::string_view word);

// One look before the drill.
struct Gate {
  std::string name;  // "peer healthy", "rules equal", "sync converged", "no drift", …
  bool green = false;
  std::string text;    // what was seen
  std::string forced;  // why it was gone through although it is red; empty: it was not
  bool operator==(const Gate&) const = default;
};

// Something that happened, for the timeline.
struct DrillMoment {
  ProbeTime at{0};
  std::string host;  // empty: the drill itself
  std::string what;  // "injected", "backup -> master: no advert", "undone by the kernel", …
  // Of the node's event log: "vrrp", "check", "drift", "rival", "sync", …; empty: of the drill.
  std::string kind;
  std::string subject;  // likewise: "vrrp_instance web"
  bool operator==(const DrillMoment&) const = default;
};

struct DrillJournal {
  int version = kJournalVersion;
  std::string drover_version;
  std::string id;  // "20261121-120000-director-crash-1a2b"; also the folder's name
  DrillPhase phase = DrillPhase::kPlanned;
  FaultSettings settings;
  std::string playbook;
  std::string inventory;
  std::string user;
  std::string control_host;
  std::string trigger;             // "by hand", "task of the playbook", "schedule NAME"
  std::string target;              // host that the fault is injected into
  std::string peer;                // director that should take over, or empty
  std::string prober;              // host that probes
  std::string instance;            // of VRRP, that has the VIP
  std::vector<std::string> nodes;  // hosts that were locked: where something could be left
  std::string service;             // under test: "tcp 10.77.0.100:80"
  IpAddress vip;
  std::int64_t started_us = 0;   // wall clock of the control host, since 1970
  std::int64_t finished_us = 0;  // 0: not yet
  ClusterFacts cluster;
  ProbeFacts probes;
  Prediction prediction;  // its fault is the drill's
  std::vector<Gate> gates;
  std::vector<DrillMoment> moments;   // in order
  std::optional<ProbeTime> injected;  // on the prober's clock, by the marker
  std::optional<ProbeTime> undone;
  std::string undone_by;
  std::map<std::string, MacAddress> macs;  // of the hosts, to name who is seen
  std::vector<RedundancySample> redundancy;
  std::vector<SeriesLag> lag;
  std::vector<Measurement> measured;
  DrillFacts facts;
  DrillVerdict verdict;
};

// One JSON document, indented; without secrets. Decoding validates as codecs do.
std::string EncodeJournal(const DrillJournal& journal);
Result<DrillJournal> DecodeJournal(std::string_view text);

// snapshots.json: of every host, before and after; a host that was not looked at after the drill
// has no second one.
struct SnapshotPair {
  NodeSnapshot before;
  std::optional<NodeSnapshot> after;
  bool operator==(const SnapshotPair&) const = default;
};
using DrillSnapshots = std::map<std::string, SnapshotPair>;
std::string EncodeSnapshots(const DrillSnapshots& snapshots);
Result<DrillSnapshots> DecodeSnapshots(std::string_view text);

}  // namespace drover
