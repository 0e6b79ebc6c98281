// Interface addresses to and from the messages of rtnetlink (<linux/if_addr.h>). Everything here is
// the payload behind the nlmsghdr: an ifaddrmsg and attributes.
//
// Pure; sockets and interface names are left to rtnetlink_addresses.
#pragma once

#include "node-helper/net/netlink_attributes.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// One address as the kernel tells it.
struct KernelAddress {
  std::uint32_t interface_index = 0;
  Prefix prefix;
  bool secondary = false;  // IPv4: goes when its primary goes, unless promote_secondaries is on
  bool operator==(const KernelAddress&) const = default;
};

// The scope is that of `ip address add`: host for 127.0.0.0/8, global for everything else, also on
// lo. With `no_dad` an IPv6 address is usable at once, without looking for a duplicate first.
Bytes EncodeAddress(std::uint32_t interface_index, const Prefix& prefix, bool no_dad);
// Adds lifetimes in seconds to that message; kForEver: without end. One that is not preferred
// answers whoever asks it, and is the source of nothing that this node begins by itself.
inline constexpr std::uint32_t kForEver = 0xffffffff;
void AddLifetimes(std::uint32_t valid, std::uint32_t preferred, Bytes& message);
// Whether an address must not be preferred: a single IPv6 address beside the node's own. Its
// prefix is the longest that a destination can share (RFC 6724, rule 8, as Linux has it), so what
// the node begins, checks of real servers among it, would go out in its name.
bool IsNoSource(const Prefix& prefix);
// Asks for all addresses of all interfaces and both families.
Bytes EncodeListAddresses();
// One message of that list; nothing for other families.
Result<std::optional<KernelAddress>> DecodeAddress(ByteView payload);

// The value of an attribute as an address of AF_INET or AF_INET6; nothing for other families, or
// when it has another length.
std::optional<IpAddress> AddressOf(unsigned family, std::optional<ByteView> bytes);

}  // namespace drover
