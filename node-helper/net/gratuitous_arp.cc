#include "node-helper/net/gratuitous_arp.h"

#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "node-helper/net/sysctl_files.h"

namespace drover {
namespace {

// A single frame may be lost to a switch port that is still learning. The whole burst takes less
// time than a TCP client needs to send its SYN again.
constexpr int kBurst = 3;
constexpr timespec kGap = {0, 10'000'000};

using Frame = std::vector<std::uint8_t>;

void Append16(Frame& frame, std::uint16_t value) {
  frame.push_back(static_cast<std::uint8_t>(value >> 8));
  frame.push_back(static_cast<std::uint8_t>(value));
}

template <typename Range>
void Append(Frame& frame, const Range& bytes) {
  frame.insert(frame.end(), std::begin(bytes), std::end(bytes));
}

void AppendAddress(Frame& frame, const IpAddress& address) {
  frame.insert(frame.end(), address.data(), address.data() + address.size());
}

// The Internet checksum (RFC 1071) of `bytes`, which must be of even length.
std::uint16_t Checksum(const Frame& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// What the interface says about itself.
struct Link {
  int index = 0;
  short flags = 0;
  bool ethernet = false;
  MacAddress mac{};
};

Result<Link> ReadLink(int fd, const std::string& interface) {
  ifreq request{};
  if (interface.size() >= sizeof(request.ifr_name)) {
    return Fail(ErrorCode::kInvalid, "there is no interface " + interface);
  }
  std::copy(interface.begin(), interface.end(), std::begin(request.ifr_name));
  Link link;
  if (ioctl(fd, SIOCGIFINDEX, &request) != 0) return Fail(ErrnoError(errno, interface));
  link.index = request.ifr_ifindex;
  if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) return Fail(ErrnoError(errno, interface));
  link.flags = request.ifr_flags;
  if (ioctl(fd, SIOCGIFHWADDR, &request) != 0) return Fail(ErrnoError(errno, interface));
  link.ethernet = request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
  std::memcpy(link.mac.data(), request.ifr_hwaddr.sa_data, link.mac.size());
  return link;
}

bool HasNeighbours(const Link& link) {
  return link.ethernet && (link.flags & IFF_UP) != 0 &&
         (link.flags & (IFF_LOOPBACK | IFF_NOARP)) == 0;
}

Status SendBurst(int fd, const Link& link, const Frame& frame) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = link.index;
  to.sll_halen = ETH_ALEN;
  std::memcpy(to.sll_addr, frame.data(), ETH_ALEN);
  for (int i = 0; i < kBurst; ++i) {
    if (i > 0) nanosleep(&kGap, nullptr);
    const ssize_t sent = sendto(fd, frame.data(), frame.size(), 0,
                                reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    // A link that went down in this moment has nobody to tell.
    if (sent < 0 && errno == ENETDOWN) return {};
    if (sent < 0 && errno != EINTR && errno != ENOBUFS) return Fail(ErrnoError(errno, "sending"));
  }
  return {};
}

bool IsRouter(const std::string& interface) {
  const auto value = SysctlFiles().Read("net/ipv6/conf/" + interface + "/forwarding");
  return value && value->has_value() && **value != "0";
}

}  // namespace

std::vector<std::uint8_t> GratuitousArpFrame(const MacAddress& mac, const IpAddress& address) {
  constexpr MacAddress kEverybody = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  Frame frame;
  Append(frame, kEverybody);
  Append(frame, mac);
  Append16(frame, ETHERTYPE_ARP);
  Append16(frame, ARPHRD_ETHER);
  Append16(frame, ETHERTYPE_IP);
  frame.push_back(ETH_ALEN);
  frame.push_back(4);
  Append16(frame, ARPOP_REQUEST);
  Append(frame, mac);
  AppendAddress(frame, address);
  Append(frame, kEverybody);
  AppendAddress(frame, address);
  return frame;
}

std::vector<std::uint8_t> NeighborAdvertisementFrame(const MacAddress& mac,
                                                     const IpAddress& address, bool router) {
  constexpr MacAddress kAllNodesMac = {0x33, 0x33, 0, 0, 0, 1};
  constexpr std::array<std::uint8_t, 16> kAllNodes = {0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                      0,    0,    0, 0, 0, 0, 0, 1};
  constexpr std::uint8_t kAdvertisement = 136;
  constexpr std::uint8_t kOverride = 0x20;
  constexpr std::uint8_t kRouter = 0x80;
  constexpr std::uint8_t kTargetLinkAddress = 2;
  Frame body = {kAdvertisement, 0, 0, 0};  // the checksum follows
  body.push_back(static_cast<std::uint8_t>(kOverride | (router ? kRouter : 0)));
  body.insert(body.end(), 3, 0);
  AppendAddress(body, address);
  body.push_back(kTargetLinkAddress);
  body.push_back(1);  // in units of 8 bytes
  Append(body, mac);

  const auto length = static_cast<std::uint16_t>(body.size());
  Frame summed;  // pseudo header, RFC 8200 8.1
  AppendAddress(summed, address);
  Append(summed, kAllNodes);
  Append16(summed, 0);
  Append16(summed, length);
  Append16(summed, 0);
  Append16(summed, IPPROTO_ICMPV6);
  Append(summed, body);
  const std::uint16_t checksum = Checksum(summed);
  body[2] = static_cast<std::uint8_t>(checksum >> 8);
  body[3] = static_cast<std::uint8_t>(checksum);

  Frame frame;
  Append(frame, kAllNodesMac);
  Append(frame, mac);
  Append16(frame, ETHERTYPE_IPV6);
  Append(frame, std::array<std::uint8_t, 4>{0x60, 0, 0, 0});
  Append16(frame, length);
  frame.push_back(IPPROTO_ICMPV6);
  frame.push_back(255);
  AppendAddress(frame, address);
  Append(frame, kAllNodes);
  Append(frame, body);
  return frame;
}

Status Announce(const std::string& interface, const IpAddress& address) {
  const std::string doing = "announcing " + address.ToString() + " on " + interface;
  // Protocol 0: this socket only sends.
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(ErrnoError(errno, doing));
  Status sent;
  if (const Result<Link> link = ReadLink(fd, interface); !link) {
    sent = Fail(link.error().In(doing));
  } else if (HasNeighbours(*link)) {
    const Frame frame = address.is_v4()
                            ? GratuitousArpFrame(link->mac, address)
                            : NeighborAdvertisementFrame(link->mac, address, IsRouter(interface));
    sent = SendBurst(fd, *link, frame);
    if (!sent) sent = Fail(sent.error().In(doing));
  }
  close(fd);
  return sent;
}

}  // namespace drover
