// VRRP advertisements as bytes: version 2 (RFC 3768) and version 3 (RFC 9568, RFC 5798), IPv4 and
// IPv6.
//
// Pure: bytes in, values out. Everything that one packet can be judged by alone is judged here;
// what needs the receiving instance's settings (is it mine, is its password right) is Accept's, in
// the order of RFC 9568, section 7.1. The IP header is read for IPv4 raw sockets only (they deliver
// it); for IPv6 the caller passes hop limit and addresses.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/address.h"
#include "protocol/result.h"

namespace drover::vrrp {

using Bytes = std::vector<std::uint8_t>;
using Centiseconds = std::chrono::duration<std::int32_t, std::centi>;

inline constexpr std::uint8_t kProtocolNumber = 112;  // RFC 9568, section 5.1.1.4
inline constexpr std::uint8_t kRequiredTtl = 255;     // section 5.1.1.3
inline constexpr std::uint8_t kOwnerPriority = 255;   // section 5.2.4
inline constexpr std::uint8_t kReleasePriority = 0;   // section 5.2.4: the master stops taking part
inline constexpr std::size_t kMaxAddresses = 255;     // section 5.2.5: a count of one byte
inline constexpr Centiseconds kMaxIntervalV3{4095};   // section 5.2.7: 12 bits
inline constexpr std::chrono::seconds kMaxIntervalV2{
    255};                                         // RFC 3768, section 5.3.7: one byte of seconds
inline constexpr std::size_t kPasswordBytes = 8;  // RFC 2338, section 5.3.6

enum class Version : std::uint8_t { k2 = 2, k3 = 3 };

// How the checksum of version 3 over IPv4 is made. RFC 5798 was read in two ways; RFC 9568,
// section 5.2.8 settles it (no pseudo-header), but keepalived puts one in, and before its 1.3.7
// always with the multicast address.
enum class ChecksumForm : std::uint8_t { kPlain, kPseudoHeader, kPseudoHeaderMulticast };

// Version 2 only. RFC 3768 took authentication out; PASS (RFC 2338) lives on in the field.
enum class AuthType : std::uint8_t { kNone = 0, kPassword = 1 };

struct Advertisement {
  Version version = Version::k3;
  std::uint8_t vrid = 1;  // 1 to 255
  std::uint8_t priority = 100;
  Centiseconds interval{100};  // version 2: whole seconds
  AuthType auth = AuthType::kNone;
  std::string password;              // at most kPasswordBytes; empty with kNone
  std::vector<IpAddress> addresses;  // of one family; their order is kept

  bool operator==(const Advertisement&) const = default;
};

// From where to where a packet goes; part of the checksum in some forms.
struct Route {
  IpAddress source;
  IpAddress destination;
};

// The VRRP part of a packet, without an IP header, checksum filled in (for IPv6 too). `form` counts
// for version 3 over IPv4.
Bytes Encode(const Advertisement& advertisement, const Route& route, ChecksumForm form);
// The same behind an IPv4 header as RFC 9568, section 5.1.1 wants it: TTL 255, TOS 0xC0
// (internetwork control), no options. `id` must not be 0. The kernel sends it as it is
// (IP_HDRINCL).
Bytes EncodeWithIpv4Header(const Advertisement& advertisement, const Route& route,
                           ChecksumForm form, std::uint16_t id);

// Why a packet is not listened to, in the order in which it is asked (RFC 9568, section 7.1). One
// counter each.
enum class Refusal : std::uint8_t {
  kTooShort,          // no whole header, or fewer addresses than it counts
  kTtl,               // not 255: it came through a router
  kVersion,           // not the version of the instance
  kVrid,              // another virtual router's; no fault
  kAuthType,          // version 2: none against password
  kPassword,          // version 2: another password
  kIntervalMismatch,  // version 2: RFC 3768, section 7.1; version 3 backups take the master's
                      // instead
  kType,              // no advertisement
  kZeroInterval,      // version 3: RFC 9568, erratum 8301
  kChecksum,          // none of the three forms fits
  kLength,            // the IP header counts other bytes than there are
  kFamily,  // multicast to an instance with unicast peers, or the reverse; or an unknown unicast
            // peer
  kOwnerIgnores,  // we are the address owner (priority 255)
  kOwnPacket,     // from our own address
};
inline constexpr std::size_t kRefusals = 14;
std::string_view ToString(Refusal refusal);

// A packet as the socket gave it.
struct Received {
  Bytes payload;  // from the VRRP header on
  Route route;
  int ttl = 0;                               // or hop limit
  std::optional<std::size_t> stated_length;  // payload length by the IPv4 header
};

// Takes an IPv4 packet apart; padding of short Ethernet frames behind its stated length is cut off.
Result<Received> SplitIpv4(std::string_view packet);

// An advertisement that fits the wire format, and the checksum form that its sender uses (empty for
// version 2 and IPv6).
struct Decoded {
  Advertisement advertisement;
  std::optional<ChecksumForm> form;

  bool operator==(const Decoded&) const = default;
};

// What an instance expects of packets.
struct Expectation {
  Version version = Version::k3;
  std::uint8_t vrid = 1;
  AuthType auth = AuthType::kNone;
  std::string password;
  Centiseconds interval{100};  // version 2
  bool is_owner = false;
  IpAddress own_address;
  std::vector<IpAddress> unicast_peers;  // empty: multicast
};

// All checks of section 7.1 in their order; the first that fails is the answer.
std::variant<Decoded, Refusal> Accept(const Received& packet, const Expectation& expectation);

}  // namespace drover::vrrp
