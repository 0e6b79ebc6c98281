// When a master has to do what besides advertising: announce its addresses, refresh their lifetime,
// ask for a second owner. And when it must not believe itself any more, because it did not run.
//
// Pure: the time is a parameter; doing it is the speaker's.
#pragma once

#include <chrono>
#include <optional>

#include "node-helper/vrrp/instance.h"
#include "protocol/vrrp_settings.h"

namespace drover::vrrp {

// The frames of a burst are spread a little: the old owner may still answer a question between the
// first and the last.
inline constexpr std::chrono::milliseconds kAnnounceGap{20};
// A lifetime is refreshed four times before it runs out.
inline constexpr int kRefreshesPerLease = 4;
inline constexpr std::chrono::milliseconds kProbeInterval{1000};
// The least time between single answers to a second master that does not give way.
inline constexpr std::chrono::milliseconds kAnswerGap{100};

// Announcements of a master's addresses: a burst at takeover, one more after a delay, and then
// refreshing ones.
class AnnounceSchedule {
 public:
  void Begin(const VrrpAnnounce& settings, Time now);
  // One more burst now: somebody else may have been believed.
  void Again(Time now);
  // A second master was heard: a burst at once, and after one in the last kAnswerEvery a single
  // announcement. The last word is always ours, because nobody says when the other one stops.
  void Answer(Time now);
  void Stop() { *this = AnnounceSchedule{}; }

  [[nodiscard]] std::optional<Time> Deadline() const;
  // True when every address is to be announced once now; moves on to the next time.
  bool Due(Time now);

 private:
  VrrpAnnounce settings_;
  std::optional<Time> next_;  // of the running burst
  int left_ = 0;
  std::optional<Time> second_;
  std::optional<Time> refresh_;
  std::optional<Time> answered_;  // the last Answer with a burst
  std::optional<Time> spoke_;     // the last announcement
};

// Something that comes again and again. Missed times are not made up for.
class Repeating {
 public:
  void Begin(Nanoseconds period, Time first) {
    period_ = period;
    next_ = first;
  }
  void Stop() { next_.reset(); }
  [[nodiscard]] std::optional<Time> Deadline() const { return next_; }
  bool Due(Time now);

 private:
  Nanoseconds period_{};
  std::optional<Time> next_;
};

// The period of refreshing a lease; none for a lease of 0.
std::optional<Nanoseconds> RefreshPeriod(std::chrono::milliseconds lease);

// True when a loop that woke `late` after its time has to ask itself what happened meanwhile: the
// kernel has taken the addresses (lease; 0: none), or another node has.
bool Overslept(Nanoseconds late, std::chrono::milliseconds lease, Nanoseconds master_down);

}  // namespace drover::vrrp
