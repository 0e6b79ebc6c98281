#include "orchestrator/drill/capture.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>

namespace drover {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t kMagic = 0xa1b2c3d4;  // microseconds
constexpr std::uint32_t kMagicSwapped = 0xd4c3b2a1;
constexpr std::uint32_t kLinkEthernet = 1;
constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kFrameHeader = 16;
constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kVlanTag = 4;
constexpr std::uint16_t kTypeIpv4 = 0x0800;
constexpr std::uint16_t kTypeArp = 0x0806;
constexpr std::uint16_t kTypeVlan = 0x8100;
constexpr std::uint16_t kTypeIpv6 = 0x86dd;
constexpr std::size_t kArpBytes = 28;
constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::uint8_t kProtocolVrrp = 112;
constexpr std::uint8_t kProtocolIcmpv6 = 58;
constexpr std::uint8_t kVrrpAdvert = 1;
constexpr std::size_t kVrrpHeader = 8;
constexpr std::uint8_t kNeighbourAdvert = 136;
constexpr std::size_t kNeighbourAdvertBytes = 24;
constexpr std::uint8_t kSolicited = 0x40;
constexpr std::uint8_t kTargetLinkLayer = 2;
constexpr std::int64_t kMicro = 1'000'000;

std::uint16_t Big16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

MacAddress MacAt(Bytes bytes, std::size_t at) {
  MacAddress mac{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), mac.size(), mac.begin());
  return mac;
}

IpAddress V4At(Bytes bytes, std::size_t at) {
  std::array<std::uint8_t, 4> raw{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), raw.size(), raw.begin());
  return IpAddress::V4(raw);
}

IpAddress V6At(Bytes bytes, std::size_t at) {
  std::array<std::uint8_t, 16> raw{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), raw.size(), raw.begin());
  return IpAddress::V6(raw);
}

// One frame, put where it belongs.
class FrameReader {
 public:
  FrameReader(ProbeTime at, CaptureSeen& seen) : at_(at), seen_(seen) {}

  void Read(Bytes frame) {
    if (frame.size() < kEthernetHeader) return;
    mac_ = MacAt(frame, 6);
    std::uint16_t type = Big16(frame, 12);
    Bytes packet = frame.subspan(kEthernetHeader);
    if (type == kTypeVlan && packet.size() >= kVlanTag) {
      type = Big16(packet, 2);
      packet = packet.subspan(kVlanTag);
    }
    if (type == kTypeArp) Arp(packet);
    if (type == kTypeIpv4) Ipv4(packet);
    if (type == kTypeIpv6) Ipv6(packet);
  }

 private:
  // RFC 826; what claims is the sender's pair of addresses, in a question as well.
  void Arp(Bytes packet) {
    if (packet.size() < kArpBytes || Big16(packet, 0) != 1 || Big16(packet, 2) != kTypeIpv4) return;
    if (packet[4] != 6 || packet[5] != 4) return;
    const IpAddress sender = V4At(packet, 14);
    if (sender.is_unspecified()) return;  // a probe, RFC 5227
    seen_.claims.push_back({at_, MacAt(packet, 8), sender, sender == V4At(packet, 24)});
  }

  void Ipv4(Bytes packet) {
    if (packet.size() < kIpv4Header || packet[0] >> 4 != 4) return;
    const std::size_t header = std::size_t{4} * (packet[0] & 0xfU);
    const bool is_fragment = (Big16(packet, 6) & 0x1fffU) != 0;
    if (header < kIpv4Header || packet.size() < header || is_fragment) return;
    if (packet[9] == kProtocolVrrp) Vrrp(V4At(packet, 12), packet.subspan(header));
  }

  void Ipv6(Bytes packet) {
    if (packet.size() < kIpv6Header || packet[0] >> 4 != 6) return;
    const Bytes payload = packet.subspan(kIpv6Header);
    if (packet[6] == kProtocolVrrp) Vrrp(V6At(packet, 8), payload);
    if (packet[6] == kProtocolIcmpv6) Neighbour(payload);
  }

  // RFC 9568, section 5.1; version 2 begins alike.
  void Vrrp(const IpAddress& source, Bytes payload) {
    if (payload.size() < kVrrpHeader || (payload[0] & 0xfU) != kVrrpAdvert) return;
    seen_.adverts.push_back({at_, mac_, source, payload[1], payload[2]});
  }

  // RFC 4861, section 4.4.
  void Neighbour(Bytes payload) {
    if (payload.size() < kNeighbourAdvertBytes || payload[0] != kNeighbourAdvert) return;
    MacAddress mac = mac_;
    Bytes options = payload.subspan(kNeighbourAdvertBytes);
    while (options.size() >= 8) {
      const std::size_t length = std::size_t{8} * options[1];
      if (length == 0 || length > options.size()) break;
      if (options[0] == kTargetLinkLayer) mac = MacAt(options, 2);
      options = options.subspan(length);
    }
    seen_.claims.push_back({at_, mac, V6At(payload, 8), (payload[4] & kSolicited) == 0});
  }

  ProbeTime at_;
  CaptureSeen& seen_;
  MacAddress mac_{};
};

// The file's own byte order.
class FileReader {
 public:
  explicit FileReader(Bytes file) : file_(file) {}

  bool Begin() {
    if (file_.size() < kFileHeader) return false;
    const std::uint32_t magic = Number(0);
    swapped_ = magic == kMagicSwapped;
    return (magic == kMagic || swapped_) && Number(20) == kLinkEthernet;
  }
  // Little-endian, or as the magic says.
  [[nodiscard]] std::uint32_t Number(std::size_t at) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t place = swapped_ ? 3 - i : i;
      value |= static_cast<std::uint32_t>(file_[at + i]) << (8 * place);
    }
    return value;
  }

 private:
  Bytes file_;
  bool swapped_ = false;
};

}  // namespace

Result<CaptureSeen> ReadCapture(std::string_view pcap, std::int64_t started_wall_us) {
  const Bytes file(reinterpret_cast<const std::uint8_t*>(pcap.data()), pcap.size());
  FileReader reader(file);
  if (!reader.Begin()) {
    return Fail(ErrorCode::kInvalid, "no pcap of Ethernet frames with microseconds");
  }
  CaptureSeen seen;
  std::size_t at = kFileHeader;
  while (at < file.size()) {
    const bool fits = file.size() - at >= kFrameHeader;
    const std::size_t length = fits ? reader.Number(at + 8) : 0;
    if (!fits || length > kMaxCaptureFrame || length > file.size() - at - kFrameHeader) {
      return Fail(ErrorCode::kInvalid, "pcap is cut off or broken at byte " + std::to_string(at));
    }
    const std::int64_t wall = std::int64_t{reader.Number(at)} * kMicro + reader.Number(at + 4);
    FrameReader(ProbeTime(wall - started_wall_us), seen)
        .Read(file.subspan(at + kFrameHeader, length));
    at += kFrameHeader + length;
  }
  return seen;
}

}  // namespace drover
