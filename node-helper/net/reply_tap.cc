#include "node-helper/net/reply_tap.h"

#include <net/ethernet.h>
#include <netinet/in.h>

#include <utility>
#include <vector>

namespace drover {
namespace {

constexpr std::uint32_t kSynAck = 0x12;
constexpr std::uint32_t kSynAckRst = 0x16;
constexpr std::uint32_t kFlagsOffset = 13;  // within the TCP header
constexpr std::uint32_t kIpv6HeaderBytes = 40;

// Collects conditions that must all hold; each failing one jumps to the final "drop".
class FilterWriter {
 public:
  void Add(std::uint16_t code, std::uint32_t value) { steps_.push_back(BPF_STMT(code, value)); }
  void MustEqual(std::uint32_t value) { Jump(BPF_JMP | BPF_JEQ | BPF_K, value, /*if_true=*/true); }
  void MustNotHave(std::uint32_t bits) {
    Jump(BPF_JMP | BPF_JSET | BPF_K, bits, /*if_true=*/false);
  }
  std::vector<sock_filter> Finish() {
    Add(BPF_RET | BPF_K, 0xffff);
    Add(BPF_RET | BPF_K, 0);
    const std::size_t drop = steps_.size() - 1;
    for (const auto& [at, goes_on_if_true] : jumps_) {
      const auto distance = static_cast<std::uint8_t>(drop - at - 1);
      (goes_on_if_true ? steps_[at].jf : steps_[at].jt) = distance;
    }
    return std::move(steps_);
  }

 private:
  void Jump(std::uint16_t code, std::uint32_t value, bool if_true) {
    jumps_.emplace_back(steps_.size(), if_true);
    steps_.push_back(BPF_JUMP(code, value, 0, 0));
  }

  std::vector<sock_filter> steps_;
  std::vector<std::pair<std::size_t, bool>> jumps_;
};

std::uint32_t Word(const IpAddress& address, std::size_t at) {
  const std::uint8_t* bytes = address.data() + at;
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::uint32_t NumberOf(const SocketKey& service) {
  return service.transport == Transport::kUdp ? IPPROTO_UDP : IPPROTO_TCP;
}

// Both have the source port at the same place.
void MustBeAnswerOf(const SocketKey& service, FilterWriter& filter, std::uint16_t mode,
                    std::uint32_t tcp) {
  filter.Add(BPF_LD | BPF_H | mode, tcp);  // source port
  filter.MustEqual(service.port);
  if (service.transport == Transport::kUdp) return;
  filter.Add(BPF_LD | BPF_B | mode, tcp + kFlagsOffset);
  filter.Add(BPF_ALU | BPF_AND | BPF_K, kSynAckRst);
  filter.MustEqual(kSynAck);
}

std::vector<sock_filter> Ipv4Filter(const SocketKey& service) {
  FilterWriter filter;
  filter.Add(BPF_LD | BPF_W | BPF_ABS, 12);  // source address
  filter.MustEqual(Word(service.address, 0));
  filter.Add(BPF_LD | BPF_B | BPF_ABS, 9);  // protocol
  filter.MustEqual(NumberOf(service));
  filter.Add(BPF_LD | BPF_H | BPF_ABS, 6);  // a later fragment has no ports
  filter.MustNotHave(0x1fff);
  filter.Add(BPF_LDX | BPF_B | BPF_MSH, 0);  // length of the IP header
  MustBeAnswerOf(service, filter, BPF_IND, 0);
  return filter.Finish();
}

std::vector<sock_filter> Ipv6Filter(const SocketKey& service) {
  FilterWriter filter;
  filter.Add(BPF_LD | BPF_B | BPF_ABS, 6);  // next header
  filter.MustEqual(NumberOf(service));
  for (std::uint32_t at = 0; at < 16; at += 4) {
    filter.Add(BPF_LD | BPF_W | BPF_ABS, 8 + at);  // source address
    filter.MustEqual(Word(service.address, at));
  }
  MustBeAnswerOf(service, filter, BPF_ABS, kIpv6HeaderBytes);
  return filter.Finish();
}

}  // namespace

Result<ReplyTap> ReplyTap::Open(const SocketKey& service) {
  const bool v4 = service.address.is_v4();
  const std::vector<sock_filter> filter = v4 ? Ipv4Filter(service) : Ipv6Filter(service);
  auto socket = PacketSocket::Open(v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6, filter);
  if (!socket) return Fail(socket.error());
  return ReplyTap(std::move(*socket), service.address.family());
}

ReplyTap::Reply ReplyTap::Take(std::uint16_t local_port) {
  Reply reply;
  while (const auto packet = socket_.Receive()) {
    if (reply.ttl == 0 && DestinationPortOf(family_, packet->bytes) == local_port) {
      reply = {MacText(packet->source), TimeToLiveOf(family_, packet->bytes)};
    }
  }
  return reply;
}

int TimeToLiveOf(Family family, std::span<const std::uint8_t> packet) {
  const std::size_t at = family == Family::kIpv4 ? 8 : 7;
  return packet.size() > at ? packet[at] : 0;
}

std::optional<std::uint16_t> DestinationPortOf(Family family,
                                               std::span<const std::uint8_t> packet) {
  if (packet.empty()) return std::nullopt;
  const std::size_t tcp =
      family == Family::kIpv4 ? std::size_t{packet[0] & 0xfU} * 4 : kIpv6HeaderBytes;
  if (packet.size() < tcp + 4) return std::nullopt;
  return static_cast<std::uint16_t>(packet[tcp + 2] << 8 | packet[tcp + 3]);
}

}  // namespace drover
