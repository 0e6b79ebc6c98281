// Frames as a pcap file, for every tool that reads those.
//
// Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace drover {

// An Ethernet frame with the time at which the kernel saw it.
struct CapturedFrame {
  std::int64_t monotonic_us = 0;  // CLOCK_MONOTONIC
  std::uint32_t length = 0;       // on the wire; `bytes` may hold less
  std::vector<std::uint8_t> bytes;
  bool operator==(const CapturedFrame&) const = default;
};

// Classic pcap with microseconds, link type Ethernet. The frames' times become wall time:
// `wall_us` is the wall clock (since 1970) at `monotonic_us`. What the wall clock did meanwhile
// does not matter.
std::string EncodePcap(std::span<const CapturedFrame> frames, std::int64_t wall_us,
                       std::int64_t monotonic_us);

}  // namespace drover
