// What the probes of one series say about a fault: the outage, what became of the probes,
// brown-outs beside the outage, and when the last trace was gone. By these definitions, which
// reports print:
//
//   t_ok- = planned send time of the last success before, t_ok+ = planned send time of the first
//   success after which the success ratio over the next 100 probes is >= 99 %.
//   Outage G = t_ok+ - t_ok- - d (d: the period), true value in (G-d, G+d).
//   Lost = no answer within deadline; late = answered after deadline; error = refused/reset/5xx;
//   wrong = answered by an RS other than the connection's. Never merged.
//   Brown-out = windows (100 ms) with ratio < 99.9 % outside the contiguous outage.
//   Time to clean = last bad probe - injection.
//
// Pure. A success is a probe with fate ok; unsent ones say nothing and are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/probe_log.h"

namespace drover {

// The definitions above, word for word, one per line; for reports.
std::string_view OutageDefinitions();

inline constexpr std::size_t kRecoveryProbes = 100;
inline constexpr std::size_t kRecoverySuccesses = 99;
inline constexpr ProbeTime kBrownOutWindow = std::chrono::milliseconds(100);
inline constexpr int kBrownOutPerMille = 999;

// A sent probe.
struct ProbePoint {
  ProbeTime planned{0};
  bool ok = true;
};
// Of one series of the log, in the order of planning.
std::vector<ProbePoint> PointsOf(const ProbeLog& log, std::size_t series);

struct Outage {
  std::optional<ProbeTime> last_ok;  // t_ok-; none: no success before
  ProbeTime first_bad{0};
  ProbeTime last_bad{0};
  std::optional<ProbeTime> next_ok;  // t_ok+; none: not proven while it was probed
  ProbeTime period{0};
  std::uint64_t bad = 0;  // probes

  // G; none when an end is unknown.
  [[nodiscard]] std::optional<ProbeTime> gap() const;
  // G, or what it is at least when an end is unknown.
  [[nodiscard]] ProbeTime at_least() const;
  bool operator==(const Outage&) const = default;
};

// All outages whose first bad probe was planned at `from` or later, in order. The contiguous outage
// of a fault is the longest of them. `points` in order, `period` is d.
std::vector<Outage> FindOutages(const std::vector<ProbePoint>& points, ProbeTime period,
                                ProbeTime from);
// The one with the greatest at_least(); nothing for none.
std::optional<Outage> LongestOf(const std::vector<Outage>& outages);

// What became of the probes that were planned from `from` (inclusive) to `to` (exclusive).
struct ProbeTally {
  std::uint64_t ok = 0;
  std::uint64_t lost = 0;
  std::uint64_t late = 0;
  std::uint64_t error = 0;
  std::uint64_t wrong = 0;
  std::uint64_t unsent = 0;

  [[nodiscard]] std::uint64_t sent() const { return ok + lost + late + error + wrong; }
  [[nodiscard]] std::uint64_t bad() const { return sent() - ok; }
  bool operator==(const ProbeTally&) const = default;
};
ProbeTally TallyOf(const ProbeLog& log, std::size_t series, ProbeTime from, ProbeTime to);

// One window that was not clean.
struct BrownOut {
  ProbeTime from{0};
  std::uint64_t ok = 0;
  std::uint64_t sent = 0;
  bool operator==(const BrownOut&) const = default;
};
// Windows counted from the first probe; probes between t_ok- and t_ok+ of `outage` (null: none)
// take no part.
std::vector<BrownOut> FindBrownOuts(const std::vector<ProbePoint>& points, const Outage* outage);

// 0 when no probe that was planned since the injection is bad.
ProbeTime TimeToClean(const std::vector<ProbePoint>& points, ProbeTime injection);

}  // namespace drover
