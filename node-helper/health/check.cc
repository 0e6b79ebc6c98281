#include "node-helper/health/check.h"

#include <algorithm>
#include <utility>

namespace drover::health {
namespace {

// splitmix64: spreads neighbouring seeds well; nothing here needs secrecy.
std::uint64_t NextRandom(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

Check::Check(const Timing& timing, std::uint64_t seed, Time now)
    : timing_(timing), random_(seed), up_(timing.initially_up) {
  // The first probes of many checks are spread over a whole interval, but none waits longer than a
  // second.
  const auto window = std::min(timing.interval, std::chrono::milliseconds(1000));
  const auto offset = static_cast<std::int64_t>(NextRandom(random_) %
                                                static_cast<std::uint64_t>(window.count() + 1));
  next_probe_ = now + std::chrono::milliseconds(offset);
}

void Check::ProbeStarted(Time now) {
  started_ = now;
  const bool fast = in_doubt() && timing_.fast_interval.count() > 0;
  next_probe_ = now + Spread(fast ? timing_.fast_interval : timing_.interval);
}

std::optional<Verdict> Check::ProbeEnded(const ProbeResult& result) {
  const bool was_in_doubt = in_doubt();
  auto verdict = Count(result);
  if (in_doubt() && !was_in_doubt && timing_.fast_interval.count() > 0) {
    next_probe_ = std::min(next_probe_, started_ + Spread(timing_.fast_interval));
  }
  return verdict;
}

std::optional<Verdict> Check::Count(const ProbeResult& result) {
  if (result.ok) {
    latency_ = result.latency;
  } else {
    last_failure_ = result.reason;
  }
  if (has_verdict_ && result.ok == up_) {
    run_ = 0;
    return std::nullopt;
  }
  // Before the first verdict one success is enough to say what was assumed, but a failure has to be
  // repeated: a server must not lose its connections because one probe at start went wrong.
  if (!has_verdict_ && result.ok == up_) {
    has_verdict_ = true;
    run_ = 0;
    return Verdict{up_, up_ ? "first answer" : result.reason};
  }
  if (++run_ < (result.ok ? timing_.rise : timing_.fall)) return std::nullopt;
  const int needed = std::exchange(run_, 0);
  up_ = result.ok;
  has_verdict_ = true;
  const std::string times = std::to_string(needed) + (needed == 1 ? " time" : " times in a row");
  return Verdict{up_, up_ ? "answered " + times : result.reason + ", " + times};
}

CheckMemory Check::Remember() const {
  return {up_, has_verdict_, run_, next_probe_, latency_, last_failure_};
}

void Check::Recall(const CheckMemory& memory, Time now) {
  up_ = memory.up;
  has_verdict_ = memory.has_verdict;
  run_ = std::max(memory.run, 0);
  if (memory.next_probe <= now + timing_.interval) next_probe_ = memory.next_probe;
  latency_ = memory.latency;
  last_failure_ = memory.last_failure;
}

std::chrono::milliseconds Check::Spread(std::chrono::milliseconds interval) {
  const std::int64_t width = interval.count() * timing_.jitter_percent / 100;
  if (width <= 0) return interval;
  const auto offset =
      static_cast<std::int64_t>(NextRandom(random_) % static_cast<std::uint64_t>(2 * width + 1));
  return interval + std::chrono::milliseconds(offset - width);
}

std::chrono::milliseconds Check::WorstDetection(const Timing& timing) {
  // Death right after a probe began; then `fall` probes, the first after a normal interval, each of
  // the others when the one before has timed out at the latest, the last one until its timeout.
  const auto doubt = timing.fast_interval.count() > 0
                         ? std::max(timing.fast_interval, timing.timeout)
                         : timing.interval;
  const auto plain = timing.interval + doubt * (timing.fall - 1) + timing.timeout;
  return plain + (plain - timing.timeout) * timing.jitter_percent / 100;
}

}  // namespace drover::health
