// What of a node, beside addresses and services, makes packets of a virtual service find their way:
// tunnel devices with their receivers, routes, filters of ARP, firewall marks.
//
// Values only.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "protocol/address.h"
#include "protocol/destination.h"
#include "protocol/mac_address.h"
#include "protocol/result.h"
#include "protocol/service_key.h"

namespace drover {

// The end of a tunnel that takes packets from any director (`ip link add NAME type ipip local …`);
// ipip or gre. Identity is the name. It is up.
struct Tunnel {
  std::string name;
  TunnelKind kind = TunnelKind::kIpip;
  IpAddress local;  // IPv4

  auto operator<=>(const Tunnel&) const = default;
};

// Takes packets that come in GUE to a UDP port, at every IPv4 address of the node (`ip fou add port
// PORT gue`). The packet inside is ipip, and goes on to a tunnel of that kind. Identity is the
// port.
struct GueReceiver {
  std::uint16_t port = 0;

  auto operator<=>(const GueReceiver&) const = default;
};

// A route of the main table through a router. Identity is the destination.
struct Route {
  Prefix destination;  // host bits are zero
  IpAddress gateway;

  auto operator<=>(const Route&) const = default;
};

// Questions for `address` (IPv4) are not heard, and who is looked for in its name is looked for in
// that of `sender`: what `arptables -A INPUT -d ADDRESS -j DROP` and `-A OUTPUT -s ADDRESS -j
// mangle
// --mangle-ip-s SENDER` do. Identity is the address.
struct ArpFilter {
  IpAddress address;
  IpAddress sender;

  auto operator<=>(const ArpFilter&) const = default;
};

// Packets that come for `traffic` are marked, so that one service can take several ports. What the
// hosts of `except_from` send keeps no mark: another director has chosen a server for it already.
// Identity is the traffic.
struct PacketMark {
  SocketKey traffic;
  std::uint32_t mark = 0;
  std::vector<MacAddress> except_from = {};  // at most kMaxExceptions, in ascending order

  auto operator<=>(const PacketMark&) const = default;
};

// The comment of a rule names them all, and holds 253 bytes.
inline constexpr std::size_t kMaxExceptions = 8;

// In the order in which they are set: a route may lead over a tunnel.
using PathPart = std::variant<Tunnel, GueReceiver, Route, ArpFilter, PacketMark>;

// "tunnel lvs0", "gue receiver 6080", "route 0.0.0.0/0", "arp filter 10.0.0.100",
// "mark tcp 10.0.0.100:80".
std::string NameOf(const PathPart& part);
// "ipip at 10.0.0.21", "on UDP port 6080", "via 10.1.0.1", "asks as 10.0.0.21", "fwmark 1",
// "fwmark 1 not from 02:00:00:00:00:01".
std::string Summary(const PathPart& part);
// Names, families, usable addresses; one sentence for the first offence.
Status ValidatePathPart(const PathPart& part);

}  // namespace drover
