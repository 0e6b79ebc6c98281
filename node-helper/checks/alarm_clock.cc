#include "node-helper/checks/alarm_clock.h"

#include <set>
#include <utility>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace drover {

struct AlarmClock::State : std::enable_shared_from_this<AlarmClock::State> {
  explicit State(boost::asio::io_context& loop) : timer(loop) {}

  static Time TickAfter(Time time) {
    const auto since = std::chrono::ceil<std::chrono::milliseconds>(time.time_since_epoch());
    return Time((since + kTick - std::chrono::milliseconds(1)) / kTick * kTick);
  }

  // The timer is set for the first alarm; an earlier one than that sets it anew.
  void Arm() {
    if (alarms.empty() || ringing) return;
    const Time tick = TickAfter(alarms.begin()->first);
    if (armed && armed_for <= tick) return;
    armed = true;
    armed_for = tick;
    timer.expires_at(tick);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->closed) return;
      self->armed = false;
      self->Ring();
    });
  }

  void Ring() {
    const Time now = std::chrono::steady_clock::now();
    ringing = true;
    while (!closed && !alarms.empty() && alarms.begin()->first <= now) {
      Alarm* alarm = alarms.begin()->second;
      alarms.erase(alarms.begin());
      alarm->set_ = false;
      alarm->ring_();
    }
    ringing = false;
    if (!closed) Arm();
  }

  boost::asio::steady_timer timer;
  std::set<std::pair<Time, Alarm*>> alarms;
  bool armed = false;
  Time armed_for{};
  bool ringing = false;
  bool closed = false;
};

AlarmClock::AlarmClock(boost::asio::io_context& loop) : state_(std::make_shared<State>(loop)) {}

AlarmClock::~AlarmClock() {
  state_->closed = true;
  state_->timer.cancel();
}

AlarmClock::Alarm::Alarm(AlarmClock& clock, std::function<void()> ring)
    : clock_(clock), ring_(std::move(ring)) {}

AlarmClock::Alarm::~Alarm() { Cancel(); }

void AlarmClock::Alarm::Set(Time time) {
  Cancel();
  time_ = time;
  set_ = true;
  clock_.state_->alarms.emplace(time, this);
  clock_.state_->Arm();
}

void AlarmClock::Alarm::Cancel() {
  if (!set_) return;
  set_ = false;
  clock_.state_->alarms.erase({time_, this});
}

}  // namespace drover
