#include "node-helper/net/link_route.h"

#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include "node-helper/net/netlink_attributes.h"

namespace drover {
namespace {

constexpr int kPatienceMs = 2000;  // the kernel answers at once

// What the kernel's routing says about one address.
struct Route {
  bool reachable = false;
  bool local = false;
  bool gateway = false;
  std::uint32_t index = 0;
  std::optional<IpAddress> next_hop;  // where it is said with the family of the question
};

Bytes EncodeRouteQuestion(const IpAddress& address, const std::optional<IpAddress>& from) {
  nlmsghdr header{};
  header.nlmsg_type = RTM_GETROUTE;
  header.nlmsg_flags = NLM_F_REQUEST;
  rtmsg question{};
  question.rtm_family = address.is_v4() ? AF_INET : AF_INET6;
  question.rtm_dst_len = static_cast<unsigned char>(address.bits());
  if (from) question.rtm_src_len = static_cast<unsigned char>(from->bits());
  Bytes bytes(NLMSG_LENGTH(sizeof question));
  std::memcpy(bytes.data() + NLMSG_HDRLEN, &question, sizeof question);
  AttributeWriter writer(bytes);
  writer.Put(RTA_DST, {address.data(), address.size()});
  if (from) writer.Put(RTA_SRC, {from->data(), from->size()});
  header.nlmsg_len = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::optional<IpAddress> AddressIn(ByteView bytes) {
  if (bytes.size() == 4) {
    std::array<std::uint8_t, 4> v4{};
    std::copy_n(bytes.begin(), v4.size(), v4.begin());
    return IpAddress::V4(v4);
  }
  if (bytes.size() != 16) return std::nullopt;
  std::array<std::uint8_t, 16> v6{};
  std::copy_n(bytes.begin(), v6.size(), v6.begin());
  return IpAddress::V6(v6);
}

Result<Route> DecodeRoute(ByteView bytes) {
  nlmsghdr header{};
  if (bytes.size() < NLMSG_HDRLEN) return Fail(ErrorCode::kInternal, "short netlink answer");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > bytes.size()) {
    return Fail(ErrorCode::kInternal, "cut netlink answer");
  }
  const ByteView payload = bytes.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
  if (header.nlmsg_type == NLMSG_ERROR) return Route{};  // ENETUNREACH and its like
  rtmsg message{};
  if (header.nlmsg_type != RTM_NEWROUTE || payload.size() < sizeof message) {
    return Fail(ErrorCode::kInternal, "netlink answer that is no route");
  }
  std::memcpy(&message, payload.data(), sizeof message);
  const auto attributes = AttributeReader::Parse(payload.subspan(NLMSG_ALIGN(sizeof message)));
  if (!attributes) return Fail(attributes.error());
  Route route;
  route.reachable = message.rtm_type == RTN_UNICAST || message.rtm_type == RTN_LOCAL;
  route.local = message.rtm_type == RTN_LOCAL;
  route.gateway = attributes->Get(RTA_GATEWAY).has_value() || attributes->Get(RTA_VIA).has_value();
  route.index = attributes->U32(RTA_OIF).value_or(0);
  if (const auto hop = attributes->Get(RTA_GATEWAY)) route.next_hop = AddressIn(*hop);
  return route;
}

Result<Route> AskKernel(const IpAddress& address,
                        const std::optional<IpAddress>& from = std::nullopt) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return Fail(ErrnoError(errno, "netlink"));
  const Bytes question = EncodeRouteQuestion(address, from);
  std::array<std::uint8_t, 8192> answer;
  ssize_t size = ::send(fd, question.data(), question.size(), 0);
  pollfd waiting{fd, POLLIN, 0};
  if (size >= 0) size = ::poll(&waiting, 1, kPatienceMs) == 1 ? 0 : -1;
  if (size >= 0) size = ::recv(fd, answer.data(), answer.size(), MSG_DONTWAIT);
  const int error = errno;
  ::close(fd);
  if (size < 0) return Fail(ErrnoError(error, "asking the kernel for a route"));
  return DecodeRoute({answer.data(), static_cast<std::size_t>(size)});
}

std::optional<IpAddress> AddressOf(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return IpAddress::V4(std::bit_cast<std::array<std::uint8_t, 4>>(in.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    return IpAddress::V6(std::to_array(in.sin6_addr.s6_addr));
  }
  return std::nullopt;
}

int PrefixLengthOf(const sockaddr* netmask) {
  const auto mask = AddressOf(netmask);
  if (!mask) return 0;
  int length = 0;
  for (std::size_t i = 0; i < mask->size(); ++i) length += std::popcount(mask->data()[i]);
  return length;
}

using Interfaces = std::unique_ptr<ifaddrs, decltype(&freeifaddrs)>;

// The interface whose network holds `address`: for an address of our own, whose route leads to lo.
std::string InterfaceAround(const ifaddrs* entries, const IpAddress& address) {
  for (const ifaddrs* entry = entries; entry != nullptr; entry = entry->ifa_next) {
    const auto own = AddressOf(entry->ifa_addr);
    if (!own || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    const Prefix prefix{*own, PrefixLengthOf(entry->ifa_netmask)};
    if (prefix.length < address.bits() && prefix.Contains(address)) return entry->ifa_name;
  }
  return "";
}

// Fills in what the interface says about itself; on_link only where neighbours can be asked.
void DescribeLink(const ifaddrs* entries, Family family, LinkRoute& link) {
  for (const ifaddrs* entry = entries; entry != nullptr; entry = entry->ifa_next) {
    if (link.interface != entry->ifa_name || entry->ifa_addr == nullptr) continue;
    const auto own = AddressOf(entry->ifa_addr);
    if (own && own->family() == family) {
      link.addresses.push_back(*own);
      link.networks.push_back({*own, PrefixLengthOf(entry->ifa_netmask)});
    }
    if (entry->ifa_addr->sa_family != AF_PACKET) continue;
    sockaddr_ll hardware{};
    std::memcpy(&hardware, entry->ifa_addr, sizeof hardware);
    link.index = hardware.sll_ifindex;
    std::copy_n(std::begin(hardware.sll_addr), link.mac.size(), link.mac.begin());
    link.on_link = hardware.sll_hatype == ARPHRD_ETHER && (entry->ifa_flags & IFF_UP) != 0 &&
                   (entry->ifa_flags & (IFF_NOARP | IFF_LOOPBACK)) == 0;
  }
}

}  // namespace

bool IsDelivered(const IpAddress& address) {
  const auto route = AskKernel(address);
  return route && route->local;
}

Result<Way> FindWay(const IpAddress& from, const IpAddress& to) {
  const auto route = AskKernel(to, from);
  if (!route) return Fail(route.error());
  Way way{.reachable = route->reachable, .interface = "", .gateway = route->next_hop};
  std::array<char, IF_NAMESIZE> name{};
  if (route->index != 0 && ::if_indextoname(route->index, name.data()) != nullptr) {
    way.interface = name.data();
  }
  return way;
}

Result<LinkRoute> FindLinkRoute(const IpAddress& address) {
  const auto route = AskKernel(address);
  if (!route) return Fail(route.error());
  LinkRoute link;
  link.local = route->local;
  if (!route->reachable || route->gateway) return link;
  ifaddrs* entries = nullptr;
  if (::getifaddrs(&entries) != 0) return Fail(ErrnoError(errno, "listing interfaces"));
  const Interfaces owner(entries, &freeifaddrs);
  if (route->local) {
    link.interface = InterfaceAround(entries, address);
  } else {
    std::array<char, IF_NAMESIZE> name{};
    if (::if_indextoname(route->index, name.data()) != nullptr) link.interface = name.data();
  }
  DescribeLink(entries, address.family(), link);
  return link;
}

}  // namespace drover
