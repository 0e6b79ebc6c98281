#include "orchestrator/ssh/wait.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace drover {
namespace {

constexpr std::size_t kMaxFds = 7;

// Rounded up, so that a wait never ends just before its deadline and spins.
int MillisecondsUntil(Deadline deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
}

}  // namespace

void UniqueFd::Reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Bell::Bell() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Bell::Ring() const {
  const std::uint64_t one = 1;
  // The only way to fail is a counter that is full, and then the bell has rung already.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

bool Bell::rung() const {
  pollfd fd{event_.get(), POLLIN, 0};
  return ::poll(&fd, 1, 0) > 0;
}

Woken WaitFor(std::span<pollfd> fds, const Bell& bell, Deadline deadline) {
  std::array<pollfd, kMaxFds + 1> all{};
  const std::size_t count = std::min(fds.size(), kMaxFds);
  std::copy_n(fds.begin(), count, all.begin());
  all[count] = pollfd{bell.fd(), POLLIN, 0};
  while (true) {
    const int ready = ::poll(all.data(), count + 1, MillisecondsUntil(deadline));
    if (ready < 0 && errno != EINTR) return Woken::kTimeout;
    if (ready > 0 && all[count].revents != 0) return Woken::kAborted;
    if (ready > 0) break;
    if (ready == 0 && std::chrono::steady_clock::now() >= deadline) return Woken::kTimeout;
  }
  std::copy_n(all.begin(), count, fds.begin());
  return Woken::kReady;
}

Error WaitError(Woken woken, const std::string& what) {
  if (woken == Woken::kAborted) return Error{ErrorCode::kUnreachable, what + ": aborted"};
  return Error{ErrorCode::kTimeout, what + ": no answer in time"};
}

}  // namespace drover
