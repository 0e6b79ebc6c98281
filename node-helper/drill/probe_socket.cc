#include "node-helper/drill/probe_socket.h"

#include <netinet/tcp.h>

#include <cerrno>

#include "node-helper/drill/probe_address.h"

namespace drover {
namespace {

constexpr int kPortsTried = 16;

int BindSource(int fd, const ProbeRunSeries& settings, PortRing* ports) {
  if (ports == nullptr && !settings.source) return 0;
  const int on = 1;
  // Without a port of its own choice the kernel may take one that is in use to another target.
  if (ports == nullptr) {
    (void)::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  } else {
    (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  const bool v4 = settings.target.address.is_v4();
  const IpAddress any = v4 ? IpAddress::V4({0, 0, 0, 0}) : IpAddress::V6({});
  for (int tried = 0; tried < kPortsTried; ++tried) {
    const std::uint16_t port = ports == nullptr ? 0 : ports->Next();
    const ProbeAddress source = ProbeAddressOf(settings.source.value_or(any), port);
    if (::bind(fd, source.get(), source.length) == 0) return 0;
    if (errno != EADDRINUSE) return errno;
  }
  return EADDRINUSE;
}

}  // namespace

OpeningConnection OpenConnection(const ProbeRunSeries& settings, PortRing* ports) {
  OpeningConnection opening;
  const int family = settings.target.address.is_v4() ? AF_INET : AF_INET6;
  opening.socket.Reset(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = opening.socket.get();
  if (fd < 0) {
    opening.error = errno;
    return opening;
  }
  const linger reset{1, 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  const int on = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  opening.error = BindSource(fd, settings, ports);
  if (opening.error != 0) return opening;
  const ProbeAddress target = ProbeAddressOf(settings.target.address, settings.target.port);
  if (::connect(fd, target.get(), target.length) != 0 && errno != EINPROGRESS) {
    opening.error = errno;
  }
  opening.local_port = LocalPortOf(fd);
  return opening;
}

std::optional<int> OpeningResult(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  (void)::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return error;
  sockaddr_storage peer{};
  length = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return std::nullopt;
  return 0;
}

}  // namespace drover
