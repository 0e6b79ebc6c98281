#include "node-helper/drill/probe_book.h"

#include <algorithm>

namespace drover {

ProbeBook::ProbeBook(std::uint8_t series, const ProbeSeries& settings, ProbeTime give_up,
                     ProbeLogWriter& log)
    : series_(series),
      deadline_(settings.deadline),
      give_up_(std::max(give_up, settings.deadline)),
      log_(log) {}

std::uint64_t ProbeBook::Begin(ProbeTime planned, ProbeTime now, std::uint32_t tag) {
  Probe probe{.tag = tag};
  probe.record.series = series_;
  probe.record.planned = planned;
  probe.record.sent = std::max(planned, now);
  lag_.Add(probe.record.lag());
  probes_.push_back(probe);
  return first_ + probes_.size() - 1;
}

void ProbeBook::Unsent(ProbeTime planned) {
  Probe probe;
  probe.record.series = series_;
  probe.record.planned = planned;
  probe.record.sent = planned;
  lag_.AddUnsent();
  probes_.push_back(probe);
  Decide(probes_.back(), ProbeFate::kUnsent);
  Flush();
}

void ProbeBook::SetFlow(std::uint64_t id, std::uint32_t stream, std::uint16_t local_port) {
  if (Probe* probe = Find(id); probe != nullptr) {
    probe->record.stream = stream;
    probe->record.local_port = local_port;
  }
}

void ProbeBook::Answered(std::uint64_t id, ProbeTime now, std::uint16_t responder,
                         std::uint16_t mac, bool wrong) {
  Probe* probe = Find(id);
  if (probe == nullptr || probe->decided) return;
  ProbeRecord& record = probe->record;
  record.answered = std::max(record.sent, now);
  record.responder = responder;
  record.mac = mac;
  const bool late = *record.latency() > deadline_;
  Decide(*probe, wrong ? ProbeFate::kWrong : (late ? ProbeFate::kLate : ProbeFate::kOk));
  Flush();
}

void ProbeBook::Failed(std::uint64_t id, ProbeTime now, ProbeError error, std::uint16_t responder,
                       std::uint16_t mac) {
  Probe* probe = Find(id);
  if (probe == nullptr || probe->decided) return;
  ProbeRecord& record = probe->record;
  record.answered = std::max(record.sent, now);
  record.error = error;
  record.responder = responder;
  record.mac = mac;
  Decide(*probe, ProbeFate::kError);
  Flush();
}

void ProbeBook::Expire(ProbeTime now,
                       const std::function<void(std::uint64_t, std::uint32_t)>& gone) {
  while (NextExpiry() <= now) {
    Probe& probe = probes_[undecided_ - first_];
    const std::uint64_t id = undecided_;
    const std::uint32_t tag = probe.tag;
    Decide(probe, ProbeFate::kLost);
    Flush();
    gone(id, tag);
  }
}

bool ProbeBook::IsPending(std::uint64_t id) const {
  return id >= first_ && id - first_ < probes_.size() && !probes_[id - first_].decided;
}

ProbeTime ProbeBook::NextExpiry() const {
  if (undecided_ - first_ >= probes_.size()) return ProbeTime::max();
  return probes_[undecided_ - first_].record.planned + give_up_;
}

std::array<std::uint64_t, ProbeBook::kFates> ProbeBook::TakeTally() {
  std::array<std::uint64_t, kFates> tally{};
  std::swap(tally, tally_);
  return tally;
}

ProbeBook::Probe* ProbeBook::Find(std::uint64_t id) {
  if (id < first_ || id - first_ >= probes_.size()) return nullptr;
  return &probes_[id - first_];
}

void ProbeBook::Decide(Probe& probe, ProbeFate fate) {
  probe.decided = true;
  probe.record.fate = fate;
  ++tally_[static_cast<std::size_t>(fate)];
}

// The log is kept in the order of planning, so a finished probe waits for those before it.
void ProbeBook::Flush() {
  while (!probes_.empty() && probes_.front().decided) {
    // Only a log beyond its limits refuses a record; what it holds stays good.
    (void)log_.Add(probes_.front().record);
    probes_.pop_front();
    ++first_;
  }
  undecided_ = std::max(undecided_, first_);
  while (undecided_ - first_ < probes_.size() && probes_[undecided_ - first_].decided) ++undecided_;
}

}  // namespace drover
