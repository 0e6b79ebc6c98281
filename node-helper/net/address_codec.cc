#include "node-helper/net/address_codec.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace drover {
namespace {

Bytes Header(const ifaddrmsg& header) {
  Bytes bytes(sizeof(header));
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

}  // namespace

std::optional<IpAddress> AddressOf(unsigned family, std::optional<ByteView> bytes) {
  if (!bytes) return std::nullopt;
  if (family == AF_INET && bytes->size() == 4) {
    std::array<std::uint8_t, 4> v4{};
    std::copy_n(bytes->begin(), v4.size(), v4.begin());
    return IpAddress::V4(v4);
  }
  if (family == AF_INET6 && bytes->size() == 16) {
    std::array<std::uint8_t, 16> v6{};
    std::copy_n(bytes->begin(), v6.size(), v6.begin());
    return IpAddress::V6(v6);
  }
  return std::nullopt;
}

Bytes EncodeAddress(std::uint32_t interface_index, const Prefix& prefix, bool no_dad) {
  ifaddrmsg header{};
  const bool v4 = prefix.address.is_v4();
  header.ifa_family = static_cast<std::uint8_t>(v4 ? AF_INET : AF_INET6);
  header.ifa_prefixlen = static_cast<std::uint8_t>(prefix.length);
  header.ifa_index = interface_index;
  header.ifa_scope = v4 && prefix.address.is_loopback() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  if (!v4 && no_dad) header.ifa_flags = IFA_F_NODAD;
  Bytes bytes = Header(header);
  AttributeWriter writer(bytes);
  const ByteView address(prefix.address.data(), prefix.address.size());
  writer.Put(IFA_LOCAL, address);
  writer.Put(IFA_ADDRESS, address);
  return bytes;
}

void AddLifetimes(std::uint32_t valid, std::uint32_t preferred, Bytes& message) {
  ifa_cacheinfo life{};
  life.ifa_valid = valid;
  life.ifa_prefered = preferred;
  AttributeWriter writer(message);
  writer.Put(IFA_CACHEINFO, ByteView(reinterpret_cast<const std::uint8_t*>(&life), sizeof life));
}

bool IsNoSource(const Prefix& prefix) {
  return !prefix.address.is_v4() && prefix == Prefix::Host(prefix.address);
}

Bytes EncodeListAddresses() {
  ifaddrmsg header{};
  header.ifa_family = AF_UNSPEC;
  return Header(header);
}

Result<std::optional<KernelAddress>> DecodeAddress(ByteView payload) {
  ifaddrmsg header{};
  if (payload.size() < sizeof(header)) {
    return Fail(ErrorCode::kInternal, "rtnetlink: an address message is cut off");
  }
  std::memcpy(&header, payload.data(), sizeof(header));
  if (header.ifa_family != AF_INET && header.ifa_family != AF_INET6) return std::nullopt;
  const auto attributes = AttributeReader::Parse(payload.subspan(NLMSG_ALIGN(sizeof(header))));
  if (!attributes) return Fail(attributes.error());
  // Between two ends of a tunnel IFA_ADDRESS is the other one's; IFA_LOCAL is always ours.
  auto address = AddressOf(header.ifa_family, attributes->Get(IFA_LOCAL));
  if (!address) address = AddressOf(header.ifa_family, attributes->Get(IFA_ADDRESS));
  if (!address) return Fail(ErrorCode::kInternal, "rtnetlink: an address message has no address");
  KernelAddress told;
  told.interface_index = header.ifa_index;
  told.prefix = Prefix{*address, header.ifa_prefixlen};
  told.secondary = address->is_v4() && (header.ifa_flags & IFA_F_SECONDARY) != 0;
  return told;
}

}  // namespace drover
