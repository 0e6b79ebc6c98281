// The datagrams between a prober and its responders: a numbered request, its echo with the name of
// who answered, and markers that put a moment of another host on the prober's clock.
//
// Pure. Integers are big-endian; whatever comes from the network is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/probe_log.h"

namespace drover {

// magic(4) version(1) kind(1) series(1) zero(1) run(8) id(8)
inline constexpr std::size_t kProbePacketBytes = 24;
inline constexpr std::size_t kMaxProbePacketBytes = 512;

struct ProbeRequest {
  std::uint64_t run = 0;  // random per run, so that nobody takes an older run's answer
  std::uint64_t id = 0;   // within the series
  std::uint8_t series = 0;
  bool operator==(const ProbeRequest&) const = default;
};

// The request's fields, then received(8, signed) mac(6) length(1) name.
struct ProbeEcho {
  ProbeRequest request;
  std::int64_t received_us = 0;  // CLOCK_MONOTONIC of the responder
  MacAddress mac{};              // source of the request's frame; all zero: unknown
  std::string responder;         // at most kMaxProbeName bytes
  bool operator==(const ProbeEcho&) const = default;
};

// The fixed part with run and id 0, then length(1) text.
struct ProbeMarkerPacket {
  std::string text;  // at most kMaxProbeText bytes
  bool operator==(const ProbeMarkerPacket&) const = default;
};

std::vector<std::uint8_t> EncodeProbeRequest(const ProbeRequest& request);
std::vector<std::uint8_t> EncodeProbeEcho(const ProbeEcho& echo);
std::vector<std::uint8_t> EncodeProbeMarker(const ProbeMarkerPacket& marker);
// Nothing when the bytes are no such packet.
std::optional<ProbeRequest> DecodeProbeRequest(std::span<const std::uint8_t> bytes);
std::optional<ProbeEcho> DecodeProbeEcho(std::span<const std::uint8_t> bytes);
std::optional<ProbeMarkerPacket> DecodeProbeMarker(std::span<const std::uint8_t> bytes);

}  // namespace drover
