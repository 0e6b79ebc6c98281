// Which MAC the frames of a client came from: with direct routing that is the director that
// forwarded them. Looks at the packets to one local port beside the kernel.
//
// One thread at a time. Needs CAP_NET_RAW. The kernel hands a packet to the tap before the socket
// that it is for, so that whoever reads a request finds its frame here already.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "node-helper/net/packet_socket.h"
#include "protocol/address.h"
#include "protocol/probe_log.h"
#include "protocol/result.h"

namespace drover {

enum class TapProtocol : std::uint8_t { kTcp, kUdp };

class FrameTap {
 public:
  static constexpr std::size_t kMaxClients = 65536;

  static Result<FrameTap> Open(TapProtocol protocol, Family family, std::uint16_t port);

  // Source of the last frame from `client`; all zero when none was seen or the link has no MACs.
  MacAddress LastFrom(const Endpoint& client);
  void Forget(const Endpoint& client) { seen_.erase(client); }

 private:
  FrameTap(PacketSocket socket, Family family) : socket_(std::move(socket)), family_(family) {}
  void Drain();

  PacketSocket socket_;
  Family family_;
  std::map<Endpoint, MacAddress> seen_;
};

// Sender of a TCP or UDP packet given from its IP header on; nothing when it is cut short.
std::optional<Endpoint> SenderOf(Family family, std::span<const std::uint8_t> packet);

}  // namespace drover
