#include "node-helper/sync/comparison.h"

#include <algorithm>

namespace drover {
namespace {

// More than a report holds, because some of them will not have been there kSettleTime ago.
constexpr std::size_t kOwnSample = 300;
constexpr std::chrono::milliseconds kGrace{5000};

}  // namespace

bool TableComparison::IsHeard(const Peer& peer, Time now) const {
  return now - peer.heard <= 3 * peer.report.every + kGrace;
}

void TableComparison::BeginPass(Time now) {
  std::erase_if(peers_, [&](const auto& entry) { return !IsHeard(entry.second, now); });
  Pass pass{now, Sketch(kOwnSample), {}, {}, {}, {}};
  std::vector<std::vector<std::uint64_t>> samples;
  for (const auto& [address, peer] : peers_) {
    if (!peer.report.settled) continue;
    samples.push_back(peer.report.sample);
    pass.compared[address] = peer.report;
    pass.heard[address] = peer.heard;
  }
  pass.search = Search(samples);
  pass_ = std::move(pass);
}

void TableComparison::Meet(const Connection& connection) {
  if (!pass_) return;
  pass_->counts.Add(connection.kind);
  const std::uint64_t fingerprint = Fingerprint(connection);
  // A connection that is closing here may have been open when the peer looked.
  pass_->search.Meet(fingerprint);
  if (MattersForHandover(connection.kind)) pass_->sketch.Add(fingerprint);
}

void TableComparison::EndPass() {
  if (!pass_) return;
  for (const auto& [address, report] : pass_->compared) {
    const auto peer = peers_.find(address);
    if (peer == peers_.end() || peer->second.report.node != report.node) continue;
    peer->second.held = pass_->search.ShareOf(report.sample);
    peer->second.compared = pass_->heard[address];
  }
  counts_ = pass_->counts;
  past_.push_back({pass_->begun, pass_->sketch.sample()});
  pass_.reset();
  // One that is old enough is kept, for it tells what has settled.
  while (past_.size() > 2 && past_.back().begun - past_[1].begun >= kSettleTime) past_.pop_front();
}

TableReport TableComparison::OwnReport(std::chrono::milliseconds every) const {
  TableReport report;
  report.node = node_;
  report.sync_id = sync_id_;
  report.every = every;
  report.counts = counts_;
  if (past_.empty()) return report;
  const PastPass& last = past_.back();
  const PastPass& first = past_.front();
  report.settled = last.begun - first.begun >= kSettleTime;
  if (report.settled) report.sample = InBoth(first.sample, last.sample, kMaxSample);
  return report;
}

void TableComparison::Hear(const IpAddress& source, const TableReport& report, Time now) {
  if (report.node == node_) return;
  const auto known = peers_.find(source);
  if (known == peers_.end()) {
    std::erase_if(peers_, [&](const auto& entry) { return !IsHeard(entry.second, now); });
    if (peers_.size() < kMaxPeers) peers_[source] = Peer{report, now, {}, now};
    return;
  }
  // A peer that has started anew has another table.
  if (known->second.report.node != report.node) known->second.held.reset();
  known->second.report = report;
  known->second.heard = now;
}

SyncStatus TableComparison::StatusAt(Time now) const {
  SyncStatus status;
  status.connections = counts_.total();
  for (const auto& [address, peer] : peers_) {
    if (!peer.held || !IsHeard(peer, now)) continue;
    status.peers.push_back(
        {address.ToString(), peer.report.counts.total(), *peer.held,
         std::chrono::duration_cast<std::chrono::milliseconds>(now - peer.compared)});
  }
  return status;
}

bool TableComparison::ConvergedAt(double threshold, Time now) const {
  bool any = false;
  for (const auto& [address, peer] : peers_) {
    if (!IsHeard(peer, now)) continue;
    if (!peer.held || !peer.report.settled || *peer.held < threshold) return false;
    any = true;
  }
  return any;
}

}  // namespace drover
