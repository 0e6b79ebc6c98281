#include "node-helper/vrrp/packet.h"

#include <algorithm>
#include <array>

namespace drover::vrrp {
namespace {

constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kAuthBytes = 8;
constexpr std::size_t kChecksumOffset = 6;
constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::uint8_t kTypeAdvertisement = 1;
constexpr std::uint8_t kTosInternetworkControl = 0xC0;
constexpr std::array<std::uint8_t, 4> kMulticastIpv4 = {224, 0, 0, 18};

void PutU16(Bytes& bytes, std::size_t offset, std::uint16_t value) {
  bytes[offset] = static_cast<std::uint8_t>(value >> 8);
  bytes[offset + 1] = static_cast<std::uint8_t>(value & 0xFF);
}

std::uint16_t GetU16(const Bytes& bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

// The Internet checksum's running sum (RFC 1071).
std::uint32_t Sum(const std::uint8_t* bytes, std::size_t size, std::uint32_t sum) {
  for (std::size_t i = 0; i + 1 < size; i += 2)
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (size % 2 != 0) sum += static_cast<std::uint32_t>(bytes[size - 1] << 8);
  return sum;
}

std::uint16_t Fold(std::uint32_t sum) {
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum & 0xFFFF);
}

// Source, destination, protocol and length (RFC 2460, section 8.1, and its IPv4 twin in RFC 793).
std::uint32_t PseudoHeaderSum(const Route& route, std::size_t length) {
  std::uint32_t sum = Sum(route.source.data(), route.source.size(), 0);
  sum = Sum(route.destination.data(), route.destination.size(), sum);
  return sum + kProtocolNumber + static_cast<std::uint32_t>(length);
}

// Over bytes whose checksum field is zero gives the checksum; over a whole packet gives 0 when it
// is right.
std::uint16_t Checksum(const Bytes& payload, Version version, const Route& route,
                       ChecksumForm form) {
  std::uint32_t sum = Sum(payload.data(), payload.size(), 0);
  const bool ipv6 = !route.source.is_v4();
  if (ipv6) return Fold(sum + PseudoHeaderSum(route, payload.size()));
  if (version == Version::k2 || form == ChecksumForm::kPlain) return Fold(sum);
  const Route multicast{route.source, IpAddress::V4(kMulticastIpv4)};
  return Fold(sum +
              PseudoHeaderSum(form == ChecksumForm::kPseudoHeaderMulticast ? multicast : route,
                              payload.size()));
}

std::size_t PayloadBytes(Version version, std::size_t addresses, std::size_t address_bytes) {
  return kHeaderBytes + addresses * address_bytes + (version == Version::k2 ? kAuthBytes : 0);
}

std::optional<ChecksumForm> FormOf(const Bytes& payload, Version version, const Route& route) {
  for (const ChecksumForm form :
       {ChecksumForm::kPlain, ChecksumForm::kPseudoHeader, ChecksumForm::kPseudoHeaderMulticast}) {
    if (Checksum(payload, version, route, form) == 0) return form;
  }
  return std::nullopt;
}

std::string PasswordOf(const Bytes& payload, std::size_t offset) {
  std::string password(payload.begin() + static_cast<std::ptrdiff_t>(offset),
                       payload.begin() + static_cast<std::ptrdiff_t>(offset + kAuthBytes));
  password.erase(
      std::find_if(password.rbegin(), password.rend(), [](char c) { return c != '\0'; }).base(),
      password.end());
  return password;
}

// In constant time, so that answers do not tell how much of a password was right.
bool SamePassword(const std::string& a, const std::string& b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < kPasswordBytes; ++i) {
    const char left = i < a.size() ? a[i] : '\0';
    const char right = i < b.size() ? b[i] : '\0';
    difference |= static_cast<unsigned char>(left ^ right);
  }
  return difference == 0;
}

std::vector<IpAddress> AddressesOf(const Bytes& payload, std::size_t count,
                                   std::size_t address_bytes) {
  std::vector<IpAddress> addresses;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* at = payload.data() + kHeaderBytes + i * address_bytes;
    if (address_bytes == 4) {
      std::array<std::uint8_t, 4> v4{};
      std::copy_n(at, v4.size(), v4.begin());
      addresses.push_back(IpAddress::V4(v4));
    } else {
      std::array<std::uint8_t, 16> v6{};
      std::copy_n(at, v6.size(), v6.begin());
      addresses.push_back(IpAddress::V6(v6));
    }
  }
  return addresses;
}

// The fields of a packet whose length was checked.
Advertisement FieldsOf(const Bytes& payload, std::size_t address_bytes) {
  Advertisement fields;
  fields.version = static_cast<Version>(payload[0] >> 4);
  fields.vrid = payload[1];
  fields.priority = payload[2];
  if (fields.version == Version::k2) {
    fields.auth = static_cast<AuthType>(payload[4]);
    fields.interval = std::chrono::seconds(payload[5]);
    if (fields.auth == AuthType::kPassword) {
      fields.password = PasswordOf(payload, kHeaderBytes + payload[3] * address_bytes);
    }
  } else {
    fields.interval = Centiseconds(GetU16(payload, 4) & 0x0FFF);
  }
  fields.addresses = AddressesOf(payload, payload[3], address_bytes);
  return fields;
}

// The checks of version 2 that compare with our own settings (RFC 2338, section 7.1).
std::optional<Refusal> RefusalOfVersion2(const Advertisement& fields,
                                         const Expectation& expectation) {
  if (fields.auth != expectation.auth) return Refusal::kAuthType;
  if (fields.auth == AuthType::kPassword && !SamePassword(fields.password, expectation.password))
    return Refusal::kPassword;
  if (fields.interval != expectation.interval) return Refusal::kIntervalMismatch;
  return std::nullopt;
}

std::optional<Refusal> RefusalByOrigin(const Route& route, const Expectation& expectation) {
  const std::vector<IpAddress>& peers = expectation.unicast_peers;
  if (route.destination.is_multicast() != peers.empty()) return Refusal::kFamily;
  if (!peers.empty() && std::find(peers.begin(), peers.end(), route.source) == peers.end())
    return Refusal::kFamily;
  if (expectation.is_owner) return Refusal::kOwnerIgnores;
  if (route.source == expectation.own_address) return Refusal::kOwnPacket;
  return std::nullopt;
}

}  // namespace

Bytes Encode(const Advertisement& advertisement, const Route& route, ChecksumForm form) {
  const std::size_t address_bytes = route.source.size();
  const std::size_t count = std::min(advertisement.addresses.size(), kMaxAddresses);
  Bytes payload(PayloadBytes(advertisement.version, count, address_bytes), 0);
  payload[0] = static_cast<std::uint8_t>(static_cast<unsigned>(advertisement.version) << 4 |
                                         kTypeAdvertisement);
  payload[1] = advertisement.vrid;
  payload[2] = advertisement.priority;
  payload[3] = static_cast<std::uint8_t>(count);
  if (advertisement.version == Version::k2) {
    payload[4] = static_cast<std::uint8_t>(advertisement.auth);
    payload[5] = static_cast<std::uint8_t>(
        std::chrono::duration_cast<std::chrono::seconds>(advertisement.interval).count());
    const std::size_t size = std::min(advertisement.password.size(), kPasswordBytes);
    std::copy_n(advertisement.password.begin(), size,
                payload.end() - static_cast<std::ptrdiff_t>(kAuthBytes));
  } else {
    PutU16(payload, 4, static_cast<std::uint16_t>(advertisement.interval.count() & 0x0FFF));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const IpAddress& address = advertisement.addresses[i];
    std::copy_n(address.data(), address_bytes,
                payload.begin() + static_cast<std::ptrdiff_t>(kHeaderBytes + i * address_bytes));
  }
  PutU16(payload, kChecksumOffset, Checksum(payload, advertisement.version, route, form));
  return payload;
}

Bytes EncodeWithIpv4Header(const Advertisement& advertisement, const Route& route,
                           ChecksumForm form, std::uint16_t id) {
  const Bytes payload = Encode(advertisement, route, form);
  Bytes packet(kIpv4HeaderBytes + payload.size(), 0);
  packet[0] = 0x45;
  packet[1] = kTosInternetworkControl;
  PutU16(packet, 2, static_cast<std::uint16_t>(kIpv4HeaderBytes + payload.size()));
  PutU16(packet, 4, id);
  packet[8] = kRequiredTtl;
  packet[9] = kProtocolNumber;
  std::copy_n(route.source.data(), 4, packet.begin() + 12);
  std::copy_n(route.destination.data(), 4, packet.begin() + 16);
  PutU16(packet, 10, Fold(Sum(packet.data(), kIpv4HeaderBytes, 0)));
  std::copy(payload.begin(), payload.end(), packet.begin() + kIpv4HeaderBytes);
  return packet;
}

std::string_view ToString(Refusal refusal) {
  switch (refusal) {
    case Refusal::kTooShort:
      return "too_short";
    case Refusal::kTtl:
      return "ttl";
    case Refusal::kVersion:
      return "version";
    case Refusal::kVrid:
      return "vrid";
    case Refusal::kAuthType:
      return "auth_type";
    case Refusal::kPassword:
      return "password";
    case Refusal::kIntervalMismatch:
      return "interval_mismatch";
    case Refusal::kType:
      return "type";
    case Refusal::kZeroInterval:
      return "zero_interval";
    case Refusal::kChecksum:
      return "checksum";
    case Refusal::kLength:
      return "length";
    case Refusal::kFamily:
      return "peer";
    case Refusal::kOwnerIgnores:
      return "owner_ignores";
    case Refusal::kOwnPacket:
      return "own_packet";
  }
  return "?";
}

Result<Received> SplitIpv4(std::string_view packet) {
  if (packet.size() < kIpv4HeaderBytes)
    return Fail(ErrorCode::kInvalid, "shorter than an IPv4 header");
  const Bytes bytes(packet.begin(), packet.end());
  const std::size_t header = static_cast<std::size_t>(bytes[0] & 0x0F) * 4;
  if (bytes[0] >> 4 != 4 || header < kIpv4HeaderBytes || header > bytes.size()) {
    return Fail(ErrorCode::kInvalid, "no IPv4 header");
  }
  const std::size_t total = GetU16(bytes, 2);
  if (total < header)
    return Fail(ErrorCode::kInvalid, "the IPv4 header counts fewer bytes than itself");
  const std::size_t end = std::min(total, bytes.size());
  Received received;
  received.payload.assign(bytes.begin() + static_cast<std::ptrdiff_t>(header),
                          bytes.begin() + static_cast<std::ptrdiff_t>(end));
  received.route = {IpAddress::V4({bytes[12], bytes[13], bytes[14], bytes[15]}),
                    IpAddress::V4({bytes[16], bytes[17], bytes[18], bytes[19]})};
  received.ttl = bytes[8];
  received.stated_length = total - header;
  return received;
}

std::variant<Decoded, Refusal> Accept(const Received& packet, const Expectation& expectation) {
  const Bytes& payload = packet.payload;
  if (payload.size() < kHeaderBytes) return Refusal::kTooShort;
  // A unicast peer may be routed to; the source list is its guard (keepalived does the same).
  if (expectation.unicast_peers.empty() && packet.ttl != kRequiredTtl) return Refusal::kTtl;
  if (payload[0] >> 4 != static_cast<int>(expectation.version)) return Refusal::kVersion;
  if (payload[1] != expectation.vrid) return Refusal::kVrid;
  const std::size_t address_bytes = packet.route.source.size();
  const std::size_t wanted = PayloadBytes(expectation.version, payload[3], address_bytes);
  if (payload.size() < wanted) return Refusal::kTooShort;
  const Advertisement fields = FieldsOf(payload, address_bytes);
  if (fields.version == Version::k2) {
    if (const std::optional<Refusal> refusal = RefusalOfVersion2(fields, expectation))
      return *refusal;
  }
  if ((payload[0] & 0x0F) != kTypeAdvertisement) return Refusal::kType;
  if (fields.interval == Centiseconds::zero()) return Refusal::kZeroInterval;
  if (payload.size() != wanted || packet.stated_length.value_or(wanted) != wanted)
    return Refusal::kLength;
  const std::optional<ChecksumForm> form = FormOf(payload, fields.version, packet.route);
  if (!form) return Refusal::kChecksum;
  if (const std::optional<Refusal> refusal = RefusalByOrigin(packet.route, expectation))
    return *refusal;
  const bool told_apart = fields.version == Version::k3 && packet.route.source.is_v4();
  return Decoded{fields, told_apart ? form : std::nullopt};
}

}  // namespace drover::vrrp
