// A session in memory: what a helper says is put into a queue by whoever derives from it.
//
// Next may be called from one thread while Abort comes from another, as with a real session.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "orchestrator/ssh/helper_session.h"

namespace drover {

class MemorySession : public HelperSession {
 public:
  [[nodiscard]] const Hello& hello() const override { return hello_; }

  Status SendPulse(const Pulse& /*pulse*/) override { return {}; }
  Status SendFinish(const Finish& /*finish*/) override { return {}; }
  Result<Event> Next(std::chrono::milliseconds timeout) override {
    std::unique_lock lock(mutex_);
    if (events_.empty() && dead_) {
      return Fail(ErrorCode::kUnreachable, "the helper died");
    }
    if (events_.empty()) {
      const bool aborted = wake_.wait_for(lock, timeout, [this] { return aborted_; });
      return Fail(aborted ? ErrorCode::kUnreachable : ErrorCode::kTimeout, "nothing came");
    }
    Event next = std::move(events_.front());
    events_.pop_front();
    return next;
  }

  void Abort() override {
    const std::lock_guard lock(mutex_);
    aborted_ = true;
    wake_.notify_all();
  }

 protected:
  // From Send only, so before anybody waits for it.
  void Say(Event event) { events_.push_back(std::move(event)); }
  // After what it has said.
  void Die() { dead_ = true; }

 private:
  Hello hello_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Event> events_;
  bool dead_ = false;
  bool aborted_ = false;
};

}  // namespace drover
