#include "node-helper/net/network_codec.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "node-helper/net/address_codec.h"
#include "node-helper/net/rtnetlink_header.h"

namespace drover {
namespace {

// What a user may ask for; the rest of ifa_flags tells the state that the kernel came to.
constexpr std::uint32_t kAddressWishes = IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR |
                                         IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN |
                                         IFA_F_STABLE_PRIVACY;
constexpr unsigned kRouteWishes = RTNH_F_ONLINK | RTNH_F_PERVASIVE;
// Not in Debian 12's <linux/rtnetlink.h>; Calico's routes.
constexpr unsigned kProtocolCalico = 80;

// A message of rtnetlink in its two parts, attributes by type.
template <typename Header>
struct Message {
  Header header{};
  std::map<std::uint16_t, Bytes> attributes;

  [[nodiscard]] std::optional<ByteView> Get(std::uint16_t type) const {
    const auto found = attributes.find(type);
    if (found == attributes.end()) return std::nullopt;
    return ByteView(found->second);
  }
  [[nodiscard]] std::optional<std::uint32_t> U32(std::uint16_t type) const {
    const auto value = Get(type);
    std::uint32_t number = 0;
    if (!value || value->size() < sizeof number) return std::nullopt;
    std::memcpy(&number, value->data(), sizeof number);
    return number;
  }
  void SetU32(std::uint16_t type, std::uint32_t number) {
    Bytes& bytes = attributes[type];
    bytes.resize(sizeof number);
    std::memcpy(bytes.data(), &number, sizeof number);
  }
  [[nodiscard]] std::string Text(std::uint16_t type) const {
    const auto value = Get(type);
    if (!value) return "";
    return {value->begin(), std::find(value->begin(), value->end(), 0)};
  }
  [[nodiscard]] Bytes Encode() const {
    Bytes bytes = EncodeHeader(header);
    AttributeWriter writer(bytes);
    for (const auto& [type, value] : attributes) writer.Put(type, value);
    return bytes;
  }
};

template <typename Header>
Result<Message<Header>> Decode(ByteView payload, const char* what) {
  Message<Header> message;
  const auto read = DecodeHeader(payload, message.header, what);
  if (!read) return Fail(read.error());
  for (const auto& [type, value] : read->all()) {
    message.attributes[type] = Bytes(value.begin(), value.end());
  }
  return message;
}

IpAddress Unspecified(unsigned family) {
  return family == AF_INET ? IpAddress() : IpAddress::V6({});
}

bool IsIp(unsigned family) { return family == AF_INET || family == AF_INET6; }

bool IsLinkLocal(const IpAddress& address) {
  return !address.is_v4() && address.data()[0] == 0xFE && (address.data()[1] & 0xC0) == 0x80;
}

// They watch their routes themselves, and one that they withdrew must not come back.
bool IsOfRoutingDaemon(unsigned protocol) {
  switch (protocol) {
    case RTPROT_GATED:
    case RTPROT_MRT:
    case RTPROT_ZEBRA:
    case RTPROT_BIRD:
    case RTPROT_DNROUTED:
    case RTPROT_XORP:
    case RTPROT_NTK:
    case RTPROT_MROUTED:
    case RTPROT_KEEPALIVED:
    case RTPROT_BABEL:
    case kProtocolCalico:
    case RTPROT_OPENR:
    case RTPROT_BGP:
    case RTPROT_ISIS:
    case RTPROT_OSPF:
    case RTPROT_RIP:
    case RTPROT_EIGRP:
      return true;
    default:
      return false;
  }
}

// Calls `visit` with every next hop of RTA_MULTIPATH; false when the list is malformed.
template <typename Visit>
bool ForEachHop(Bytes& multipath, Visit visit) {
  std::size_t at = 0;
  while (at < multipath.size()) {
    rtnexthop hop{};
    if (multipath.size() - at < sizeof hop) return false;
    std::memcpy(&hop, multipath.data() + at, sizeof hop);
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > multipath.size() - at) return false;
    visit(hop, ByteView(multipath).subspan(at + sizeof hop, hop.rtnh_len - sizeof hop));
    std::memcpy(multipath.data() + at, &hop, sizeof hop);
    at += NLMSG_ALIGN(std::size_t{hop.rtnh_len});
  }
  return true;
}

bool HasEnd(const Message<rtmsg>& route) {
  const auto bytes = route.Get(RTA_CACHEINFO);
  rta_cacheinfo cache{};
  if (!bytes || bytes->size() < sizeof cache) return false;
  std::memcpy(&cache, bytes->data(), sizeof cache);
  return cache.rta_expires != 0;
}

bool IsRemembered(const Message<rtmsg>& route) {
  const rtmsg& header = route.header;
  return IsIp(header.rtm_family) && (header.rtm_flags & RTM_F_CLONED) == 0 &&
         header.rtm_type != RTN_MULTICAST && header.rtm_type != RTN_ANYCAST &&
         header.rtm_protocol != RTPROT_REDIRECT && header.rtm_protocol != RTPROT_RA &&
         !IsOfRoutingDaemon(header.rtm_protocol) && !HasEnd(route) && !route.Get(RTA_NH_ID);
}

std::string InterfaceName(std::uint32_t index, const InterfaceNames& names) {
  const auto found = names.find(index);
  return found == names.end() ? "interface " + std::to_string(index) : found->second;
}

std::string Destination(unsigned family, std::optional<ByteView> bytes, int length) {
  if (length == 0) return "default";
  return Prefix{AddressOf(family, bytes).value_or(Unspecified(family)), length}.ToString();
}

std::string TableText(std::uint32_t table) {
  if (table == RT_TABLE_MAIN) return "";
  return table == RT_TABLE_LOCAL ? " table local" : " table " + std::to_string(table);
}

// "blackhole " and its like; a plain route has no word.
std::string TypeWord(unsigned type) {
  switch (type) {
    case RTN_UNICAST:
      return "";
    case RTN_LOCAL:
      return "local ";
    case RTN_BROADCAST:
      return "broadcast ";
    case RTN_BLACKHOLE:
      return "blackhole ";
    case RTN_UNREACHABLE:
      return "unreachable ";
    case RTN_PROHIBIT:
      return "prohibit ";
    case RTN_THROW:
      return "throw ";
    default:
      return "type " + std::to_string(type) + " ";
  }
}

template <typename Attributes>
std::string HopText(unsigned family, const Attributes& attributes, std::uint32_t index,
                    const InterfaceNames& names) {
  std::string text;
  if (const auto gateway = AddressOf(family, attributes.Get(RTA_GATEWAY))) {
    text += " via " + gateway->ToString();
  }
  if (const auto via = attributes.Get(RTA_VIA); via && via->size() > sizeof(rtvia)) {
    if (const auto gateway = AddressOf(AF_INET6, via->subspan(sizeof(rtvia)))) {
      text += " via " + gateway->ToString();
    }
  }
  return index == 0 ? text : text + " on " + InterfaceName(index, names);
}

}  // namespace

Bytes EncodeListLinks() {
  Message<ifinfomsg> message;
  message.SetU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return message.Encode();
}

Bytes EncodeListRoutes() { return EncodeHeader(rtmsg{}); }

Bytes EncodeListRules() { return EncodeHeader(fib_rule_hdr{}); }

Bytes EncodeLinkUp(std::uint32_t index, bool up) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  header.ifi_flags = up ? IFF_UP : 0;
  header.ifi_change = IFF_UP;
  return EncodeHeader(header);
}

Bytes EncodeLinkMtu(std::uint32_t index, std::uint32_t mtu) {
  Message<ifinfomsg> message;
  message.header.ifi_index = static_cast<int>(index);
  message.SetU32(IFLA_MTU, mtu);
  return message.Encode();
}

Result<LinkState> DecodeLinkState(ByteView payload) {
  const auto message = Decode<ifinfomsg>(payload, "an interface");
  if (!message) return Fail(message.error());
  return LinkState{static_cast<std::uint32_t>(message->header.ifi_index),
                   message->Text(IFLA_IFNAME), (message->header.ifi_flags & IFF_UP) != 0,
                   message->U32(IFLA_MTU).value_or(0)};
}

Result<std::optional<AddressState>> DecodeAddressState(ByteView payload) {
  const auto told = DecodeAddress(payload);
  if (!told) return Fail(told.error());
  if (!told->has_value()) return std::nullopt;
  auto message = Decode<ifaddrmsg>(payload, "an address");
  if (!message) return Fail(message.error());
  const std::uint32_t flags = message->U32(IFA_FLAGS).value_or(message->header.ifa_flags);
  if (!(*told)->prefix.address.is_v4() && (flags & IFA_F_TEMPORARY) != 0) return std::nullopt;
  AddressState state;
  state.index = (*told)->interface_index;
  state.prefix = (*told)->prefix;
  const auto by = message->Get(IFA_PROTO);
  state.by_kernel =
      IsLinkLocal(state.prefix.address) || (by && !by->empty() && by->front() == IFAPROT_KERNEL_RA);
  ifa_cacheinfo cache{kForEver, kForEver, 0, 0};
  if (const auto bytes = message->Get(IFA_CACHEINFO); bytes && bytes->size() >= sizeof cache) {
    std::memcpy(&cache, bytes->data(), sizeof cache);
  }
  if (cache.ifa_valid == kForEver) {
    message->attributes.erase(IFA_CACHEINFO);
  } else {
    state.lifetime = std::chrono::seconds(cache.ifa_valid);
  }
  // The small flags of the header are the low byte of IFA_FLAGS, which replaces them.
  message->header.ifa_flags = 0;
  message->SetU32(IFA_FLAGS, flags & kAddressWishes);
  state.wire = message->Encode();
  return state;
}

Result<std::optional<RouteState>> DecodeRouteState(ByteView payload) {
  auto message = Decode<rtmsg>(payload, "a route");
  if (!message) return Fail(message.error());
  if (!IsRemembered(*message)) return std::nullopt;
  message->header.rtm_flags &= kRouteWishes;
  message->attributes.erase(RTA_CACHEINFO);
  if (const auto hops = message->attributes.find(RTA_MULTIPATH);
      hops != message->attributes.end()) {
    const bool fine = ForEachHop(hops->second, [](rtnexthop& hop, ByteView) {
      hop.rtnh_flags &= static_cast<unsigned char>(kRouteWishes);
    });
    if (!fine) return Fail(ErrorCode::kInternal, "rtnetlink: a route's next hops are cut off");
  }
  return RouteState{message->Encode(), message->header.rtm_protocol == RTPROT_KERNEL};
}

Result<std::optional<RuleState>> DecodeRuleState(ByteView payload) {
  auto message = Decode<fib_rule_hdr>(payload, "a rule");
  if (!message) return Fail(message.error());
  if (!IsIp(message->header.family)) return std::nullopt;  // those of multicast routing
  // Unresolved and detached are states; "not" is part of the rule.
  message->header.flags &= FIB_RULE_INVERT;
  // Rule 0 has no priority in the list, but to say nothing when adding means "any that is free".
  if (!message->Get(FRA_PRIORITY)) message->SetU32(FRA_PRIORITY, 0);
  return RuleState{message->Encode()};
}

std::optional<AddressState> WithIndexes(const AddressState& address, const IndexMap& indexes) {
  const auto found = indexes.find(address.index);
  if (found == indexes.end()) return std::nullopt;
  auto message = Decode<ifaddrmsg>(address.wire, "an address");
  if (!message) return std::nullopt;
  AddressState moved = address;
  moved.index = found->second;
  message->header.ifa_index = found->second;
  moved.wire = message->Encode();
  return moved;
}

std::optional<RouteState> WithIndexes(const RouteState& route, const IndexMap& indexes) {
  auto message = Decode<rtmsg>(route.wire, "a route");
  if (!message) return std::nullopt;
  if (const auto index = message->U32(RTA_OIF)) {
    const auto found = indexes.find(*index);
    if (found == indexes.end()) return std::nullopt;
    message->SetU32(RTA_OIF, found->second);
  }
  const auto hops = message->attributes.find(RTA_MULTIPATH);
  bool all = true;
  if (hops != message->attributes.end()) {
    all &= ForEachHop(hops->second, [&](rtnexthop& hop, ByteView) {
      const auto found = indexes.find(static_cast<std::uint32_t>(hop.rtnh_ifindex));
      all &= found != indexes.end();
      if (found != indexes.end()) hop.rtnh_ifindex = static_cast<int>(found->second);
    });
  }
  if (!all) return std::nullopt;
  return RouteState{message->Encode(), route.by_kernel};
}

AddressState WithLifetime(const AddressState& address, std::chrono::seconds elapsed) {
  auto message = Decode<ifaddrmsg>(address.wire, "an address");
  ifa_cacheinfo cache{};
  if (!message || !address.lifetime || !message->Get(IFA_CACHEINFO) ||
      message->Get(IFA_CACHEINFO)->size() < sizeof cache) {
    return address;
  }
  Bytes& bytes = message->attributes[IFA_CACHEINFO];
  std::memcpy(&cache, bytes.data(), sizeof cache);
  const auto passed = static_cast<std::uint32_t>(elapsed.count());
  AddressState shorter = address;
  cache.ifa_valid -= std::min(cache.ifa_valid, passed);
  cache.ifa_prefered -= std::min(cache.ifa_prefered, passed);
  std::memcpy(bytes.data(), &cache, sizeof cache);
  shorter.lifetime = std::chrono::seconds(cache.ifa_valid);
  shorter.wire = message->Encode();
  return shorter;
}

Bytes WithoutDuplicateDetection(const AddressState& address) {
  auto message = Decode<ifaddrmsg>(address.wire, "an address");
  if (!message || address.prefix.address.is_v4()) return address.wire;
  message->SetU32(IFA_FLAGS, message->U32(IFA_FLAGS).value_or(0) | IFA_F_NODAD);
  return message->Encode();
}

RouteBacking BackingOf(const RouteState& route) {
  RouteBacking backing;
  const auto message = Decode<rtmsg>(route.wire, "a route");
  if (!message) return backing;
  const unsigned family = message->header.rtm_family;
  backing.index = message->U32(RTA_OIF).value_or(0);
  backing.source = AddressOf(family, message->Get(RTA_PREFSRC));
  backing.destination =
      Prefix{AddressOf(family, message->Get(RTA_DST)).value_or(Unspecified(family)),
             message->header.rtm_dst_len};
  backing.is_local_table =
      message->U32(RTA_TABLE).value_or(message->header.rtm_table) == RT_TABLE_LOCAL;
  backing.is_local = message->header.rtm_type == RTN_LOCAL;
  return backing;
}

bool HasGateway(const RouteState& route) {
  const auto message = Decode<rtmsg>(route.wire, "a route");
  return message &&
         (message->Get(RTA_GATEWAY) || message->Get(RTA_VIA) || message->Get(RTA_MULTIPATH));
}

std::string NameOf(const AddressState& address, const InterfaceNames& names) {
  return "address " + address.prefix.ToString() + " on " + InterfaceName(address.index, names);
}

std::string NameOf(const RouteState& route, const InterfaceNames& names) {
  auto message = Decode<rtmsg>(route.wire, "a route");
  if (!message) return "route";
  const rtmsg& header = message->header;
  std::string text = "route " + TypeWord(header.rtm_type) +
                     Destination(header.rtm_family, message->Get(RTA_DST), header.rtm_dst_len) +
                     HopText(header.rtm_family, *message, message->U32(RTA_OIF).value_or(0), names);
  const auto hops = message->attributes.find(RTA_MULTIPATH);
  if (hops != message->attributes.end()) {
    (void)ForEachHop(hops->second, [&](rtnexthop& hop, ByteView rest) {
      const auto attributes = AttributeReader::Parse(rest);
      if (!attributes) return;
      text += HopText(header.rtm_family, *attributes, static_cast<std::uint32_t>(hop.rtnh_ifindex),
                      names);
    });
  }
  if (header.rtm_family == AF_INET6 && header.rtm_dst_len == 0) text += " (ipv6)";
  return text + TableText(message->U32(RTA_TABLE).value_or(header.rtm_table));
}

std::string NameOf(const RuleState& rule) {
  const auto message = Decode<fib_rule_hdr>(rule.wire, "a rule");
  if (!message) return "rule";
  const fib_rule_hdr& header = message->header;
  std::string text =
      "rule " + std::to_string(message->U32(FRA_PRIORITY).value_or(0)) + ":" +
      ((header.flags & FIB_RULE_INVERT) != 0 ? " not" : "") + " from " +
      (header.src_len == 0 ? "all"
                           : Destination(header.family, message->Get(FRA_SRC), header.src_len));
  if (header.dst_len != 0) {
    text += " to " + Destination(header.family, message->Get(FRA_DST), header.dst_len);
  }
  if (const auto mark = message->U32(FRA_FWMARK)) text += " fwmark " + std::to_string(*mark);
  if (const std::string in = message->Text(FRA_IIFNAME); !in.empty()) text += " iif " + in;
  if (const std::string out = message->Text(FRA_OIFNAME); !out.empty()) text += " oif " + out;
  const std::uint32_t table = message->U32(FRA_TABLE).value_or(header.table);
  switch (header.action) {
    case FR_ACT_TO_TBL:
      text += table == RT_TABLE_MAIN ? " table main" : TableText(table);
      break;
    case FR_ACT_GOTO:
      text += " goto " + std::to_string(message->U32(FRA_GOTO).value_or(0));
      break;
    case FR_ACT_BLACKHOLE:
      text += " blackhole";
      break;
    case FR_ACT_UNREACHABLE:
      text += " unreachable";
      break;
    case FR_ACT_PROHIBIT:
      text += " prohibit";
      break;
    default:
      text += " action " + std::to_string(header.action);
  }
  return text + (header.family == AF_INET6 ? " (ipv6)" : " (ipv4)");
}

}  // namespace drover
