// A real server as ip_vs knows it.
//
// Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// How the director hands a packet to a real server (ipvsadm: gatewaying, masquerading, tunneling).
enum class Forwarding : std::uint8_t { kDr, kNat, kTun };
std::string_view ToString(Forwarding forwarding);  // "dr", "nat", "tun"
Result<Forwarding> ParseForwarding(std::string_view word);

// How tunnelled packets are wrapped. GUE is ipip that travels over UDP.
enum class TunnelKind : std::uint8_t { kIpip, kGre, kGue };
std::string_view ToString(TunnelKind kind);  // "ipip", "gre", "gue"; also the kernel's words
Result<TunnelKind> ParseTunnelKind(std::string_view word);

// What the checksum of GUE's UDP header covers: nothing, the whole packet, or all but what the
// checksum of the packet inside covers, which the receiver then works out (remote checksum
// offload).
enum class TunnelChecksum : std::uint8_t { kNone, kFull, kRemote };
std::string_view ToString(TunnelChecksum checksum);  // "nocsum", "csum", "remcsum", as ipvsadm
Result<TunnelChecksum> ParseTunnelChecksum(std::string_view word);

inline constexpr std::uint16_t kGuePort = 6080;  // IANA's

// All that a director is told about wrapping.
struct Wrapping {
  TunnelKind kind = TunnelKind::kIpip;
  std::uint16_t port = 0;                           // of gue: where the real server takes it
  TunnelChecksum checksum = TunnelChecksum::kNone;  // of gue; a foreign one may have it with gre

  auto operator<=>(const Wrapping&) const = default;
};
std::string ToString(const Wrapping& wrapping);  // "ipip", "gue port 6080", "gue port 6080 csum"

// A real server in a service's table. Identity is (address, port) within its service.
struct Destination {
  IpAddress address;
  std::uint16_t port = 0;
  Forwarding forward = Forwarding::kDr;
  std::uint32_t weight = 1;           // 0 to 65535; 0 takes no new connections
  std::uint32_t upper_threshold = 0;  // connections; 0 is none
  std::uint32_t lower_threshold = 0;  // connections; 0 lets the kernel choose 3/4 of the upper one
  Wrapping tunnel = {};               // of tun

  [[nodiscard]] Endpoint endpoint() const { return Endpoint{address, port}; }
  auto operator<=>(const Destination&) const = default;
};

}  // namespace drover
