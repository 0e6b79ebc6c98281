#include "node-helper/net/packet_socket.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace drover {
namespace {

constexpr int kQueueBytes = 1 << 20;
constexpr std::size_t kSnapBytes = 2048;  // nothing that we look at is longer

}  // namespace

Result<PacketSocket> PacketSocket::Open(std::uint16_t ethertype,
                                        std::span<const sock_filter> filter) {
  // Protocol 0 until the filter is in place: no packet slips in before it.
  const int fd = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Fail(ErrnoError(errno, "packet socket"));
  PacketSocket socket(fd, ethertype);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kQueueBytes, sizeof kQueueBytes) != 0) {
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kQueueBytes, sizeof kQueueBytes);
  }
  if (!filter.empty()) {
    const sock_fprog program{static_cast<unsigned short>(filter.size()),
                             const_cast<sock_filter*>(filter.data())};
    if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
      return Fail(ErrnoError(errno, "filter of a packet socket"));
    }
  }
  sockaddr_ll everywhere{};
  everywhere.sll_family = AF_PACKET;
  everywhere.sll_protocol = htons(ethertype);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&everywhere), sizeof everywhere) != 0) {
    return Fail(ErrnoError(errno, "packet socket"));
  }
  return socket;
}

PacketSocket::PacketSocket(PacketSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ethertype_(other.ethertype_) {}

PacketSocket& PacketSocket::operator=(PacketSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(ethertype_, other.ethertype_);
  return *this;
}

PacketSocket::~PacketSocket() {
  if (fd_ >= 0) ::close(fd_);
}

Status PacketSocket::Send(int interface_index, const MacAddress& to,
                          std::span<const std::uint8_t> bytes) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ethertype_);
  address.sll_ifindex = interface_index;
  address.sll_halen = ETH_ALEN;
  std::memcpy(address.sll_addr, to.data(), to.size());
  ssize_t sent = 0;
  do {
    sent = ::sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                    sizeof address);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return Fail(ErrnoError(errno, "sending a packet"));
  return {};
}

std::optional<PacketSeen> PacketSocket::Receive() {
  std::array<std::uint8_t, kSnapBytes> buffer;
  while (true) {
    sockaddr_ll from{};
    socklen_t length = sizeof from;
    const ssize_t size = ::recvfrom(fd_, buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0 && (errno == EINTR || errno == ENETDOWN)) continue;  // a link went down: go on
    if (size < 0) return std::nullopt;
    if (from.sll_pkttype == PACKET_OUTGOING) continue;
    PacketSeen packet;
    packet.interface_index = from.sll_ifindex;
    if (from.sll_halen == ETH_ALEN) {
      std::copy_n(std::begin(from.sll_addr), packet.source.size(), packet.source.begin());
    }
    packet.bytes.assign(buffer.begin(), buffer.begin() + size);
    return packet;
  }
}

std::uint32_t PacketSocket::TakeDrops() {
  tpacket_stats stats{};
  socklen_t length = sizeof stats;
  if (::getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &stats, &length) != 0) return 0;
  return stats.tp_drops;
}

}  // namespace drover
