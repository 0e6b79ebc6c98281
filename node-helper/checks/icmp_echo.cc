#include "node-helper/checks/icmp_echo.h"

#include <array>
#include <cstring>

namespace drover {
namespace {

constexpr std::size_t kEchoBytes = 8;
constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kIpv6Bytes = 40;

struct Types {
  std::uint8_t request;
  std::uint8_t reply;
  std::uint8_t unreachable;
  std::uint8_t time_exceeded;
  std::uint8_t protocol;
};
constexpr Types kTypes4 = {8, 0, 3, 11, 1};
constexpr Types kTypes6 = {128, 129, 1, 3, 58};

std::uint8_t ByteAt(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
std::uint16_t Word(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(ByteAt(bytes, at) << 8 | ByteAt(bytes, at + 1));
}
void PutWord(std::string& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<char>(value >> 8);
  bytes[at + 1] = static_cast<char>(value & 0xFF);
}

std::uint16_t Checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += Word(bytes, i);
  if (bytes.size() % 2 != 0) sum += std::uint32_t{ByteAt(bytes, bytes.size() - 1)} << 8;
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// Steps over the IP header of `packet` when it carries `protocol`; keeps its destination.
bool StripIp(Family family, std::uint8_t protocol, std::string_view& packet, IpAddress& to) {
  if (family == Family::kIpv4) {
    if (packet.size() < kIpv4Bytes || ByteAt(packet, 0) >> 4 != 4) return false;
    const std::size_t header = std::size_t{ByteAt(packet, 0) & 0x0FU} * 4;
    if (header < kIpv4Bytes || packet.size() < header || ByteAt(packet, 9) != protocol) {
      return false;
    }
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), packet.data() + 16, bytes.size());
    to = IpAddress::V4(bytes);
    packet.remove_prefix(header);
    return true;
  }
  if (packet.size() < kIpv6Bytes || ByteAt(packet, 0) >> 4 != 6 || ByteAt(packet, 6) != protocol) {
    return false;
  }
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), packet.data() + 24, bytes.size());
  to = IpAddress::V6(bytes);
  packet.remove_prefix(kIpv6Bytes);
  return true;
}

}  // namespace

std::string EncodeEcho(Family family, const EchoMark& mark, std::string_view payload) {
  const Types& types = family == Family::kIpv4 ? kTypes4 : kTypes6;
  std::string bytes(kEchoBytes, '\0');
  bytes[0] = static_cast<char>(types.request);
  PutWord(bytes, 4, mark.id);
  PutWord(bytes, 6, mark.sequence);
  bytes.append(payload);
  if (family == Family::kIpv4) PutWord(bytes, 2, Checksum(bytes));
  return bytes;
}

std::optional<EchoAnswer> DecodeEchoAnswer(Family family, std::string_view packet) {
  const Types& types = family == Family::kIpv4 ? kTypes4 : kTypes6;
  IpAddress ignored;
  if (family == Family::kIpv4 && !StripIp(family, types.protocol, packet, ignored)) return {};
  if (packet.size() < kEchoBytes) return {};
  const std::uint8_t type = ByteAt(packet, 0);
  if (type == types.reply) return EchoAnswer{{Word(packet, 4), Word(packet, 6)}, {}, {}};
  if (type != types.unreachable && type != types.time_exceeded) return {};
  packet.remove_prefix(kEchoBytes);
  IpAddress asked;
  if (!StripIp(family, types.protocol, packet, asked) || packet.size() < kEchoBytes ||
      ByteAt(packet, 0) != types.request) {
    return {};
  }
  return EchoAnswer{{Word(packet, 4), Word(packet, 6)},
                    type == types.unreachable ? "host unreachable" : "too many hops on the way",
                    asked};
}

}  // namespace drover
