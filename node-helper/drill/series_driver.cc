#include "node-helper/drill/series_driver.h"

// Order matters: errqueue.h does not include what its timespec needs.
// clang-format off
#include <time.h>
#include <linux/errqueue.h>
// clang-format on
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace drover {
namespace {

int ErrorIn(msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
    const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(c), sizeof error);
    return static_cast<int>(error.ee_errno);
  }
  return 0;
}

}  // namespace

std::optional<QueuedError> ReadQueuedError(int fd, std::span<std::uint8_t> bytes) {
  alignas(cmsghdr) std::array<char, 512> control;
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(fd, &message, MSG_ERRQUEUE);
  if (size < 0) return std::nullopt;
  return QueuedError{ErrorIn(message), static_cast<std::size_t>(size)};
}

bool SeriesDriver::Watch(int fd, std::uint32_t events, std::uint32_t slot,
                         std::uint32_t generation) const {
  epoll_event event{};
  event.events = events;
  event.data.u64 = EventKey{.driver = number_, .slot = slot, .generation = generation}.Pack();
  return ::epoll_ctl(context_.epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

std::optional<ProbeError> ProbeErrorOf(int error_number) {
  switch (error_number) {
    case ECONNREFUSED:
      return ProbeError::kRefused;
    case ECONNRESET:
    case EPIPE:
      return ProbeError::kReset;
    case ETIMEDOUT:
      return std::nullopt;
    default:
      return ProbeError::kUnreachable;
  }
}

bool IsOwnFault(int error_number) {
  switch (error_number) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC:
    case EADDRINUSE:
    case EADDRNOTAVAIL:
      return true;
    default:
      return false;
  }
}

}  // namespace drover
