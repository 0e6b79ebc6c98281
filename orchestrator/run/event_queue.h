// The way from the hosts' threads to the loop: events in the order in which they were pushed.
//
// Any thread may push; the loop pops.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "orchestrator/rollout/run_events.h"

namespace drover {

class EventQueue {
 public:
  void Push(RolloutEvent event) {
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
    }
    ready_.notify_one();
  }
  // The next event; nothing when there is none until `deadline`.
  std::optional<RolloutEvent> PopUntil(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    if (!ready_.wait_until(lock, deadline, [this] { return !events_.empty(); })) {
      return std::nullopt;
    }
    RolloutEvent event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  // Waits for an event.
  RolloutEvent Pop() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return !events_.empty(); });
    RolloutEvent event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<RolloutEvent> events_;
};

}  // namespace drover
