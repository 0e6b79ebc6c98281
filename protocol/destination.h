// A real server as ip_vs knows it.
//
// Values only.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// How the director hands a packet to a real server (ipvsadm: gatewaying, masquerading, tunneling).
enum class Forwarding : std::uint8_t { kDr, kNat, kTun };
std::string_view ToString(Forwarding forwarding);  // "dr", "nat", "tun"
Result<Forwarding> ParseForwarding(std::string_view word);

// How tunnelled packets are wrapped.
enum class TunnelKind : std::uint8_t { kIpip, kGre };
std::string_view ToString(TunnelKind kind);  // "ipip", "gre"; also the kernel's words
Result<TunnelKind> ParseTunnelKind(std::string_view word);

// A real server in a service's table. Identity is (address, port) within its service.
struct Destination {
  IpAddress address;
  std::uint16_t port = 0;
  Forwarding forward = Forwarding::kDr;
  std::uint32_t weight = 1;           // 0 to 65535; 0 takes no new connections
  std::uint32_t upper_threshold = 0;  // connections; 0 is none
  std::uint32_t lower_threshold = 0;  // connections; 0 lets the kernel choose 3/4 of the upper one
  TunnelKind tunnel = TunnelKind::kIpip;  // of tun

  [[nodiscard]] Endpoint endpoint() const { return Endpoint{address, port}; }
  auto operator<=>(const Destination&) const = default;
};

}  // namespace drover
