#include "node-helper/net/neighbour_frame.h"

#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace drover {
namespace {

using Packet = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

constexpr std::size_t kArpBytes = 28;  // Ethernet and IPv4
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::size_t kAdvertisementBytes = 24;  // without options
constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;
constexpr std::uint8_t kSourceLinkAddress = 1;
constexpr std::uint8_t kTargetLinkAddress = 2;
constexpr std::uint8_t kHopLimit = 255;  // RFC 4861 7.1: anything else came over a router

void Append16(Packet& packet, std::size_t value) {
  packet.push_back(static_cast<std::uint8_t>(value >> 8));
  packet.push_back(static_cast<std::uint8_t>(value));
}

void Append(Packet& packet, View bytes) { packet.insert(packet.end(), bytes.begin(), bytes.end()); }

void AppendAddress(Packet& packet, const IpAddress& address) {
  packet.insert(packet.end(), address.data(), address.data() + address.size());
}

std::uint16_t Word(View bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

MacAddress MacAt(View bytes, std::size_t at) {
  MacAddress mac{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), mac.size(), mac.begin());
  return mac;
}

template <std::size_t kSize>
std::array<std::uint8_t, kSize> BytesAt(View bytes, std::size_t at) {
  std::array<std::uint8_t, kSize> part;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), kSize, part.begin());
  return part;
}

// RFC 1071.
std::uint16_t InternetChecksum(View bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += Word(bytes, i);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void PutWord(Packet& packet, std::size_t at, std::uint16_t value) {
  packet[at] = static_cast<std::uint8_t>(value >> 8);
  packet[at + 1] = static_cast<std::uint8_t>(value);
}

// Over the pseudo header (RFC 8200 8.1) and the message.
std::uint16_t Icmpv6Checksum(const IpAddress& from, const IpAddress& to, const Packet& message) {
  Packet summed;
  AppendAddress(summed, from);
  AppendAddress(summed, to);
  Append16(summed, 0);
  Append16(summed, message.size());
  Append16(summed, 0);
  Append16(summed, IPPROTO_ICMPV6);
  Append(summed, message);
  return InternetChecksum(summed);
}

// RFC 4291 2.7.1: ff02::1:ff and the last three bytes.
IpAddress SolicitedNode(const IpAddress& target) {
  std::array<std::uint8_t, 16> bytes = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::copy_n(target.data() + 13, 3, bytes.begin() + 13);
  return IpAddress::V6(bytes);
}

// The target link address among the options; nothing when there is none or the list is broken.
std::optional<MacAddress> LinkAddressOption(View options) {
  while (options.size() >= 2) {
    const std::size_t length = std::size_t{options[1]} * 8;
    if (length == 0 || length > options.size()) return std::nullopt;
    if (options[0] == kTargetLinkAddress && length == 8) return MacAt(options, 2);
    options = options.subspan(length);
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::uint8_t> ArpRequest(const MacAddress& mac, const std::optional<IpAddress>& sender,
                                     const IpAddress& target) {
  Packet packet;
  Append16(packet, ARPHRD_ETHER);
  Append16(packet, ETHERTYPE_IP);
  packet.push_back(ETH_ALEN);
  packet.push_back(4);
  Append16(packet, ARPOP_REQUEST);
  Append(packet, mac);
  AppendAddress(packet, sender.value_or(IpAddress()));
  Append(packet, MacAddress{});
  AppendAddress(packet, target);
  return packet;
}

std::optional<AddressClaim> ClaimOfArp(std::span<const std::uint8_t> packet) {
  if (packet.size() < kArpBytes) return std::nullopt;
  const bool ethernet = Word(packet, 0) == ARPHRD_ETHER && Word(packet, 2) == ETHERTYPE_IP &&
                        packet[4] == ETH_ALEN && packet[5] == 4;
  const std::uint16_t operation = Word(packet, 6);
  if (!ethernet || (operation != ARPOP_REQUEST && operation != ARPOP_REPLY)) return std::nullopt;
  AddressClaim claim{IpAddress::V4(BytesAt<4>(packet, 14)), MacAt(packet, 8)};
  claim.asks_for_other =
      operation == ARPOP_REQUEST && IpAddress::V4(BytesAt<4>(packet, 24)) != claim.address;
  if (claim.address.is_unspecified()) return std::nullopt;  // asks without claiming
  return claim;
}

std::vector<std::uint8_t> NeighbourSolicitation(const MacAddress& mac,
                                                const std::optional<IpAddress>& sender,
                                                const IpAddress& target) {
  const IpAddress from = sender.value_or(IpAddress::V6({}));
  const IpAddress to = SolicitedNode(target);
  Packet message = {kSolicitation, 0, 0, 0, 0, 0, 0, 0};  // type, code, checksum, reserved
  AppendAddress(message, target);
  if (sender) {  // RFC 4861 4.3: not when the source is unspecified
    message.push_back(kSourceLinkAddress);
    message.push_back(1);  // in units of 8 bytes
    Append(message, mac);
  }
  const std::uint16_t checksum = Icmpv6Checksum(from, to, message);
  PutWord(message, 2, checksum);

  Packet packet = {0x60, 0, 0, 0};
  Append16(packet, message.size());
  packet.push_back(IPPROTO_ICMPV6);
  packet.push_back(kHopLimit);
  AppendAddress(packet, from);
  AppendAddress(packet, to);
  Append(packet, message);
  return packet;
}

std::optional<AddressClaim> ClaimOfAdvertisement(std::span<const std::uint8_t> packet,
                                                 const MacAddress& frame_source) {
  if (packet.size() < kIpv6HeaderBytes + kAdvertisementBytes) return std::nullopt;
  if (packet[6] != IPPROTO_ICMPV6 || packet[7] != kHopLimit) return std::nullopt;
  const View message = packet.subspan(kIpv6HeaderBytes);
  if (message[0] != kAdvertisement || message[1] != 0) return std::nullopt;
  const std::size_t length = Word(packet, 4);
  if (length < kAdvertisementBytes || length > message.size()) return std::nullopt;
  const View options = message.subspan(kAdvertisementBytes, length - kAdvertisementBytes);
  return AddressClaim{IpAddress::V6(BytesAt<16>(message, 8)),
                      LinkAddressOption(options).value_or(frame_source)};
}

std::vector<std::uint8_t> EchoRequest(const IpAddress& from, const IpAddress& to) {
  constexpr std::size_t kHeader = 20;
  constexpr std::uint8_t kTimeToLive = 64;
  Packet packet = {0x45, 0, 0, 0, 0, 0, 0, 0, kTimeToLive, IPPROTO_ICMP, 0, 0};
  AppendAddress(packet, from);
  AppendAddress(packet, to);
  Append(packet, std::array<std::uint8_t, 8>{8, 0, 0, 0, 'D', 'r', 0, 1});  // RFC 792
  PutWord(packet, 2, static_cast<std::uint16_t>(packet.size()));
  PutWord(packet, 10, InternetChecksum(View(packet).first(kHeader)));
  PutWord(packet, kHeader + 2, InternetChecksum(View(packet).subspan(kHeader)));
  return packet;
}

MacAddress QuestionMac(const IpAddress& target) {
  if (target.is_v4()) return {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  return {0x33, 0x33, 0xff, target.data()[13], target.data()[14], target.data()[15]};
}

}  // namespace drover
