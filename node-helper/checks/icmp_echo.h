// ICMP and ICMPv6 echo as bytes (RFC 792, RFC 4443), and the errors that come instead of a reply.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/address.h"

namespace drover {

// What an echo request is known by when its answer comes.
struct EchoMark {
  std::uint16_t id = 0;
  std::uint16_t sequence = 0;
  auto operator<=>(const EchoMark&) const = default;
};

// A message that speaks of one of our requests.
struct EchoAnswer {
  EchoMark mark;
  std::string error;  // empty: the reply; else "host unreachable"
  // An error comes from a router; it quotes whom we asked.
  std::optional<IpAddress> asked;
  bool operator==(const EchoAnswer&) const = default;
};

// With the checksum for IPv4; for IPv6 the kernel fills it in.
std::string EncodeEcho(Family family, const EchoMark& mark, std::string_view payload);
// `packet` as a raw socket gives it: with the IP header for IPv4, without for IPv6. Empty for
// everything that is no answer to an echo request.
std::optional<EchoAnswer> DecodeEchoAnswer(Family family, std::string_view packet);

}  // namespace drover
