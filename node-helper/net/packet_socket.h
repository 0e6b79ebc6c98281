// A packet socket that sees packets of one protocol on all interfaces, with the MAC they came from,
// beside what the kernel itself does with them.
//
// One thread at a time. Needs CAP_NET_RAW. Which packets matter is said by a BPF filter.
#pragma once

#include <linux/filter.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "node-helper/net/gratuitous_arp.h"
#include "protocol/result.h"

namespace drover {

// A packet that came in, from its network header on.
struct PacketSeen {
  MacAddress source{};  // all zero when the link has no Ethernet addresses
  int interface_index = 0;
  std::vector<std::uint8_t> bytes;
};

class PacketSocket {
 public:
  // Sees nothing that does not pass `filter` (empty: everything passes); packets that leave this
  // host are never seen.
  static Result<PacketSocket> Open(std::uint16_t ethertype, std::span<const sock_filter> filter);
  PacketSocket(PacketSocket&& other) noexcept;
  PacketSocket& operator=(PacketSocket&& other) noexcept;
  ~PacketSocket();

  // `bytes` start at the network header; the kernel puts the Ethernet header before it.
  Status Send(int interface_index, const MacAddress& to, std::span<const std::uint8_t> bytes);
  // The next packet that waits; does not wait itself.
  std::optional<PacketSeen> Receive();
  // Packets that came while the queue was full, since the last call.
  std::uint32_t TakeDrops();
  [[nodiscard]] int fd() const { return fd_; }

 private:
  PacketSocket(int fd, std::uint16_t ethertype) : fd_(fd), ethertype_(ethertype) {}

  int fd_ = -1;
  std::uint16_t ethertype_ = 0;
};

}  // namespace drover
