#include "node-helper/drill/udp_echo.h"

#include <cerrno>
#include <chrono>

#include "node-helper/drill/datagram_socket.h"
#include "node-helper/drill/probe_address.h"
#include "node-helper/drill/probe_packet.h"

namespace drover {
namespace {

constexpr int kAtOnce = 256;

// A datagram with the control data that says to which address it came, so that the answer can go
// out from there.
struct Datagram {
  sockaddr_storage from{};
  std::array<std::uint8_t, kMaxProbePacketBytes> bytes{};
  alignas(cmsghdr) std::array<char, 256> control{};
  iovec part{};
  msghdr message{};

  void Prepare() {
    part = {bytes.data(), bytes.size()};
    message = {};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  // The same way back; the kernel takes its own IP_PKTINFO, but chooses the interface itself.
  void TurnRound(std::vector<std::uint8_t>& answer) {
    part = {answer.data(), answer.size()};
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(c), sizeof info);
        info.ipi_ifindex = 0;
        info.ipi_spec_dst = info.ipi_addr;
        std::memcpy(CMSG_DATA(c), &info, sizeof info);
      } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        in6_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(c), sizeof info);
        if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
        std::memcpy(CMSG_DATA(c), &info, sizeof info);
      }
    }
  }
};

Status Prepare(int fd, const Endpoint& listen) {
  const int on = 1;
  EnlargeQueue(fd);
  const bool v4 = listen.address.is_v4();
  if (!v4) (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const int told = v4 ? ::setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on)
                      : ::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  if (told != 0) return Fail(ErrnoError(errno, "asking for the address of datagrams"));
  const ProbeAddress address = ProbeAddressOf(listen.address, listen.port);
  if (::bind(fd, address.get(), address.length) != 0) return Fail(ErrnoError(errno, "bind"));
  return {};
}

std::int64_t MonotonicMicroseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<UdpEcho> UdpEcho::Open(const Endpoint& listen) {
  const std::string name = "udp " + listen.ToString();
  const int family = listen.address.is_v4() ? AF_INET : AF_INET6;
  Descriptor socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return Fail(ErrnoError(errno, name));
  if (const Status fine = Prepare(socket.get(), listen); !fine) return Fail(fine.error().In(name));
  const Endpoint bound{listen.address, LocalPortOf(socket.get())};
  UdpEcho echo(std::move(socket), bound);
  auto tap = FrameTap::Open(TapProtocol::kUdp, bound.address.family(), bound.port);
  if (tap) {
    echo.tap_ = std::move(*tap);
  } else {
    echo.note_ = name + " cannot name directors: " + tap.error().message;
  }
  return echo;
}

std::uint64_t UdpEcho::Serve(const std::string& name) {
  std::uint64_t answered = 0;
  Datagram datagram;
  for (int i = 0; i < kAtOnce; ++i) {
    datagram.Prepare();
    const ssize_t size = ::recvmsg(socket_.get(), &datagram.message, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) break;
    const auto request =
        DecodeProbeRequest(std::span(datagram.bytes).first(static_cast<std::size_t>(size)));
    const auto client = EndpointOf(datagram.from);
    if (!request || !client) continue;
    ProbeEcho echo{.request = *request, .received_us = MonotonicMicroseconds(), .responder = name};
    if (tap_) echo.mac = tap_->LastFrom(*client);
    std::vector<std::uint8_t> answer = EncodeProbeEcho(echo);
    datagram.TurnRound(answer);
    if (::sendmsg(socket_.get(), &datagram.message, MSG_NOSIGNAL) >= 0) ++answered;
  }
  return answered;
}

}  // namespace drover
