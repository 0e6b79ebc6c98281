#include "node-helper/drill/syn_packet.h"

#include <netinet/in.h>

#include <array>

namespace drover {
namespace {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::size_t kTcpHeaderBytes = 20;
constexpr std::size_t kSequenceAt = 4;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kReset = 0x04;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint32_t kWindow = 64240;
constexpr std::uint32_t kSegmentSizeV4 = 1460;
constexpr std::uint32_t kSegmentSizeV6 = 1440;

void Append16(Bytes& bytes, std::uint32_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value));
}

void Append32(Bytes& bytes, std::uint32_t value) {
  Append16(bytes, value >> 16);
  Append16(bytes, value);
}

std::uint16_t Word(View bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::uint32_t Long(View bytes, std::size_t at) {
  return std::uint32_t{Word(bytes, at)} << 16 | Word(bytes, at + 2);
}

// RFC 1071 over the pseudo header, which for both families sums to the same: addresses, protocol
// and length.
std::uint16_t TcpChecksum(const IpAddress& from, const IpAddress& to, const Bytes& segment) {
  Bytes summed(from.data(), from.data() + from.size());
  summed.insert(summed.end(), to.data(), to.data() + to.size());
  Append16(summed, IPPROTO_TCP);
  Append16(summed, static_cast<std::uint32_t>(segment.size()));
  summed.insert(summed.end(), segment.begin(), segment.end());
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < summed.size(); i += 2) sum += Word(summed, i);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

Bytes SynSegment(const Endpoint& from, const Endpoint& to, std::uint32_t sequence) {
  constexpr std::size_t kChecksumAt = 16;
  constexpr std::uint32_t kWords = 6;  // header with one option
  Bytes segment;
  Append16(segment, from.port);
  Append16(segment, to.port);
  Append32(segment, sequence);
  Append32(segment, 0);
  Append16(segment, kWords << 12 | kSyn);
  Append16(segment, kWindow);
  Append16(segment, 0);
  Append16(segment, 0);
  constexpr std::uint32_t kMaximumSegmentSize = 2U << 8 | 4U;  // kind and length
  Append16(segment, kMaximumSegmentSize);
  Append16(segment, to.address.is_v4() ? kSegmentSizeV4 : kSegmentSizeV6);
  const std::uint16_t checksum = TcpChecksum(from.address, to.address, segment);
  segment[kChecksumAt] = static_cast<std::uint8_t>(checksum >> 8);
  segment[kChecksumAt + 1] = static_cast<std::uint8_t>(checksum);
  return segment;
}

std::optional<SynAnswer> DecodeSynAnswer(Family family, View packet) {
  if (family == Family::kIpv4) {
    if (packet.size() < kIpv4HeaderBytes) return std::nullopt;
    const std::size_t header = std::size_t{packet[0] & 0xfU} * 4;
    if (header < kIpv4HeaderBytes || header > packet.size()) return std::nullopt;
    packet = packet.subspan(header);
  }
  if (packet.size() < kTcpHeaderBytes) return std::nullopt;
  const std::uint8_t flags = packet[13];
  const bool opened = (flags & (kSyn | kAck | kReset)) == (kSyn | kAck);
  const bool reset = (flags & (kSyn | kAck | kReset)) == (kAck | kReset);
  if (!opened && !reset) return std::nullopt;
  return SynAnswer{Word(packet, 0), Word(packet, 2), Long(packet, 8), reset};
}

std::optional<std::uint32_t> SequenceIn(View segment) {
  if (segment.size() < kSequenceAt + 4) return std::nullopt;
  return Long(segment, kSequenceAt);
}

std::vector<sock_filter> SynAnswerFilter(Family family, std::uint16_t port) {
  if (family == Family::kIpv6) {
    return {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, 0xffff), BPF_STMT(BPF_RET | BPF_K, 0)};
  }
  return {BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),  // length of the IP header
          BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
          BPF_STMT(BPF_RET | BPF_K, 0xffff), BPF_STMT(BPF_RET | BPF_K, 0)};
}

}  // namespace drover
