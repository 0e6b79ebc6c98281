// The books of one series while it runs: which probes are on their way, what became of them, and
// the finished ones to the log in the order of planning.
//
// Pure: times are given. Memory is bounded by how long an answer is waited for.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "node-helper/drill/lag_histogram.h"
#include "protocol/probe_log.h"

namespace drover {

class ProbeBook {
 public:
  // Answers are waited for until `give_up` after the planned time, not less than the deadline.
  // `log` must outlive the book.
  ProbeBook(std::uint8_t series, const ProbeSeries& settings, ProbeTime give_up,
            ProbeLogWriter& log);

  // The number that the next probe gets.
  [[nodiscard]] std::uint64_t next_id() const { return first_ + probes_.size(); }
  // A probe goes out now; the answer is its number. `tag` comes back when it is given up.
  std::uint64_t Begin(ProbeTime planned, ProbeTime now, std::uint32_t tag);
  // One that could not be sent.
  void Unsent(ProbeTime planned);
  void SetFlow(std::uint64_t id, std::uint32_t stream, std::uint16_t local_port);

  // What became of a probe; the first word about it counts, later ones mean nothing. An answer
  // after the deadline is late; `wrong`: by another real server than the connection's.
  void Answered(std::uint64_t id, ProbeTime now, std::uint16_t responder, std::uint16_t mac,
                bool wrong = false);
  void Failed(std::uint64_t id, ProbeTime now, ProbeError error, std::uint16_t responder = 0,
              std::uint16_t mac = 0);
  // Those that are waited for no longer are lost; `gone` is told of each.
  void Expire(ProbeTime now, const std::function<void(std::uint64_t, std::uint32_t)>& gone);
  [[nodiscard]] bool IsPending(std::uint64_t id) const;
  // When Expire has something to do; ProbeTime::max() for never.
  [[nodiscard]] ProbeTime NextExpiry() const;
  [[nodiscard]] std::size_t pending() const { return probes_.size(); }

  // Fates since the last call, by ProbeFate.
  static constexpr std::size_t kFates = 6;
  std::array<std::uint64_t, kFates> TakeTally();
  [[nodiscard]] const LagHistogram& lag() const { return lag_; }

 private:
  struct Probe {
    ProbeRecord record;
    std::uint32_t tag = 0;
    bool decided = false;
  };
  [[nodiscard]] Probe* Find(std::uint64_t id);
  void Decide(Probe& probe, ProbeFate fate);
  void Flush();

  std::uint8_t series_;
  ProbeTime deadline_;
  ProbeTime give_up_;
  ProbeLogWriter& log_;
  std::deque<Probe> probes_;  // numbered from first_
  std::uint64_t first_ = 0;
  std::uint64_t undecided_ = 0;  // number of the first that may be undecided
  std::array<std::uint64_t, kFates> tally_{};
  LagHistogram lag_;
};

}  // namespace drover
