#include "protocol/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace drover {
namespace {

Result<int> ParseDecimal(std::string_view text, int min, int max, std::string_view what) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end || value < min || value > max) {
    return Fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no " + std::string(what) +
                                         " (" + std::to_string(min) + " to " + std::to_string(max) +
                                         ")");
  }
  return value;
}

}  // namespace

std::string_view ToString(Family family) { return family == Family::kIpv4 ? "ipv4" : "ipv6"; }

Result<Family> ParseFamily(std::string_view word) {
  if (word == "ipv4") return Family::kIpv4;
  if (word == "ipv6") return Family::kIpv6;
  return Fail(ErrorCode::kInvalid,
              "\"" + std::string(word) + "\" is no address family (ipv4, ipv6)");
}

IpAddress IpAddress::V4(const std::array<std::uint8_t, 4>& bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

IpAddress IpAddress::V6(const std::array<std::uint8_t, 16>& bytes) {
  IpAddress address;
  address.family_ = Family::kIpv6;
  address.bytes_ = bytes;
  return address;
}

Result<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string copy(
      text);  // inet_pton needs a terminator; an embedded NUL must not hide a tail
  if (copy.find('\0') == std::string::npos) {
    std::array<std::uint8_t, 4> v4{};
    if (inet_pton(AF_INET, copy.c_str(), v4.data()) == 1) return V4(v4);
    std::array<std::uint8_t, 16> v6{};
    if (inet_pton(AF_INET6, copy.c_str(), v6.data()) == 1) return V6(v6);
  }
  return Fail(ErrorCode::kInvalid, "\"" + copy + "\" is no IP address");
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1,
                     [](std::uint8_t byte) { return byte == 0; }) &&
         bytes_[15] == 1;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xF0) == 0xE0 : bytes_[0] == 0xFF;
}

std::string IpAddress::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

Result<Prefix> Prefix::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const Result<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return Fail(address.error());
  if (slash == std::string_view::npos) return Host(*address);
  const Result<int> length =
      ParseDecimal(text.substr(slash + 1), 0, address->bits(), "prefix length");
  if (!length) return Fail(length.error());
  return Prefix{*address, *length};
}

bool Prefix::Contains(const IpAddress& other) const {
  if (other.family() != address.family()) return false;
  for (int bit = 0; bit < length; bit += 8) {
    const int rest = std::min(8, length - bit);
    const unsigned mask = (0xFFu << (8 - rest)) & 0xFFu;
    if (((address.data()[bit / 8] ^ other.data()[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

std::string Prefix::ToString() const { return address.ToString() + "/" + std::to_string(length); }

Result<std::uint16_t> ParsePort(std::string_view text) {
  const Result<int> port = ParseDecimal(text, 1, 65535, "port");
  if (!port) return Fail(port.error());
  return static_cast<std::uint16_t>(*port);
}

Result<Endpoint> Endpoint::Parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string quoted = "\"" + std::string(text) + "\"";
  if (colon == std::string_view::npos) {
    return Fail(ErrorCode::kInvalid, quoted + " has no port: write ADDRESS:PORT");
  }
  std::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Fail(ErrorCode::kInvalid,
                quoted + ": write an IPv6 address with a port as [ADDRESS]:PORT");
  }
  const Result<IpAddress> address = IpAddress::Parse(host);
  if (!address) return Fail(address.error());
  const Result<std::uint16_t> port = ParsePort(text.substr(colon + 1));
  if (!port) return Fail(port.error());
  return Endpoint{*address, *port};
}

std::string Endpoint::ToString() const {
  const std::string text = address.ToString();
  return (address.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

}  // namespace drover
