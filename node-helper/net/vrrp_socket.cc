#include "node-helper/net/vrrp_socket.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace drover {
namespace {

constexpr int kVrrp = 112;
constexpr int kHopLimit = 255;
constexpr int kInternetworkControl = 0xC0;
constexpr int kQueueBytes = 1 << 18;
// An advert with 255 IPv6 addresses has 4088 bytes.
constexpr std::size_t kLargest = 8192;
constexpr std::array<std::uint8_t, 4> kGroup4 = {224, 0, 0, 18};
constexpr std::array<std::uint8_t, 16> kGroup6 = {0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                  0,    0,    0, 0, 0, 0, 0, 0x12};

// Closes unless taken.
class Opening {
 public:
  Opening(int family, int protocol)
      : fd_(::socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol)) {}
  ~Opening() {
    if (fd_ >= 0) ::close(fd_);
  }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

  [[nodiscard]] bool ok() const { return fd_ >= 0; }
  template <typename Value>
  bool Set(int level, int option, const Value& value) {
    return ::setsockopt(fd_, level, option, &value, sizeof value) == 0;
  }
  bool Bind(const std::string& interface) {
    return ::setsockopt(fd_, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                        static_cast<socklen_t>(interface.size() + 1)) == 0;
  }
  int Take() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

bool SetEar4(Opening& socket, int index, bool multicast) {
  if (!socket.Set(IPPROTO_IP, IP_MULTICAST_ALL, 0)) return false;
  if (!multicast) return true;
  ip_mreqn group{};
  std::memcpy(&group.imr_multiaddr, kGroup4.data(), kGroup4.size());
  group.imr_ifindex = index;
  return socket.Set(IPPROTO_IP, IP_ADD_MEMBERSHIP, group);
}

bool SetEar6(Opening& socket, int index, bool multicast) {
  if (!socket.Set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)) return false;
  if (!socket.Set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)) return false;
  if (!multicast) return true;
  ipv6_mreq group{};
  std::memcpy(&group.ipv6mr_multiaddr, kGroup6.data(), kGroup6.size());
  group.ipv6mr_interface = static_cast<unsigned>(index);
  return socket.Set(IPPROTO_IPV6, IPV6_JOIN_GROUP, group);
}

// The kernel must neither fill nor check the checksum (it is ours), nor give packets to a socket
// that only sends.
bool SetVoice6(Opening& socket) {
  std::array<sock_filter, 1> nothing = {{BPF_STMT(BPF_RET | BPF_K, 0)}};
  const sock_fprog deaf{static_cast<unsigned short>(nothing.size()), nothing.data()};
  return socket.Set(SOL_SOCKET, SO_ATTACH_FILTER, deaf) &&
         socket.Set(IPPROTO_IPV6, IPV6_CHECKSUM, -1) &&
         socket.Set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, kHopLimit) &&
         socket.Set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, kHopLimit) &&
         socket.Set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) &&
         socket.Set(IPPROTO_IPV6, IPV6_TCLASS, kInternetworkControl) &&
         // On a macvlan the source is its parent's address (section 5.1.2.1).
         socket.Set(IPPROTO_IPV6, IPV6_FREEBIND, 1);
}

IpAddress AddressOf(const in6_addr& from) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &from, bytes.size());
  return IpAddress::V6(bytes);
}

void ReadControl(msghdr& message, VrrpHeard& heard) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != IPPROTO_IPV6) continue;
    if (part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      heard.destination = AddressOf(info.ipi6_addr);
    } else if (part->cmsg_type == IPV6_HOPLIMIT) {
      std::memcpy(&heard.hop_limit, CMSG_DATA(part), sizeof heard.hop_limit);
    }
  }
}

template <typename Info>
void PutControl(msghdr& message, int level, int type, const Info& info) {
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = level;
  part->cmsg_type = type;
  part->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(part), &info, sizeof info);
  message.msg_controllen = CMSG_SPACE(sizeof info);
}

}  // namespace

Result<VrrpEar> VrrpEar::Open(const std::string& interface, int index, Family family,
                              bool multicast) {
  const bool v4 = family == Family::kIpv4;
  const std::string doing = "listening for VRRP on " + interface;
  Opening socket(v4 ? AF_INET : AF_INET6, kVrrp);
  if (!socket.ok()) return Fail(ErrnoError(errno, doing));
  if (!socket.Set(SOL_SOCKET, SO_RCVBUFFORCE, kQueueBytes)) {
    (void)socket.Set(SOL_SOCKET, SO_RCVBUF, kQueueBytes);
  }
  const bool set = socket.Bind(interface) &&
                   (v4 ? SetEar4(socket, index, multicast) : SetEar6(socket, index, multicast));
  if (!set) return Fail(ErrnoError(errno, doing));
  return VrrpEar(socket.Take(), family);
}

VrrpEar::VrrpEar(VrrpEar&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), family_(other.family_) {}
VrrpEar& VrrpEar::operator=(VrrpEar&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(family_, other.family_);
  return *this;
}
VrrpEar::~VrrpEar() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<VrrpHeard> VrrpEar::Hear() {
  std::array<std::uint8_t, kLargest> buffer;
  alignas(cmsghdr) std::array<std::uint8_t, 256> control;
  sockaddr_in6 from{};
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(fd_, &message, 0);
  } while (size < 0 && (errno == EINTR || errno == ENETDOWN));
  if (size < 0) return std::nullopt;
  VrrpHeard heard;
  heard.bytes.assign(buffer.begin(), buffer.begin() + size);
  if (family_ == Family::kIpv6) {
    heard.source = AddressOf(from.sin6_addr);
    ReadControl(message, heard);
  }
  return heard;
}

Result<VrrpVoice> VrrpVoice::Open(Family family) {
  const bool v4 = family == Family::kIpv4;
  const std::string doing = "opening a socket for VRRP";
  // IPPROTO_RAW: we make the header, and nothing is ever received.
  Opening socket(v4 ? AF_INET : AF_INET6, v4 ? IPPROTO_RAW : kVrrp);
  if (!socket.ok()) return Fail(ErrnoError(errno, doing));
  if (!(v4 ? socket.Set(IPPROTO_IP, IP_MULTICAST_LOOP, 0) : SetVoice6(socket))) {
    return Fail(ErrnoError(errno, doing));
  }
  return VrrpVoice(socket.Take(), family);
}

VrrpVoice::VrrpVoice(VrrpVoice&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), family_(other.family_) {}
VrrpVoice& VrrpVoice::operator=(VrrpVoice&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(family_, other.family_);
  return *this;
}
VrrpVoice::~VrrpVoice() {
  if (fd_ >= 0) ::close(fd_);
}

Status VrrpVoice::Say(int index, const IpAddress& source, const IpAddress& destination,
                      std::span<const std::uint8_t> bytes) {
  sockaddr_in to4{};
  sockaddr_in6 to6{};
  alignas(cmsghdr) std::array<std::uint8_t, 64> control{};
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (family_ == Family::kIpv4) {
    to4.sin_family = AF_INET;
    std::memcpy(&to4.sin_addr, destination.data(), destination.size());
    message.msg_name = &to4;
    message.msg_namelen = sizeof to4;
    in_pktinfo info{};
    info.ipi_ifindex = index;
    PutControl(message, IPPROTO_IP, IP_PKTINFO, info);
  } else {
    to6.sin6_family = AF_INET6;
    std::memcpy(&to6.sin6_addr, destination.data(), destination.size());
    to6.sin6_scope_id = static_cast<std::uint32_t>(index);
    message.msg_name = &to6;
    message.msg_namelen = sizeof to6;
    in6_pktinfo info{};
    info.ipi6_ifindex = static_cast<unsigned>(index);
    std::memcpy(&info.ipi6_addr, source.data(), source.size());
    PutControl(message, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  const int flags = destination.is_multicast() ? MSG_DONTROUTE : 0;
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(fd_, &message, flags);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return Fail(ErrnoError(errno, "sending an advert to " + destination.ToString()));
  return {};
}

}  // namespace drover
