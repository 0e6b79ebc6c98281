// IP addresses, prefixes and endpoints as values, with the spellings that people and the kernel
// use.
//
// Pure: no name is ever resolved here. IPv6 is compressed as in RFC 5952.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/result.h"

namespace drover {

enum class Family : std::uint8_t { kIpv4, kIpv6 };

std::string_view ToString(Family family);  // "ipv4", "ipv6"
Result<Family> ParseFamily(std::string_view word);

// One IPv4 or IPv6 address, bytes in network order.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress V4(const std::array<std::uint8_t, 4>& bytes);
  static IpAddress V6(const std::array<std::uint8_t, 16>& bytes);
  // kInvalid unless `text` is exactly one address (no zone, no prefix, no octal or short forms).
  static Result<IpAddress> Parse(std::string_view text);

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] bool is_v4() const { return family_ == Family::kIpv4; }
  // 4 or 16 bytes in network order.
  [[nodiscard]] const std::uint8_t* data() const { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const { return is_v4() ? 4 : 16; }
  // 32 or 128.
  [[nodiscard]] int bits() const { return is_v4() ? 32 : 128; }
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] std::string ToString() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::kIpv4;
  std::array<std::uint8_t, 16> bytes_{};  // unused bytes are zero, so that comparison works
};

// An address with its prefix length, as set on an interface ("10.0.0.100/32"). Host bits are kept.
struct Prefix {
  IpAddress address;
  int length = 32;

  // "10.0.0.1/24"; without a length the address stands alone (/32, /128).
  static Result<Prefix> Parse(std::string_view text);
  static Prefix Host(const IpAddress& address) { return Prefix{address, address.bits()}; }
  // True when `other` lies in the network of this prefix; false across families.
  [[nodiscard]] bool Contains(const IpAddress& other) const;
  [[nodiscard]] std::string ToString() const;

  auto operator<=>(const Prefix&) const = default;
};

// Address and port: "10.0.0.100:80", "[2001:db8::1]:80". Port 0 is refused by Parse.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  static Result<Endpoint> Parse(std::string_view text);
  [[nodiscard]] std::string ToString() const;

  auto operator<=>(const Endpoint&) const = default;
};

// 1 to 65535 in decimal digits; anything else is kInvalid with the limits named.
Result<std::uint16_t> ParsePort(std::string_view text);

}  // namespace drover
