// A connection as ip_vs keeps it, what kind it is, and its fingerprint: a number that is the same
// on every director that holds the connection.
//
// Pure. Reading the kernel's table is left to node-helper/net/connection_table.h.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/address.h"

namespace drover {

// What an entry of the table stands for. Handing over is about the established ones, the datagrams
// and the templates; the others end within minutes by themselves.
enum class ConnectionClass : std::uint8_t {
  kOpening,      // before the handshake is through; never synchronised
  kEstablished,  // TCP or SCTP
  kClosing,
  kDatagram,  // UDP
  kTemplate,  // the memory of a persistent client
  kOther,
};
inline constexpr std::size_t kConnectionClasses = 6;
std::string_view ToString(ConnectionClass kind);  // "opening", "established", …

// One entry.
struct Connection {
  std::uint8_t protocol = 0;  // as in the IP header; 0: a template for every protocol
  Endpoint client;            // port 0: a template
  Endpoint virtual_address;
  Endpoint real_server;  // may be of the other family (tunnels)
  ConnectionClass kind = ConnectionClass::kOther;

  bool operator==(const Connection&) const = default;
};

// By the kernel's words for states (net/netfilter/ipvs/ip_vs_proto_*.c).
ConnectionClass ClassOf(std::uint8_t protocol, std::uint16_t client_port, std::string_view state);

// True for those whose loss somebody would notice.
bool MattersForHandover(ConnectionClass kind);

// A hash of protocol, client, virtual address and real server. Without a key, because all directors
// have to agree, and spread evenly over 64 bits.
std::uint64_t Fingerprint(const Connection& connection);

// How many entries there are of each class.
struct ClassCounts {
  std::array<std::uint64_t, kConnectionClasses> of{};

  void Add(ConnectionClass kind) { ++of[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t total() const;
  bool operator==(const ClassCounts&) const = default;
};

}  // namespace drover
