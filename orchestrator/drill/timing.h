// The laws of time that a prediction is made of: VRRP, TCP's repetitions, health checks, connection
// sync.
//
// Pure. Milliseconds as floating point numbers, because a skew is a fraction of one.
#pragma once

#include <optional>

#include "protocol/check_settings.h"
#include "protocol/vrrp_settings.h"

namespace drover {

using Milliseconds = std::chrono::duration<double, std::milli>;

// How a backup notices that its master is gone (RFC 9568, section 6.1; version 2: RFC 3768, which
// counts the skew in seconds whatever the interval is).
struct VrrpTimers {
  double skew_fraction = 0;  // s = (256 - p) / 256
  Milliseconds interval{0};  // I
  Milliseconds skew{0};
  int down_adverts = 3;  // n

  // From a death that falls anywhere inside an interval: (n-1)*I + skew to n*I + skew.
  [[nodiscard]] Milliseconds least() const { return interval * (down_adverts - 1) + skew; }
  [[nodiscard]] Milliseconds most() const { return interval * down_adverts + skew; }
};
// `interval` is the master's in version 3, because a backup learns it from the adverts.
VrrpTimers TimersOf(const VrrpInstance& master, const VrrpInstance& backup);

// The first repetition of a packet at or after `gap`, when it is repeated after `first` and then
// after twice the time each: what a gap in the network costs a user in the worst case.
Milliseconds FirstRepetitionAfter(Milliseconds gap, Milliseconds first);
inline constexpr Milliseconds kFirstRto{200};
inline constexpr Milliseconds kFirstSynRto{1000};

// The longest time from a target's death until its check says so.
Milliseconds WorstDetection(const CheckSettings& check);
// The longest time from a target's recovery until its check says so.
Milliseconds WorstReturn(const CheckSettings& check);

// How far a backup's connection table is behind for `rate` new connections per second: an entry
// waits until a buffer of about 40 is full, or for the 2 s that a buffer may age and the 1 s that
// an idle thread sleeps.
Milliseconds SyncLag(double rate);

}  // namespace drover
