#include "node-helper/drill/datagram_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "node-helper/drill/probe_address.h"

namespace drover {
namespace {

constexpr int kQueueBytes = 4 << 20;

}  // namespace

void EnlargeQueue(int fd) {
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kQueueBytes, sizeof kQueueBytes) != 0) {
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kQueueBytes, sizeof kQueueBytes);
  }
}

Status ConnectProbes(int fd, const ProbeRunSeries& settings, std::uint16_t port) {
  const bool v4 = settings.target.address.is_v4();
  const int on = 1;
  (void)::setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &on,
                     sizeof on);
  if (settings.source) {
    const ProbeAddress source = ProbeAddressOf(*settings.source, 0);
    if (::bind(fd, source.get(), source.length) != 0) {
      return Fail(ErrnoError(errno, "source " + settings.source->ToString()));
    }
  }
  const ProbeAddress target = ProbeAddressOf(settings.target.address, port);
  if (::connect(fd, target.get(), target.length) != 0) return Fail(ErrnoError(errno, "connect"));
  return {};
}

}  // namespace drover
