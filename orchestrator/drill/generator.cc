#include "orchestrator/drill/generator.h"

#include <algorithm>
#include <vector>

namespace drover {
namespace {

// Nearest rank: the smallest value that so many of a hundred do not exceed.
std::size_t RankOf(std::size_t count, std::size_t percent) {
  return std::max<std::size_t>(1, (count * percent + 99) / 100);
}

std::string Text(ProbeTime time) { return std::to_string(time.count()) + " us"; }

}  // namespace

GeneratorLag LagOf(const ProbeLog& log, std::size_t series) {
  GeneratorLag lag;
  std::vector<ProbeTime> lags;
  for (const ProbeRecord& record : log.records) {
    if (record.series != series) continue;
    ++lag.planned;
    if (record.fate == ProbeFate::kUnsent) {
      ++lag.unsent;
    } else {
      lags.push_back(record.lag());
    }
  }
  const ProbeSeries& settings = log.header.series.at(series);
  if (lag.planned == 0) {
    lag.is_void = true;
    lag.reason = "series " + settings.name + ": no probe was planned";
    return lag;
  }
  std::sort(lags.begin(), lags.end());
  const auto at = [&](std::size_t percent) {
    const std::size_t rank = RankOf(lag.planned, percent);
    return rank <= lags.size() ? lags[rank - 1] : ProbeTime::max();
  };
  lag.max = lags.empty() ? ProbeTime(0) : lags.back();
  lag.p50 = std::min(at(50), lag.max);
  lag.p99_unsent = at(99) == ProbeTime::max();
  lag.p99 = std::min(at(99), lag.max);
  const ProbeTime limit = settings.period / kVoidLagDivisor;
  if (lag.p99_unsent) {
    lag.reason = "series " + settings.name + ": the prober did not send " +
                 std::to_string(lag.unsent) + " of " + std::to_string(lag.planned) + " probes";
  } else if (lag.p99 > limit) {
    lag.reason = "series " + settings.name + ": the prober was " + Text(lag.p99) +
                 " late at the 99th percentile, more than half its period (" + Text(limit) + ")";
  }
  lag.is_void = !lag.reason.empty();
  return lag;
}

}  // namespace drover
