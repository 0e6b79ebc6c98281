// Waiting at the rim: descriptors that close themselves, deadlines, and a bell that another thread
// may ring.
//
// A Bell may be rung from any thread; everything else here belongs to one thread.
#pragma once

#include <poll.h>

#include <chrono>
#include <span>
#include <string>
#include <utility>

#include "protocol/result.h"

namespace drover {

using Deadline = std::chrono::steady_clock::time_point;

inline Deadline In(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { Reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Ends every wait of a session, now and later, once it was rung.
class Bell {
 public:
  Bell();
  void Ring() const;
  [[nodiscard]] bool rung() const;
  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  UniqueFd event_;
};

enum class Woken { kReady, kTimeout, kAborted };

// Waits until one of `fds` is ready (see revents), the deadline passes or the bell rings. Entries
// with a negative descriptor are skipped.
Woken WaitFor(std::span<pollfd> fds, const Bell& bell, Deadline deadline);

// The error of a wait that ended without success: "<what>: no answer within the time" or "aborted".
Error WaitError(Woken woken, const std::string& what);

}  // namespace drover
