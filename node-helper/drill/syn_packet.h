// A bare SYN and what answers it, as bytes (RFC 9293 3.1).
//
// Pure. Whatever comes from the network is checked.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "protocol/address.h"

namespace drover {

// The TCP segment with its checksum; the kernel puts the IP header before it.
std::vector<std::uint8_t> SynSegment(const Endpoint& from, const Endpoint& to,
                                     std::uint32_t sequence);

struct SynAnswer {
  std::uint16_t from_port = 0;
  std::uint16_t to_port = 0;
  std::uint32_t acknowledged = 0;
  bool reset = false;
  bool operator==(const SynAnswer&) const = default;
};
// A SYN-ACK or a reset that acknowledges, as a raw socket gives it: IPv4 with its header, IPv6
// without. Nothing for other segments.
std::optional<SynAnswer> DecodeSynAnswer(Family family, std::span<const std::uint8_t> packet);

// The sequence number of a segment of which there may be the first eight bytes only.
std::optional<std::uint32_t> SequenceIn(std::span<const std::uint8_t> segment);

// Lets only segments from `port` to a raw socket.
std::vector<sock_filter> SynAnswerFilter(Family family, std::uint16_t port);

}  // namespace drover
