#include "node-helper/net/neighbour_tap.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <array>

#include "node-helper/net/neighbour_frame.h"

namespace drover {
namespace {

constexpr std::uint32_t kNextHeaderOffset = 6;
constexpr std::uint32_t kIcmpTypeOffset = 40;
constexpr std::uint32_t kAdvertisement = 136;

// Neighbour advertisements only: a busy host sees much other IPv6.
constexpr std::array<sock_filter, 6> kAdvertisementsOnly = {{
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kNextHeaderOffset),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kIcmpTypeOffset),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kAdvertisement, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};

}  // namespace

Result<NeighbourTap> NeighbourTap::Open() {
  auto arp = PacketSocket::Open(ETHERTYPE_ARP, {});
  if (!arp) return Fail(arp.error());
  auto icmp = PacketSocket::Open(ETHERTYPE_IPV6, kAdvertisementsOnly);
  if (!icmp) return Fail(icmp.error());
  return NeighbourTap(std::move(*arp), std::move(*icmp));
}

Status NeighbourTap::Ask(const LinkRoute& link, const std::optional<IpAddress>& sender,
                         const IpAddress& target, const std::optional<MacAddress>& only) {
  PacketSocket& socket = target.is_v4() ? arp_ : icmp_;
  const auto packet = target.is_v4() ? ArpRequest(link.mac, sender, target)
                                     : NeighbourSolicitation(link.mac, sender, target);
  return socket.Send(link.index, only.value_or(QuestionMac(target)), packet);
}

std::vector<ClaimHeard> NeighbourTap::Hear(std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left.count() > 0) {
    std::array<pollfd, 2> waiting = {{{arp_.fd(), POLLIN, 0}, {icmp_.fd(), POLLIN, 0}}};
    (void)::poll(waiting.data(), waiting.size(), static_cast<int>(left.count()));
  }
  return HearNow();
}

std::vector<ClaimHeard> NeighbourTap::HearNow() {
  std::vector<ClaimHeard> claims;
  while (const auto packet = arp_.Receive()) {
    if (const auto claim = ClaimOfArp(packet->bytes)) {
      claims.push_back(
          {claim->address, MacText(claim->mac), packet->interface_index, claim->asks_for_other});
    }
  }
  while (const auto packet = icmp_.Receive()) {
    if (const auto claim = ClaimOfAdvertisement(packet->bytes, packet->source)) {
      claims.push_back({claim->address, MacText(claim->mac), packet->interface_index});
    }
  }
  return claims;
}

}  // namespace drover
