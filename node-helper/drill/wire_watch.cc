#include "node-helper/drill/wire_watch.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "node-helper/drill/datagram_socket.h"
#include "node-helper/drill/stop_event.h"
#include "node-helper/net/link_route.h"
#include "node-helper/net/neighbour_frame.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSnapBytes = 256;  // the longest VRRP packet, and all of ARP and ND
constexpr std::size_t kEthernetBytes = 14;
constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kNanosPerMicro = 1000;
constexpr std::uint32_t kVrrp = 112;
// RFC 4861: router solicitation to redirect.
constexpr std::uint32_t kFirstDiscovery = 133;
constexpr std::uint32_t kLastDiscovery = 137;
constexpr MacAddress kVrrpGroup = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x12};    // 224.0.0.18
constexpr MacAddress kVrrpGroupV6 = {0x33, 0x33, 0x00, 0x00, 0x00, 0x12};  // ff02::12

constexpr std::array<sock_filter, 14> kWanted = {{
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),  // EtherType
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 10, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 2),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kEthernetBytes + 9),  // protocol
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kVrrp, 7, 8),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 7),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kEthernetBytes + 6),  // next header
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kVrrp, 4, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 4),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kEthernetBytes + 40),  // type
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kFirstDiscovery, 0, 2),
    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, kLastDiscovery, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};

std::int64_t Micros(clockid_t clock) {
  timespec now{};
  (void)::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * kMicros + now.tv_nsec / kNanosPerMicro;
}

// The kernel stamps frames with the wall clock, which may be set meanwhile: only how long ago it
// was counts.
std::int64_t MonotonicOf(const timespec& stamp) {
  const std::int64_t age = Micros(CLOCK_REALTIME) -
                           (std::int64_t{stamp.tv_sec} * kMicros + stamp.tv_nsec / kNanosPerMicro);
  const std::int64_t now = Micros(CLOCK_MONOTONIC);
  return age < 0 || age > kMicros ? now : now - age;
}

// A link with the VIPs that lie on it.
struct WatchedLink {
  LinkRoute route;
  std::vector<IpAddress> vips;
  std::vector<IpAddress> senders;  // of this host, which may be named
  Descriptor socket;
  Descriptor asking;  // a packet socket does not see what it sends itself
};

Status Join(int fd, int index, const MacAddress& group) {
  packet_mreq request{};
  request.mr_ifindex = index;
  request.mr_type = PACKET_MR_MULTICAST;
  request.mr_alen = ETH_ALEN;
  std::memcpy(request.mr_address, group.data(), group.size());
  if (::setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0) return {};
  return Fail(ErrnoError(errno, "multicast"));
}

Result<Descriptor> OpenLink(int index) {
  // Protocol 0 until the filter is in place: no packet slips in before it.
  Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = socket.get();
  if (fd < 0) return Fail(ErrnoError(errno, "packet socket"));
  const sock_fprog program{static_cast<unsigned short>(kWanted.size()),
                           const_cast<sock_filter*>(kWanted.data())};
  const int on = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
      ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) {
    return Fail(ErrnoError(errno, "packet socket"));
  }
  EnlargeQueue(fd);
  for (const MacAddress& group : {kVrrpGroup, kVrrpGroupV6}) {
    if (const Status joined = Join(fd, index, group); !joined) return Fail(joined.error());
  }
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_protocol = htons(ETH_P_ALL);  // also what this host sends
  link.sll_ifindex = index;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&link), sizeof link) != 0) {
    return Fail(ErrnoError(errno, "packet socket"));
  }
  return socket;
}

std::vector<std::uint8_t> QuestionFrame(const LinkRoute& link,
                                        const std::optional<IpAddress>& sender,
                                        const IpAddress& vip) {
  const MacAddress to = QuestionMac(vip);
  const std::uint16_t type = vip.is_v4() ? ETHERTYPE_ARP : ETHERTYPE_IPV6;
  std::vector<std::uint8_t> frame(to.begin(), to.end());
  frame.insert(frame.end(), link.mac.begin(), link.mac.end());
  frame.push_back(static_cast<std::uint8_t>(type >> 8));
  frame.push_back(static_cast<std::uint8_t>(type));
  const auto packet = vip.is_v4() ? ArpRequest(link.mac, sender, vip)
                                  : NeighbourSolicitation(link.mac, sender, vip);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

std::optional<AddressClaim> ClaimOf(std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernetBytes) return std::nullopt;
  const auto packet = frame.subspan(kEthernetBytes);
  const unsigned type = unsigned{frame[12]} << 8 | frame[13];
  if (type == ETHERTYPE_ARP) return ClaimOfArp(packet);
  if (type != ETHERTYPE_IPV6) return std::nullopt;
  MacAddress source{};
  std::copy_n(frame.begin() + ETH_ALEN, source.size(), source.begin());
  return ClaimOfAdvertisement(packet, source);
}

}  // namespace

class WireWatch::Watcher {
 public:
  Watcher(const WireWatchSettings& settings, StopEvent stop)
      : settings_(settings), stop_(std::move(stop)) {}
  ~Watcher() { Join(); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  Status Open() {
    for (const IpAddress& vip : settings_.vips) {
      if (const Status located = Locate(vip); !located) return located;
    }
    thread_ = std::thread([this] { Watch(); });
    return {};
  }

  std::vector<MacAddress> TakeOwners() {
    const std::lock_guard lock(mutex_);
    std::vector<MacAddress> owners(owners_.begin(), owners_.end());
    owners_.clear();
    return owners;
  }

  Seen Finish() {
    Join();
    for (const WatchedLink& link : links_) CountDrops(link);
    if (left_out_ > 0) {
      notes_.push_back("the capture is full: " + std::to_string(left_out_) +
                       " later frames are not in it");
    }
    std::stable_sort(frames_.begin(), frames_.end(),
                     [](const CapturedFrame& a, const CapturedFrame& b) {
                       return a.monotonic_us < b.monotonic_us;
                     });
    return {std::move(frames_), std::move(notes_)};
  }

 private:
  void Join() {
    stop_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  Status Locate(const IpAddress& vip) {
    auto route = FindLinkRoute(vip);
    if (!route || !route->on_link) {
      notes_.push_back("who has " + vip.ToString() +
                       " was not asked: it is not on a link of this " + "host");
      return {};
    }
    const auto known = std::find_if(links_.begin(), links_.end(), [&](const WatchedLink& link) {
      return link.route.index == route->index;
    });
    const bool is_new = known == links_.end();
    WatchedLink& link = is_new ? links_.emplace_back() : *known;
    for (const IpAddress& own : route->addresses) {
      if (std::find(settings_.vips.begin(), settings_.vips.end(), own) == settings_.vips.end()) {
        link.senders.push_back(own);
      }
    }
    link.vips.push_back(vip);
    if (!is_new) return {};
    link.route = std::move(*route);
    auto socket = OpenLink(link.route.index);
    if (!socket) return Fail(socket.error().In(link.route.interface));
    link.socket = std::move(*socket);
    return OpenAsking(link);
  }

  static Status OpenAsking(WatchedLink& link) {
    link.asking.Reset(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_ll there{};
    there.sll_family = AF_PACKET;
    there.sll_ifindex = link.route.index;  // protocol 0: it hears nothing
    if (!link.asking.valid() ||
        ::bind(link.asking.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) {
      return Fail(ErrnoError(errno, "packet socket"));
    }
    return {};
  }

  void Watch() {
    auto next = Clock::now();
    std::vector<pollfd> waiting = {{stop_.fd(), POLLIN, 0}};
    for (const WatchedLink& link : links_) waiting.push_back({link.socket.get(), POLLIN, 0});
    while ((waiting[0].revents & POLLIN) == 0) {
      if (Clock::now() >= next) {
        AskAll();
        next = std::max(next + settings_.owner_period, Clock::now());
      }
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
      (void)::poll(waiting.data(), waiting.size(),
                   static_cast<int>(std::max<std::int64_t>(0, left.count())));
      for (const WatchedLink& link : links_) Hear(link);
    }
  }

  void AskAll() {
    for (const WatchedLink& link : links_) {
      for (const IpAddress& vip : link.vips) {
        const auto own =
            std::find_if(link.senders.begin(), link.senders.end(),
                         [&](const IpAddress& sender) { return sender.family() == vip.family(); });
        const auto sender = own == link.senders.end() ? std::nullopt : std::optional(*own);
        const auto frame = QuestionFrame(link.route, sender, vip);
        // A link that is down now may come back; the next question tells.
        (void)::send(link.asking.get(), frame.data(), frame.size(), MSG_NOSIGNAL);
      }
    }
  }

  void Hear(const WatchedLink& link) {
    std::array<std::uint8_t, kSnapBytes> buffer;
    while (true) {
      sockaddr_ll from{};
      alignas(cmsghdr) std::array<char, 128> control;
      iovec part{buffer.data(), buffer.size()};
      msghdr message{};
      message.msg_name = &from;
      message.msg_namelen = sizeof from;
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t size = ::recvmsg(link.socket.get(), &message, MSG_TRUNC);
      if (size < 0 && (errno == EINTR || errno == ENETDOWN)) continue;
      if (size < 0) return;
      const auto bytes =
          std::span(buffer).first(std::min(buffer.size(), static_cast<std::size_t>(size)));
      if (from.sll_pkttype != PACKET_OUTGOING) Count(link, bytes);
      Keep(message, static_cast<std::uint32_t>(size), bytes);
    }
  }

  void Count(const WatchedLink& link, std::span<const std::uint8_t> bytes) {
    const auto claim = ClaimOf(bytes);
    if (!claim || claim->mac == link.route.mac) return;
    if (std::find(link.vips.begin(), link.vips.end(), claim->address) == link.vips.end()) return;
    const std::lock_guard lock(mutex_);
    owners_.insert(claim->mac);
  }

  void Keep(msghdr& message, std::uint32_t length, std::span<const std::uint8_t> bytes) {
    if (!settings_.capture) return;
    if (kept_ + bytes.size() > kMaxCaptureBytes) {
      ++left_out_;
      return;
    }
    kept_ += bytes.size();
    CapturedFrame frame{.monotonic_us = Micros(CLOCK_MONOTONIC),
                        .length = length,
                        .bytes = {bytes.begin(), bytes.end()}};
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec stamp{};
      std::memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
      frame.monotonic_us = MonotonicOf(stamp);
    }
    frames_.push_back(std::move(frame));
  }

  void CountDrops(const WatchedLink& link) {
    tpacket_stats stats{};
    socklen_t length = sizeof stats;
    if (::getsockopt(link.socket.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &length) != 0 ||
        stats.tp_drops == 0) {
      return;
    }
    notes_.push_back(std::to_string(stats.tp_drops) + " frames on " + link.route.interface +
                     " came too fast and are not in the capture");
  }

  const WireWatchSettings settings_;
  StopEvent stop_;
  std::vector<WatchedLink> links_;
  std::thread thread_;
  std::mutex mutex_;
  std::set<MacAddress> owners_;  // under mutex_
  std::vector<CapturedFrame> frames_;
  std::vector<std::string> notes_;
  std::size_t kept_ = 0;
  std::uint64_t left_out_ = 0;
};

WireWatch::WireWatch(std::unique_ptr<Watcher> watcher) : watcher_(std::move(watcher)) {}
WireWatch::~WireWatch() = default;

Result<std::unique_ptr<WireWatch>> WireWatch::Start(const WireWatchSettings& settings) {
  auto stop = StopEvent::Create();
  if (!stop) return Fail(stop.error());
  auto watcher = std::make_unique<Watcher>(settings, std::move(*stop));
  if (const Status opened = watcher->Open(); !opened) return Fail(opened.error());
  return std::unique_ptr<WireWatch>(new WireWatch(std::move(watcher)));
}

std::vector<MacAddress> WireWatch::TakeOwners() { return watcher_->TakeOwners(); }
WireWatch::Seen WireWatch::Finish() { return watcher_->Finish(); }

}  // namespace drover
