#include "node-helper/net/redirect_tap.h"

#include <net/ethernet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace drover {
namespace {

constexpr std::uint32_t kProtocolOffset = 9;
constexpr std::uint32_t kFragmentOffset = 6;
constexpr std::uint32_t kRedirect = 5;
constexpr std::size_t kSourceOffset = 12;

constexpr std::array<sock_filter, 9> kRedirectsOnly = {{
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kProtocolOffset),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 0, 6),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kFragmentOffset),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
    BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kRedirect, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};

}  // namespace

Result<RedirectTap> RedirectTap::Open() {
  auto socket = PacketSocket::Open(ETHERTYPE_IP, kRedirectsOnly);
  if (!socket) return Fail(socket.error());
  return RedirectTap(std::move(*socket));
}

std::optional<RedirectHeard> RedirectTap::Hear() {
  while (const auto packet = socket_.Receive()) {
    if (packet->bytes.size() < kSourceOffset + 4) continue;
    std::array<std::uint8_t, 4> from{};
    std::copy_n(packet->bytes.begin() + kSourceOffset, from.size(), from.begin());
    return RedirectHeard{MacText(packet->source), IpAddress::V4(from)};
  }
  return std::nullopt;
}

}  // namespace drover
