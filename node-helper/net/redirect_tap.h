// Sees ICMP redirects (RFC 792, type 5) that come in: with direct routing a director that sends
// them tells clients to go straight to a real server. Also sends the packets that provoke a
// neighbour.
//
// One thread at a time. Needs CAP_NET_RAW. IPv4.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "node-helper/net/packet_socket.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

struct RedirectHeard {
  std::string mac;
  IpAddress from;
};

class RedirectTap {
 public:
  static Result<RedirectTap> Open();

  // The next one that waits; does not wait itself.
  std::optional<RedirectHeard> Hear();
  // `packet` from its IP header on, to the host with this MAC.
  Status Send(int interface_index, const MacAddress& to, std::span<const std::uint8_t> packet) {
    return socket_.Send(interface_index, to, packet);
  }

 private:
  explicit RedirectTap(PacketSocket socket) : socket_(std::move(socket)) {}

  PacketSocket socket_;
};

}  // namespace drover
