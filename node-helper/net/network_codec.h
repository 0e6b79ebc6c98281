// Addresses, routes and routing rules as they are remembered: rtnetlink's own bytes, freed of what
// changes by itself (counters, states, remaining lifetimes), so that two of them that mean the same
// are the same bytes, and so that they can be sent back to the kernel as they are.
//
// Pure. What differs between then and now is left to network_plan.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/net/netlink_attributes.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// What is remembered of an interface.
struct LinkState {
  std::uint32_t index = 0;
  std::string name;
  bool up = false;  // administratively
  std::uint32_t mtu = 0;
  bool operator==(const LinkState&) const = default;
};

// One address of an interface: an ifaddrmsg with attributes in `wire`.
struct AddressState {
  Bytes wire;
  std::uint32_t index = 0;
  Prefix prefix;
  std::optional<std::chrono::seconds> lifetime;  // nothing: for ever
  bool by_kernel = false;                        // link-local or from a router's advertisement
  bool operator==(const AddressState&) const = default;
};

// One route of any table: an rtmsg with attributes in `wire`.
struct RouteState {
  Bytes wire;
  bool by_kernel = false;  // it came with an address of the node, and goes with it
  bool operator==(const RouteState&) const = default;
};

// One rule of policy routing: a fib_rule_hdr with attributes in `wire`.
struct RuleState {
  Bytes wire;
  bool operator==(const RuleState&) const = default;
};

Bytes EncodeListLinks();
Bytes EncodeListRoutes();
Bytes EncodeListRules();
// Sets the interface up or down, or (with an mtu) its MTU and nothing else.
Bytes EncodeLinkUp(std::uint32_t index, bool up);
Bytes EncodeLinkMtu(std::uint32_t index, std::uint32_t mtu);

Result<LinkState> DecodeLinkState(ByteView payload);
// Nothing for what is not remembered: temporary addresses of IPv6 privacy, other families.
Result<std::optional<AddressState>> DecodeAddressState(ByteView payload);
// Nothing for what is not remembered: cached routes, those with an end, those of routing daemons
// (they know their routes better, and repeat them), redirects and advertisements, multicast and
// anycast, routes by nexthop objects.
Result<std::optional<RouteState>> DecodeRouteState(ByteView payload);
Result<std::optional<RuleState>> DecodeRuleState(ByteView payload);

// Interface numbers of one boot in those of another.
using IndexMap = std::map<std::uint32_t, std::uint32_t>;
// Nothing when an interface it needs is not there any more.
std::optional<AddressState> WithIndexes(const AddressState& address, const IndexMap& indexes);
std::optional<RouteState> WithIndexes(const RouteState& route, const IndexMap& indexes);

// The message that adds it, for a shorter time: a lease of which `elapsed` has passed.
AddressState WithLifetime(const AddressState& address, std::chrono::seconds elapsed);
// The message that adds it, usable at once (IFA_F_NODAD).
Bytes WithoutDuplicateDetection(const AddressState& address);

// The address that a connected route of IPv4 belongs to, the network that one of IPv6 leads to, and
// the interface.
struct RouteBacking {
  std::uint32_t index = 0;
  std::optional<IpAddress> source;
  Prefix destination;
  bool is_local_table = false;
  bool is_local = false;  // leads to the node itself
};
RouteBacking BackingOf(const RouteState& route);
// Routes through a router come after those that lead to it.
bool HasGateway(const RouteState& route);

using InterfaceNames = std::map<std::uint32_t, std::string>;
// "address 10.0.0.1/24 on eth0", "route default via 10.0.0.254 on eth0", "route blackhole
// 10.0.0.0/8 table 5", "rule 100: from 10.0.0.0/8 table 5 (ipv4)": as `ip` would say it.
std::string NameOf(const AddressState& address, const InterfaceNames& names);
std::string NameOf(const RouteState& route, const InterfaceNames& names);
std::string NameOf(const RuleState& rule);

}  // namespace drover
