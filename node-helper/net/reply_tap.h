// Sees the SYN-ACKs of one service as they come in (of a UDP service all datagrams), and so from
// which MAC each new connection of this host was answered: with direct routing that is the real
// server itself.
//
// One thread at a time. The kernel hands a packet to the tap before TCP or UDP sees it, so a
// connection that is established has its answer waiting here already.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "node-helper/net/packet_socket.h"
#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

class ReplyTap {
 public:
  // Needs CAP_NET_RAW. Sees IPv6 without extension headers only. Another transport than UDP is TCP.
  static Result<ReplyTap> Open(const SocketKey& service);

  // How the answer to a connection came in.
  struct Reply {
    std::string mac;  // empty: none was seen, or the link has no MACs (lo)
    int ttl = 0;      // or hop limit; 0: none was seen
  };
  // The first one to `local_port` since it was last asked for. Forgets all others: connections
  // come one after the other.
  Reply Take(std::uint16_t local_port);
  std::uint32_t TakeDrops() { return socket_.TakeDrops(); }

 private:
  ReplyTap(PacketSocket socket, Family family) : socket_(std::move(socket)), family_(family) {}

  PacketSocket socket_;
  Family family_;
};

// The local (destination) port of a TCP or UDP packet given from its IP header on; nothing when it
// is cut short.
std::optional<std::uint16_t> DestinationPortOf(Family family, std::span<const std::uint8_t> packet);
// How many more routers it could pass; 0 when it is cut short.
int TimeToLiveOf(Family family, std::span<const std::uint8_t> packet);

}  // namespace drover
