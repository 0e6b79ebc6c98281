#include "node-helper/net/link_monitor.h"

#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace drover {
namespace {

constexpr int kBufferBytes = 1 << 20;
constexpr int kFirstAnswerMs = 1000;
constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

Result<std::unique_ptr<LinkMonitor>> LinkMonitor::Open() {
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (socket < 0) return Fail(ErrnoError(errno, "opening a netlink socket"));
  std::unique_ptr<LinkMonitor> monitor(new LinkMonitor(socket));
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof kBufferBytes);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Fail(ErrnoError(errno, "listening for changes of links"));
  }
  if (const Status asked = monitor->AskForLinks(); !asked) return Fail(asked.error());
  pollfd waiting{monitor->fd(), POLLIN, 0};
  ::poll(&waiting, 1, kFirstAnswerMs);
  [[maybe_unused]] const LinkNews at_first = monitor->Read();
  return monitor;
}

LinkMonitor::~LinkMonitor() { ::close(socket_); }

Status LinkMonitor::AskForLinks() {
  struct {
    nlmsghdr header;
    ifinfomsg info;
  } request{};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.info);
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.info.ifi_family = AF_UNSPEC;
  if (::send(socket_, &request, request.header.nlmsg_len, 0) < 0) {
    return Fail(ErrnoError(errno, "asking for the links"));
  }
  return {};
}

LinkNews LinkMonitor::Read() {
  LinkNews news;
  std::array<std::uint8_t, kReadBytes> buffer;
  for (;;) {
    const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {
      news.missed = true;
      [[maybe_unused]] const Status asked = AskForLinks();
      continue;
    }
    if (got <= 0) return news;
    TakeMessages(ByteView(buffer.data(), static_cast<std::size_t>(got)), news);
  }
}

void LinkMonitor::TakeMessages(ByteView bytes, LinkNews& news) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size()) return;
    const ByteView payload = bytes.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
    if (header.nlmsg_type == RTM_NEWLINK) TakeLink(/*gone=*/false, payload, news);
    if (header.nlmsg_type == RTM_DELLINK) TakeLink(/*gone=*/true, payload, news);
    if (header.nlmsg_type == RTM_DELADDR) news.address_lost = true;
    bytes = bytes.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), bytes.size()));
  }
}

void LinkMonitor::TakeLink(bool gone, ByteView payload, LinkNews& news) {
  ifinfomsg info;
  if (payload.size() < sizeof info) return;
  std::memcpy(&info, payload.data(), sizeof info);
  const auto attributes = AttributeReader::Parse(payload.subspan(NLMSG_ALIGN(sizeof info)));
  const auto name = attributes ? attributes->Text(IFLA_IFNAME) : std::nullopt;
  // Bridges tell of their ports as links of their own family.
  if (!name || info.ifi_family != AF_UNSPEC) return;
  const auto known = links_.find(info.ifi_index);
  if (gone) {
    if (known == links_.end()) return;
    news.links.insert(known->second.name);
    links_.erase(known);
    return;
  }
  const bool up = (info.ifi_flags & IFF_UP) != 0 && (info.ifi_flags & IFF_RUNNING) != 0;
  if (known == links_.end()) {
    news.link_came = true;
    news.links.insert(*name);
  } else if (known->second.up != up || known->second.name != *name) {
    news.links.insert(known->second.name);
    news.links.insert(*name);
  }
  links_[info.ifi_index] = Link{*name, up};
}

bool LinkMonitor::IsUp(const std::string& interface) const {
  return std::any_of(links_.begin(), links_.end(), [&](const auto& entry) {
    return entry.second.name == interface && entry.second.up;
  });
}

}  // namespace drover
