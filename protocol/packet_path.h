// What of a node, beside addresses and services, makes packets of a virtual service find their way:
// tunnel devices, routes, filters of ARP, firewall marks.
//
// Values only.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "protocol/address.h"
#include "protocol/destination.h"
#include "protocol/result.h"
#include "protocol/service_key.h"

namespace drover {

// The end of a tunnel that takes packets from any director (`ip link add NAME type ipip local …`).
// Identity is the name. It is up.
struct Tunnel {
  std::string name;
  TunnelKind kind = TunnelKind::kIpip;
  IpAddress local;  // IPv4

  auto operator<=>(const Tunnel&) const = default;
};

// A route of the main table through a router. Identity is the destination.
struct Route {
  Prefix destination;  // host bits are zero
  IpAddress gateway;

  auto operator<=>(const Route&) const = default;
};

// Questions for `address` (IPv4) are not heard, and who is looked for in its name is looked for in
// that of `sender`: what `arptables -A INPUT -d ADDRESS -j DROP` and `-A OUTPUT -s ADDRESS -j mangle
// --mangle-ip-s SENDER` do. Identity is the address.
struct ArpFilter {
  IpAddress address;
  IpAddress sender;

  auto operator<=>(const ArpFilter&) const = default;
};

// Packets that come for `traffic` are marked, so that one service can take several ports. Identity
// is the traffic.
struct PacketMark {
  SocketKey traffic;
  std::uint32_t mark = 0;

  auto operator<=>(const PacketMark&) const = default;
};

// In the order in which they are set: a route may lead over a tunnel.
using PathPart = std::variant<Tunnel, Route, ArpFilter, PacketMark>;

// "tunnel lvs0", "route 0.0.0.0/0", "arp filter 10.0.0.100", "mark tcp 10.0.0.100:80".
std::string NameOf(const PathPart& part);
// "ipip at 10.0.0.21", "via 10.1.0.1", "asks as 10.0.0.21", "fwmark 1".
std::string Summary(const PathPart& part);
// Names, families, usable addresses; one sentence for the first offence.
Status ValidatePathPart(const PathPart& part);

}  // namespace drover
