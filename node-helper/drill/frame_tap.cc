#include "node-helper/drill/frame_tap.h"

#include <net/ethernet.h>
#include <netinet/in.h>

#include <algorithm>

namespace drover {
namespace {

constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::uint32_t kSnap = 64;  // addresses and ports are within

// Each test that fails jumps to the last step, which drops the packet.
std::vector<sock_filter> FilterFor(TapProtocol protocol, Family family, std::uint16_t port) {
  const std::uint32_t number = protocol == TapProtocol::kTcp ? IPPROTO_TCP : IPPROTO_UDP;
  if (family == Family::kIpv6) {
    return {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),  // next header
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
            BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kIpv6HeaderBytes + 2),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, kSnap),
            BPF_STMT(BPF_RET | BPF_K, 0)};
  }
  return {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),  // protocol
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 6),
          BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),  // a later fragment has no ports
          BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
          BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),  // length of the IP header
          BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
          BPF_STMT(BPF_RET | BPF_K, kSnap),
          BPF_STMT(BPF_RET | BPF_K, 0)};
}

}  // namespace

Result<FrameTap> FrameTap::Open(TapProtocol protocol, Family family, std::uint16_t port) {
  const std::vector<sock_filter> filter = FilterFor(protocol, family, port);
  auto socket = PacketSocket::Open(family == Family::kIpv4 ? ETHERTYPE_IP : ETHERTYPE_IPV6, filter);
  if (!socket) return Fail(socket.error());
  return FrameTap(std::move(*socket), family);
}

MacAddress FrameTap::LastFrom(const Endpoint& client) {
  Drain();
  const auto known = seen_.find(client);
  return known == seen_.end() ? MacAddress{} : known->second;
}

void FrameTap::Drain() {
  while (const auto packet = socket_.Receive()) {
    const auto sender = SenderOf(family_, packet->bytes);
    if (!sender) continue;
    // Clients that went without a word must not fill the memory; those that live on come again.
    if (seen_.size() >= kMaxClients) seen_.clear();
    seen_[*sender] = packet->source;
  }
}

std::optional<Endpoint> SenderOf(Family family, std::span<const std::uint8_t> packet) {
  if (packet.empty()) return std::nullopt;
  const bool v4 = family == Family::kIpv4;
  const std::size_t ports = v4 ? std::size_t{packet[0] & 0xfU} * 4 : kIpv6HeaderBytes;
  if (packet.size() < ports + 2 || packet.size() < (v4 ? 20 : kIpv6HeaderBytes)) {
    return std::nullopt;
  }
  Endpoint sender;
  sender.port = static_cast<std::uint16_t>(packet[ports] << 8 | packet[ports + 1]);
  if (v4) {
    std::array<std::uint8_t, 4> bytes;
    std::copy_n(packet.begin() + 12, bytes.size(), bytes.begin());
    sender.address = IpAddress::V4(bytes);
  } else {
    std::array<std::uint8_t, 16> bytes;
    std::copy_n(packet.begin() + 8, bytes.size(), bytes.begin());
    sender.address = IpAddress::V6(bytes);
  }
  return sender;
}

}  // namespace drover
