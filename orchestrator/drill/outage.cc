#include "orchestrator/drill/outage.h"

#include <algorithm>

namespace drover {
namespace {

// successes[i]: of the first i points.
std::vector<std::uint64_t> CountSuccesses(const std::vector<ProbePoint>& points) {
  std::vector<std::uint64_t> successes(points.size() + 1, 0);
  for (std::size_t i = 0; i < points.size(); ++i) {
    successes[i + 1] = successes[i] + (points[i].ok ? 1 : 0);
  }
  return successes;
}

// The first point from `at` on that begins a recovery; points.size() when there is none.
std::size_t FindRecovery(const std::vector<ProbePoint>& points,
                         const std::vector<std::uint64_t>& successes, std::size_t at) {
  for (; at + kRecoveryProbes < points.size(); ++at) {
    const std::uint64_t next = successes[at + 1 + kRecoveryProbes] - successes[at + 1];
    if (points[at].ok && next >= kRecoverySuccesses) return at;
  }
  return points.size();
}

std::optional<ProbeTime> LastSuccessBefore(const std::vector<ProbePoint>& points, std::size_t at) {
  while (at > 0) {
    --at;
    if (points[at].ok) return points[at].planned;
  }
  return std::nullopt;
}

}  // namespace

std::string_view OutageDefinitions() {
  return "t_ok- = planned send time of the last success before, t_ok+ = planned send time of the "
         "first success after which the success ratio over the next 100 probes is >= 99 %. "
         "Outage G = t_ok+ - t_ok- - d (d: probe period), true value in (G-d, G+d).\n"
         "Lost = no answer within deadline; late = answered after deadline; error = "
         "refused/reset/5xx; wrong = answered by a real server other than the connection's. Never "
         "merged.\n"
         "Brown-out = windows (100 ms) with ratio < 99.9 % outside the contiguous outage.\n"
         "Time to clean = last bad probe - injection.\n";
}

std::vector<ProbePoint> PointsOf(const ProbeLog& log, std::size_t series) {
  std::vector<ProbePoint> points;
  for (const ProbeRecord& record : log.records) {
    if (record.series != series || record.fate == ProbeFate::kUnsent) continue;
    points.push_back({record.planned, record.fate == ProbeFate::kOk});
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const ProbePoint& a, const ProbePoint& b) { return a.planned < b.planned; });
  return points;
}

std::optional<ProbeTime> Outage::gap() const {
  if (!last_ok || !next_ok) return std::nullopt;
  return std::max(ProbeTime(0), *next_ok - *last_ok - period);
}

ProbeTime Outage::at_least() const {
  if (const auto whole = gap()) return *whole;
  if (last_ok) return last_bad - *last_ok;
  if (next_ok) return *next_ok - first_bad;
  return last_bad - first_bad + period;
}

std::vector<Outage> FindOutages(const std::vector<ProbePoint>& points, ProbeTime period,
                                ProbeTime from) {
  const std::vector<std::uint64_t> successes = CountSuccesses(points);
  std::vector<Outage> outages;
  for (std::size_t at = 0; at < points.size(); ++at) {
    if (points[at].ok || points[at].planned < from) continue;
    const std::size_t recovery = FindRecovery(points, successes, at);
    Outage outage{.last_ok = LastSuccessBefore(points, at),
                  .first_bad = points[at].planned,
                  .period = period};
    if (recovery < points.size()) outage.next_ok = points[recovery].planned;
    outage.bad = (recovery - at) - (successes[recovery] - successes[at]);
    std::size_t last = recovery;
    do {
      --last;
    } while (points[last].ok);
    outage.last_bad = points[last].planned;
    outages.push_back(outage);
    at = recovery;
  }
  return outages;
}

std::optional<Outage> LongestOf(const std::vector<Outage>& outages) {
  const auto longest = std::max_element(
      outages.begin(), outages.end(),
      [](const Outage& a, const Outage& b) { return a.at_least() < b.at_least(); });
  if (longest == outages.end()) return std::nullopt;
  return *longest;
}

ProbeTally TallyOf(const ProbeLog& log, std::size_t series, ProbeTime from, ProbeTime to) {
  ProbeTally tally;
  for (const ProbeRecord& record : log.records) {
    if (record.series != series || record.planned < from || record.planned >= to) continue;
    switch (record.fate) {
      case ProbeFate::kOk:
        ++tally.ok;
        break;
      case ProbeFate::kLost:
        ++tally.lost;
        break;
      case ProbeFate::kLate:
        ++tally.late;
        break;
      case ProbeFate::kError:
        ++tally.error;
        break;
      case ProbeFate::kWrong:
        ++tally.wrong;
        break;
      case ProbeFate::kUnsent:
        ++tally.unsent;
        break;
    }
  }
  return tally;
}

std::vector<BrownOut> FindBrownOuts(const std::vector<ProbePoint>& points, const Outage* outage) {
  const auto inside = [&](ProbeTime planned) {
    return outage != nullptr && (!outage->last_ok || planned > *outage->last_ok) &&
           (!outage->next_ok || planned < *outage->next_ok);
  };
  std::vector<BrownOut> found;
  std::optional<BrownOut> window;
  const auto close = [&] {
    if (window && window->ok * 1000 < window->sent * kBrownOutPerMille) found.push_back(*window);
  };
  for (const ProbePoint& point : points) {
    if (inside(point.planned)) continue;
    const ProbeTime first = points.front().planned;
    const ProbeTime from = first + (point.planned - first) / kBrownOutWindow * kBrownOutWindow;
    if (!window || window->from != from) {
      close();
      window = BrownOut{.from = from};
    }
    ++window->sent;
    window->ok += point.ok ? 1 : 0;
  }
  close();
  return found;
}

ProbeTime TimeToClean(const std::vector<ProbePoint>& points, ProbeTime injection) {
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    if (point->planned < injection) break;
    if (!point->ok) return point->planned - injection;
  }
  return ProbeTime(0);
}

}  // namespace drover
