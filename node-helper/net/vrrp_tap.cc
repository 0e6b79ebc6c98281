#include "node-helper/net/vrrp_tap.h"

#include <linux/filter.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace drover {
namespace {

constexpr std::uint32_t kArpSenderOffset = 14;
constexpr std::uint32_t kNextHeaderOffset = 6;
constexpr std::uint32_t kIcmpTypeOffset = 40;
constexpr std::uint32_t kTargetOffset = 48;  // the last of its four words tells addresses apart
constexpr std::uint32_t kAdvertisement = 136;
constexpr std::size_t kMaxWatched = 1000;  // a filter has room for 4096 instructions

using Filter = std::vector<sock_filter>;

std::uint32_t WordOf(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

// Passes when the accumulator is one of the words; jumps of BPF reach 255 instructions only, so
// each word brings its own way out.
void PassIfOneOf(Filter& filter, const std::vector<std::uint32_t>& words) {
  for (const std::uint32_t word : words) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffff));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
}

Filter ArpFilter(const std::vector<std::uint32_t>& words) {
  Filter filter = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArpSenderOffset)};
  PassIfOneOf(filter, words);
  return filter;
}

Filter AdvertisementFilter(const std::vector<std::uint32_t>& words) {
  Filter filter = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kNextHeaderOffset),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kIcmpTypeOffset),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kAdvertisement, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kTargetOffset + 12),
  };
  PassIfOneOf(filter, words);
  return filter;
}

// Opens, refits or closes a tap, so that it hears exactly `words`.
Status Fit(std::optional<PacketSocket>& tap, std::uint16_t ethertype, Filter filter, bool wanted) {
  if (!wanted) {
    tap.reset();
    return {};
  }
  if (!tap) {
    Result<PacketSocket> opened = PacketSocket::Open(ethertype, filter);
    if (!opened) return Fail(opened.error());
    tap = std::move(*opened);
    return {};
  }
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::setsockopt(tap->fd(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
    return Fail(ErrnoError(errno, "filter of a packet socket"));
  }
  return {};
}

}  // namespace

Result<VrrpTap> VrrpTap::Open() {
  // Protocol 0: it only sends.
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Fail(ErrnoError(errno, "packet socket"));
  return VrrpTap(fd);
}

VrrpTap::VrrpTap(VrrpTap&& other) noexcept
    : sender_(std::exchange(other.sender_, -1)),
      arp_(std::move(other.arp_)),
      icmp_(std::move(other.icmp_)) {}
VrrpTap& VrrpTap::operator=(VrrpTap&& other) noexcept {
  std::swap(sender_, other.sender_);
  std::swap(arp_, other.arp_);
  std::swap(icmp_, other.icmp_);
  return *this;
}
VrrpTap::~VrrpTap() {
  if (sender_ >= 0) ::close(sender_);
}

Status VrrpTap::Watch(const std::vector<IpAddress>& addresses) {
  std::vector<std::uint32_t> v4;
  std::vector<std::uint32_t> v6;
  for (const IpAddress& address : addresses) {
    std::vector<std::uint32_t>& words = address.is_v4() ? v4 : v6;
    if (words.size() < kMaxWatched) words.push_back(WordOf(address.data() + address.size() - 4));
  }
  const Status arp = Fit(arp_, ETHERTYPE_ARP, ArpFilter(v4), !v4.empty());
  const Status icmp = Fit(icmp_, ETHERTYPE_IPV6, AdvertisementFilter(v6), !v6.empty());
  return arp ? icmp : arp;
}

std::optional<VrrpTap::Claim> VrrpTap::Hear() {
  while (arp_) {
    const std::optional<PacketSeen> packet = arp_->Receive();
    if (!packet) break;
    if (const auto claim = ClaimOfArp(packet->bytes)) return Claim{*claim, packet->interface_index};
  }
  while (icmp_) {
    const std::optional<PacketSeen> packet = icmp_->Receive();
    if (!packet) break;
    if (const auto claim = ClaimOfAdvertisement(packet->bytes, packet->source)) {
      return Claim{*claim, packet->interface_index};
    }
  }
  return std::nullopt;
}

Status VrrpTap::Announce(int index, const MacAddress& mac, const IpAddress& address, bool router) {
  return SendFrame(index, address.is_v4() ? GratuitousArpFrame(mac, address)
                                          : NeighborAdvertisementFrame(mac, address, router));
}

Status VrrpTap::Ask(int index, const MacAddress& mac, const std::optional<IpAddress>& sender,
                    const IpAddress& target) {
  const std::vector<std::uint8_t> packet =
      target.is_v4() ? ArpRequest(mac, sender, target) : NeighbourSolicitation(mac, sender, target);
  const MacAddress to = QuestionMac(target);
  const std::uint16_t type = target.is_v4() ? ETHERTYPE_ARP : ETHERTYPE_IPV6;
  std::vector<std::uint8_t> frame(to.begin(), to.end());
  frame.insert(frame.end(), mac.begin(), mac.end());
  frame.push_back(static_cast<std::uint8_t>(type >> 8));
  frame.push_back(static_cast<std::uint8_t>(type & 0xff));
  frame.insert(frame.end(), packet.begin(), packet.end());
  return SendFrame(index, frame);
}

Status VrrpTap::SendFrame(int index, const std::vector<std::uint8_t>& frame) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = index;
  to.sll_halen = ETH_ALEN;
  std::memcpy(to.sll_addr, frame.data(), ETH_ALEN);
  ssize_t sent = 0;
  do {
    sent = ::sendto(sender_, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                    sizeof to);
  } while (sent < 0 && errno == EINTR);
  // A link that went down in this moment has nobody to tell, and a full queue is no fault of ours.
  if (sent < 0 && errno != ENETDOWN && errno != ENOBUFS && errno != EAGAIN) {
    return Fail(ErrnoError(errno, "sending a frame"));
  }
  return {};
}

}  // namespace drover
