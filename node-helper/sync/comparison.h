// Compares this node's connection table with what the peers report of theirs: how much of each
// peer's table is here as well.
//
// Pure: passes over the table and datagrams come in, with the time; reading, sending and waiting
// are left to node-helper/daemon/sync_meter.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "node-helper/sync/connection.h"
#include "node-helper/sync/report.h"
#include "node-helper/sync/sketch.h"
#include "protocol/address.h"
#include "protocol/node_status.h"

namespace drover {

class TableComparison {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `node` and `sync_id` go into this node's own reports.
  TableComparison(std::uint64_t node, std::uint8_t sync_id) : node_(node), sync_id_(sync_id) {}

  // A pass over the table: begin, every entry, end. What peers report meanwhile is compared in the
  // next pass: a connection that is in the report of a peer must be given the chance to be met.
  void BeginPass(Time now);
  void Meet(const Connection& connection);
  void EndPass();
  // What was seen in the last whole pass, to be sent.
  [[nodiscard]] TableReport OwnReport(std::chrono::milliseconds every) const;

  // A report from `source`. One of our own that came back is dropped, and so is a new peer while
  // kMaxPeers others are heard.
  void Hear(const IpAddress& source, const TableReport& report, Time now);

  // The number of entries here and every peer that is heard, with the share of its settled
  // connections that is here; peers without a verdict yet are left out. `roles` stay empty.
  [[nodiscard]] SyncStatus StatusAt(Time now) const;
  // True when at least one peer is heard and of each one at least `threshold` (0 to 1) is here.
  // False while nothing is known.
  [[nodiscard]] bool ConvergedAt(double threshold, Time now) const;

 private:
  struct Peer {
    TableReport report;
    Time heard;
    std::optional<double> held;  // of an earlier report, when this one was not compared yet
    Time compared;               // when the report behind `held` was heard
  };
  struct PastPass {
    Time begun;
    std::vector<std::uint64_t> sample;
  };
  struct Pass {
    Time begun;
    Sketch sketch;
    ClassCounts counts;
    Search search;
    std::map<IpAddress, TableReport> compared;
    std::map<IpAddress, Time> heard;
  };

  [[nodiscard]] bool IsHeard(const Peer& peer, Time now) const;

  std::uint64_t node_;
  std::uint8_t sync_id_;
  std::optional<Pass> pass_;
  std::deque<PastPass> past_;  // newest last
  ClassCounts counts_;         // of the last whole pass
  std::map<IpAddress, Peer> peers_;
};

inline constexpr std::size_t kMaxPeers = 16;
// ip_vs sends an entry 3 s after its connection was established at the latest (IPVS_SYNC_FLUSH_TIME
// 2 s, and an idle sender wakes up once a second); a second more for the way.
inline constexpr std::chrono::milliseconds kSettleTime{4000};

}  // namespace drover
