// What identifies a virtual service in ip_vs: protocol, address and port, or a firewall mark.
//
// Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

enum class Transport : std::uint8_t { kTcp, kUdp, kSctp };
std::string_view ToString(Transport transport);  // "tcp", "udp", "sctp"
Result<Transport> ParseTransport(std::string_view word);

// A virtual service found by protocol, address and port. Port 0 means every port and needs
// persistence (ip_vs rule).
struct SocketKey {
  Transport transport = Transport::kTcp;
  IpAddress address;
  std::uint16_t port = 0;

  auto operator<=>(const SocketKey&) const = default;
};

// A virtual service found by firewall mark (not 0) and family.
struct FwmarkKey {
  std::uint32_t mark = 0;
  Family family = Family::kIpv4;

  auto operator<=>(const FwmarkKey&) const = default;
};

// What identifies a virtual service in the kernel's table.
using ServiceKey = std::variant<SocketKey, FwmarkKey>;
std::string ToString(const ServiceKey& key);  // "tcp 10.0.0.100:80", "fwmark 7 ipv4"
Family FamilyOf(const ServiceKey& key);

}  // namespace drover
