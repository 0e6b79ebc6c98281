#include "node-helper/drill/series_driver.h"

#include <sys/epoll.h>

#include <cerrno>

namespace drover {

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
