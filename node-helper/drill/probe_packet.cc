#include "node-helper/drill/probe_packet.h"

#include <algorithm>
#include <array>

namespace drover {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic = {'D', 'P', 'R', 'B'};
constexpr std::uint8_t kVersion = 1;
enum Kind : std::uint8_t { kRequest = 1, kEcho = 2, kMarkerKind = 3 };
constexpr std::size_t kEchoFixed = kProbePacketBytes + 8 + 6 + 1;
constexpr std::size_t kMarkerFixed = kProbePacketBytes + 1;

void Put64(std::vector<std::uint8_t>& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

std::uint64_t Get64(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes.subspan(at, 8)) value = value << 8 | byte;
  return value;
}

std::vector<std::uint8_t> Fixed(Kind kind, std::uint8_t series, std::uint64_t run,
                                std::uint64_t id) {
  std::vector<std::uint8_t> out(kMagic.begin(), kMagic.end());
  out.reserve(kMaxProbePacketBytes);
  out.insert(out.end(), {kVersion, kind, series, 0});
  Put64(out, run);
  Put64(out, id);
  return out;
}

bool IsKind(std::span<const std::uint8_t> bytes, Kind kind) {
  return bytes.size() >= kProbePacketBytes &&
         std::equal(kMagic.begin(), kMagic.end(), bytes.begin()) && bytes[4] == kVersion &&
         bytes[5] == kind && bytes[7] == 0;
}

ProbeRequest FixedPart(std::span<const std::uint8_t> bytes) {
  return {.run = Get64(bytes, 8), .id = Get64(bytes, 16), .series = bytes[6]};
}

// The text behind its length at the end of the packet.
std::optional<std::string> LastText(std::span<const std::uint8_t> bytes, std::size_t at,
                                    std::size_t limit) {
  if (bytes[at] > limit || bytes.size() != at + 1 + bytes[at]) return std::nullopt;
  const auto text = bytes.subspan(at + 1);
  return std::string(text.begin(), text.end());
}

void PutText(std::vector<std::uint8_t>& out, std::string_view text, std::size_t limit) {
  text = text.substr(0, limit);
  out.push_back(static_cast<std::uint8_t>(text.size()));
  out.insert(out.end(), text.begin(), text.end());
}

}  // namespace

std::vector<std::uint8_t> EncodeProbeRequest(const ProbeRequest& request) {
  return Fixed(kRequest, request.series, request.run, request.id);
}

std::vector<std::uint8_t> EncodeProbeEcho(const ProbeEcho& echo) {
  const ProbeRequest& request = echo.request;
  std::vector<std::uint8_t> out = Fixed(kEcho, request.series, request.run, request.id);
  Put64(out, static_cast<std::uint64_t>(echo.received_us));
  out.insert(out.end(), echo.mac.begin(), echo.mac.end());
  PutText(out, echo.responder, kMaxProbeName);
  return out;
}

std::vector<std::uint8_t> EncodeProbeMarker(const ProbeMarkerPacket& marker) {
  std::vector<std::uint8_t> out = Fixed(kMarkerKind, 0, 0, 0);
  PutText(out, marker.text, kMaxProbeText);
  return out;
}

std::optional<ProbeRequest> DecodeProbeRequest(std::span<const std::uint8_t> bytes) {
  if (!IsKind(bytes, kRequest) || bytes.size() != kProbePacketBytes) return std::nullopt;
  return FixedPart(bytes);
}

std::optional<ProbeEcho> DecodeProbeEcho(std::span<const std::uint8_t> bytes) {
  if (!IsKind(bytes, kEcho) || bytes.size() < kEchoFixed) return std::nullopt;
  ProbeEcho echo{.request = FixedPart(bytes),
                 .received_us = static_cast<std::int64_t>(Get64(bytes, kProbePacketBytes))};
  std::copy_n(bytes.begin() + kProbePacketBytes + 8, echo.mac.size(), echo.mac.begin());
  auto name = LastText(bytes, kEchoFixed - 1, kMaxProbeName);
  if (!name) return std::nullopt;
  echo.responder = std::move(*name);
  return echo;
}

std::optional<ProbeMarkerPacket> DecodeProbeMarker(std::span<const std::uint8_t> bytes) {
  if (!IsKind(bytes, kMarkerKind) || bytes.size() < kMarkerFixed) return std::nullopt;
  auto text = LastText(bytes, kMarkerFixed - 1, kMaxProbeText);
  if (!text) return std::nullopt;
  return ProbeMarkerPacket{.text = std::move(*text)};
}

}  // namespace drover
