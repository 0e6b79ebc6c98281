#include "orchestrator/drill/timing.h"

#include <algorithm>

namespace drover {
namespace {

constexpr double kPriorities = 256;
constexpr double kEntriesPerBuffer = 40;
constexpr Milliseconds kQueueWakeUp{20};
constexpr Milliseconds kOldestBuffer{3000};

// From a change until `results` probes in a row have shown it: it came right after a probe began;
// the first of the run is a normal interval away, the last one takes until its timeout.
Milliseconds WorstRun(const CheckSettings& check, int results) {
  const auto doubt = check.fast_interval.count() > 0 ? check.fast_interval : check.interval;
  const Milliseconds waiting = check.interval + doubt * (results - 1);
  return waiting * (1 + check.jitter_percent / 100.0) + check.timeout;
}

}  // namespace

VrrpTimers TimersOf(const VrrpInstance& master, const VrrpInstance& backup) {
  VrrpTimers timers;
  timers.down_adverts = backup.down_adverts;
  timers.skew_fraction = (kPriorities - backup.priority) / kPriorities;
  if (backup.version == 2) {
    timers.interval = backup.advert_interval;
    timers.skew = Milliseconds(std::chrono::seconds(1)) * timers.skew_fraction;
  } else {
    timers.interval = master.advert_interval;
    timers.skew = timers.interval * timers.skew_fraction;
  }
  return timers;
}

Milliseconds FirstRepetitionAfter(Milliseconds gap, Milliseconds first) {
  if (gap.count() <= 0 || first.count() <= 0) return Milliseconds(0);
  Milliseconds at = first;
  for (Milliseconds step = first * 2; at < gap; step *= 2) at += step;
  return at;
}

Milliseconds WorstDetection(const CheckSettings& check) { return WorstRun(check, check.fall); }

Milliseconds WorstReturn(const CheckSettings& check) { return WorstRun(check, check.rise); }

Milliseconds SyncLag(double rate) {
  if (rate <= 0) return kOldestBuffer;
  const Milliseconds full =
      Milliseconds(std::chrono::seconds(1)) * (kEntriesPerBuffer / rate) + kQueueWakeUp;
  return std::min(kOldestBuffer, full);
}

}  // namespace drover
