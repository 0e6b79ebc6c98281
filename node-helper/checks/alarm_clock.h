// One timer for many: alarms ring at the first tick at or after their time, so that a thousand
// probes a second wake the loop a hundred times.
//
// One thread: the one that runs the loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace drover {

class AlarmClock {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Rings once for each Set, unless it goes or is set anew before.
  class Alarm {
   public:
    Alarm(AlarmClock& clock, std::function<void()> ring);
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    void Set(Time time);
    void Cancel();

   private:
    friend class AlarmClock;
    AlarmClock& clock_;
    std::function<void()> ring_;
    Time time_{};
    bool set_ = false;
  };

  explicit AlarmClock(boost::asio::io_context& loop);
  ~AlarmClock();  // after its alarms

 private:
  struct State;
  std::shared_ptr<State> state_;
};

inline constexpr std::chrono::milliseconds kTick{10};

}  // namespace drover
