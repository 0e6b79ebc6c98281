#include "node-helper/net/vrrp_netlink.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "node-helper/net/netlink_attributes.h"

namespace drover {
namespace {

constexpr std::size_t kBufferBytes = 32768;
constexpr int kQueueBytes = 1 << 20;
constexpr int kListAttempts = 5;

int OpenSocket(std::uint32_t groups) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -1;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kQueueBytes, sizeof kQueueBytes) != 0) {
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kQueueBytes, sizeof kQueueBytes);
  }
  sockaddr_nl self{};
  self.nl_family = AF_NETLINK;
  self.nl_groups = groups;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&self), sizeof self) == 0) return fd;
  ::close(fd);
  return -1;
}

template <typename Header>
Bytes PayloadOf(const Header& header) {
  Bytes bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Bytes MessageOf(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence,
                const Bytes& payload) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  Bytes message(NLMSG_HDRLEN + payload.size(), 0);
  std::memcpy(message.data(), &header, sizeof header);
  std::copy(payload.begin(), payload.end(), message.begin() + NLMSG_HDRLEN);
  return message;
}

// Calls `take(header, payload)` for each message of a datagram, until it says false.
template <typename Take>
void ForEachMessage(ByteView datagram, Take take) {
  while (datagram.size() >= NLMSG_HDRLEN) {
    nlmsghdr header{};
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > datagram.size()) return;
    if (!take(header, datagram.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN))) return;
    datagram =
        datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
}

// The errno in an NLMSG_ERROR or NLMSG_DONE.
int ErrorNumberOf(ByteView payload) {
  int number = 0;
  if (payload.size() >= sizeof number) std::memcpy(&number, payload.data(), sizeof number);
  return number < 0 ? -number : number;
}

Status StatusOf(const Result<int>& answer, const std::string& doing) {
  if (!answer) return Fail(answer.error().In(doing));
  if (*answer == 0) return {};
  Error error = ErrnoError(*answer, doing);
  if (*answer == EADDRNOTAVAIL || *answer == ENODEV) error.code = ErrorCode::kNotFound;
  if (*answer == EEXIST) error.code = ErrorCode::kExists;
  return Fail(error);
}

std::string Named(int index, const Prefix& prefix) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(static_cast<unsigned>(index), name.data()) == nullptr) {
    return "address " + prefix.ToString();
  }
  return "address " + prefix.ToString() + " on " + name.data();
}

}  // namespace

Result<LinkFact> DecodeLink(ByteView payload) {
  ifinfomsg header{};
  if (payload.size() < sizeof header) {
    return Fail(ErrorCode::kInternal, "rtnetlink: a link message is cut off");
  }
  std::memcpy(&header, payload.data(), sizeof header);
  const auto attributes = AttributeReader::Parse(payload.subspan(NLMSG_ALIGN(sizeof header)));
  if (!attributes) return Fail(attributes.error());
  LinkFact link;
  link.index = header.ifi_index;
  link.name = attributes->Text(IFLA_IFNAME).value_or("");
  link.up = (header.ifi_flags & IFF_UP) != 0;
  link.carrier = link.up && (header.ifi_flags & IFF_RUNNING) != 0;
  link.ethernet = header.ifi_type == ARPHRD_ETHER;
  link.parent = static_cast<int>(attributes->U32(IFLA_LINK).value_or(0));
  const auto mac = attributes->Get(IFLA_ADDRESS);
  if (mac && mac->size() == link.mac.size()) std::copy(mac->begin(), mac->end(), link.mac.begin());
  return link;
}

Result<VrrpNetlink> VrrpNetlink::Open() {
  const int ask = OpenSocket(0);
  if (ask < 0) return Fail(ErrnoError(errno, "opening a netlink socket"));
  const int news = OpenSocket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
  if (news < 0) {
    const int error = errno;
    ::close(ask);
    return Fail(ErrnoError(error, "opening a netlink socket for news"));
  }
  return VrrpNetlink(ask, news);
}

VrrpNetlink::VrrpNetlink(VrrpNetlink&& other) noexcept
    : ask_(std::exchange(other.ask_, -1)),
      news_(std::exchange(other.news_, -1)),
      sequence_(other.sequence_) {}
VrrpNetlink& VrrpNetlink::operator=(VrrpNetlink&& other) noexcept {
  std::swap(ask_, other.ask_);
  std::swap(news_, other.news_);
  std::swap(sequence_, other.sequence_);
  return *this;
}
VrrpNetlink::~VrrpNetlink() {
  if (ask_ >= 0) ::close(ask_);
  if (news_ >= 0) ::close(news_);
}

Result<int> VrrpNetlink::Request(std::uint16_t type, std::uint16_t flags, const Bytes& payload) {
  const std::uint32_t sequence = ++sequence_;
  const Bytes message = MessageOf(
      type, static_cast<std::uint16_t>(flags | NLM_F_REQUEST | NLM_F_ACK), sequence, payload);
  if (::send(ask_, message.data(), message.size(), 0) < 0) {
    return Fail(ErrnoError(errno, "asking the kernel"));
  }
  // rtnetlink has done it and queued its answer before send returns.
  std::array<std::uint8_t, kBufferBytes> buffer;
  while (true) {
    const ssize_t size = ::recv(ask_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Fail(ErrnoError(errno, "reading the kernel's answer"));
    std::optional<int> answer;
    ForEachMessage(ByteView(buffer.data(), static_cast<std::size_t>(size)),
                   [&](const nlmsghdr& header, ByteView body) {
                     if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_seq == sequence) {
                       answer = ErrorNumberOf(body);
                     }
                     return !answer;
                   });
    if (answer) return *answer;
  }
}

Result<std::vector<Bytes>> VrrpNetlink::List(std::uint16_t type, const Bytes& payload) {
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    const std::uint32_t sequence = ++sequence_;
    const Bytes message = MessageOf(type, NLM_F_REQUEST | NLM_F_DUMP, sequence, payload);
    if (::send(ask_, message.data(), message.size(), 0) < 0) {
      return Fail(ErrnoError(errno, "asking the kernel"));
    }
    std::vector<Bytes> messages;
    bool done = false;
    bool again = false;
    int error = 0;
    std::array<std::uint8_t, kBufferBytes> buffer;
    while (!done) {
      const ssize_t size = ::recv(ask_, buffer.data(), buffer.size(), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return Fail(ErrnoError(errno, "reading a list"));
      ForEachMessage(ByteView(buffer.data(), static_cast<std::size_t>(size)),
                     [&](const nlmsghdr& header, ByteView body) {
                       if (header.nlmsg_seq != sequence) return true;
                       again = again || (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
                       if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
                         error = ErrorNumberOf(body);
                         done = true;
                         return false;
                       }
                       messages.emplace_back(body.begin(), body.end());
                       return true;
                     });
    }
    if (error != 0) return Fail(ErrnoError(error, "reading a list"));
    if (!again) return messages;
  }
  return Fail(ErrorCode::kTimeout, "a list kept changing while it was read");
}

Result<std::vector<LinkFact>> VrrpNetlink::ListLinks() {
  const auto messages = List(RTM_GETLINK, PayloadOf(ifinfomsg{}));
  if (!messages) return Fail(messages.error().In("links"));
  std::vector<LinkFact> links;
  for (const Bytes& message : *messages) {
    Result<LinkFact> link = DecodeLink(message);
    if (!link) return Fail(link.error());
    links.push_back(std::move(*link));
  }
  return links;
}

Result<std::vector<KernelAddress>> VrrpNetlink::ListAddresses() {
  const auto messages = List(RTM_GETADDR, EncodeListAddresses());
  if (!messages) return Fail(messages.error().In("addresses"));
  std::vector<KernelAddress> addresses;
  for (const Bytes& message : *messages) {
    const auto address = DecodeAddress(message);
    if (!address) return Fail(address.error());
    if (address->has_value()) addresses.push_back(**address);
  }
  return addresses;
}

Status VrrpNetlink::SetAddress(int index, const Prefix& prefix, std::chrono::milliseconds lease) {
  Bytes payload = EncodeAddress(static_cast<std::uint32_t>(index), prefix, /*no_dad=*/true);
  const bool leased = lease.count() > 0;
  const std::uint32_t valid =
      leased ? static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(lease).count())
             : kForEver;
  if (leased || IsNoSource(prefix)) AddLifetimes(valid, IsNoSource(prefix) ? 0 : valid, payload);
  // The kernel would keep a route to a single address beyond the address, until its lifetime is
  // over and the routes are tidied up (net/ipv6/addrconf.c, check_cleanup_prefix_route).
  if (leased && IsNoSource(prefix)) {
    AttributeWriter(payload).PutU32(IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
  }
  return StatusOf(Request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, payload),
                  Named(index, prefix));
}

Status VrrpNetlink::RemoveAddress(int index, const Prefix& prefix) {
  return StatusOf(
      Request(RTM_DELADDR, 0,
              EncodeAddress(static_cast<std::uint32_t>(index), prefix, /*no_dad=*/false)),
      Named(index, prefix));
}

Status VrrpNetlink::MakeMacvlan(int parent, const std::string& name, const MacAddress& mac) {
  Bytes payload = PayloadOf(ifinfomsg{});
  AttributeWriter writer(payload);
  writer.PutText(IFLA_IFNAME, name);
  writer.PutU32(IFLA_LINK, static_cast<std::uint32_t>(parent));
  writer.Put(IFLA_ADDRESS, mac);
  const std::size_t info = writer.Begin(IFLA_LINKINFO);
  writer.PutText(IFLA_INFO_KIND, "macvlan");
  const std::size_t data = writer.Begin(IFLA_INFO_DATA);
  // The macvlans of one parent do not talk to each other.
  writer.PutU32(IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
  writer.End(data);
  writer.End(info);
  return StatusOf(Request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, payload), "link " + name);
}

Status VrrpNetlink::RemoveLink(int index) {
  ifinfomsg header{};
  header.ifi_index = index;
  return StatusOf(Request(RTM_DELLINK, 0, PayloadOf(header)), "removing a link");
}

Status VrrpNetlink::SetUp(int index, bool up) {
  ifinfomsg header{};
  header.ifi_index = index;
  header.ifi_change = IFF_UP;
  header.ifi_flags = up ? IFF_UP : 0;
  return StatusOf(Request(RTM_NEWLINK, 0, PayloadOf(header)), "setting a link up or down");
}

std::vector<NetNews> VrrpNetlink::TakeNews() {
  std::vector<NetNews> news;
  std::array<std::uint8_t, kBufferBytes> buffer;
  while (true) {
    const ssize_t size = ::recv(news_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == ENOBUFS) {
      news.emplace_back(NewsLost{});
      continue;
    }
    if (size < 0) return news;
    ForEachMessage(ByteView(buffer.data(), static_cast<std::size_t>(size)),
                   [&](const nlmsghdr& header, ByteView body) {
                     const std::uint16_t type = header.nlmsg_type;
                     if (type == RTM_NEWLINK || type == RTM_DELLINK) {
                       // A bridge tells of its ports with messages of its own family.
                       if (body.empty() || body.front() != AF_UNSPEC) return true;
                       if (const auto link = DecodeLink(body)) {
                         if (type == RTM_NEWLINK) news.emplace_back(LinkSeen{*link});
                         if (type == RTM_DELLINK) news.emplace_back(LinkGone{link->index});
                       }
                     } else if (type == RTM_NEWADDR || type == RTM_DELADDR) {
                       const auto address = DecodeAddress(body);
                       if (address && address->has_value()) {
                         if (type == RTM_NEWADDR) news.emplace_back(AddressSeen{**address});
                         if (type == RTM_DELADDR) news.emplace_back(AddressGone{**address});
                       }
                     }
                     return true;
                   });
  }
}

}  // namespace drover
