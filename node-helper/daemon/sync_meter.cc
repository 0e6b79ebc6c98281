#include "node-helper/daemon/sync_meter.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <random>

#include "node-helper/net/connection_table.h"
#include "node-helper/sync/comparison.h"
#include "node-helper/sync/report.h"

namespace drover {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kInterval{1000};
// The loop has other things to do: work for so long, then rest for kRestPerWork times as long.
constexpr std::chrono::microseconds kSlice{2000};
constexpr int kRestPerWork = 24;
// Reports per interval; what comes beyond it waits in the socket or is lost.
constexpr int kMaxBurst = 100;
// ip_vs uses one port per sync thread (sysctl sync_ports, at most 64) from the daemon's on.
constexpr int kPortDistance = 64;

std::uint16_t MeterPort(std::uint16_t daemon_port) {
  const int above = daemon_port + kPortDistance;
  return static_cast<std::uint16_t>(above <= 65535 ? above : daemon_port - kPortDistance);
}

udp::endpoint GroupOf(const SyncDaemon& daemon, unsigned interface_index) {
  if (daemon.group.is_v4()) {
    asio::ip::address_v4::bytes_type bytes;
    std::copy_n(daemon.group.data(), bytes.size(), bytes.begin());
    return {asio::ip::address_v4(bytes), MeterPort(daemon.port)};
  }
  asio::ip::address_v6::bytes_type bytes;
  std::copy_n(daemon.group.data(), bytes.size(), bytes.begin());
  return {asio::ip::address_v6(bytes, interface_index), MeterPort(daemon.port)};
}

IpAddress AddressOf(const asio::ip::address& address) {
  return address.is_v4() ? IpAddress::V4(address.to_v4().to_bytes())
                         : IpAddress::V6(address.to_v6().to_bytes());
}

template <typename T>
bool Set(int fd, int level, int option, const T& value) {
  return ::setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

bool SetForSending(int fd, const SyncDaemon& daemon, unsigned index) {
  if (daemon.group.is_v4()) {
    ip_mreqn interface {};
    interface.imr_ifindex = static_cast<int>(index);
    return Set(fd, IPPROTO_IP, IP_MULTICAST_IF, interface) &&
           Set(fd, IPPROTO_IP, IP_MULTICAST_TTL, int{daemon.ttl}) &&
           Set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  }
  return Set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(index)) &&
         Set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int{daemon.ttl}) &&
         Set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
}

bool Join(int fd, const SyncDaemon& daemon, unsigned index) {
  if (daemon.group.is_v4()) {
    ip_mreqn group{};
    std::copy_n(daemon.group.data(), sizeof(group.imr_multiaddr),
                reinterpret_cast<std::uint8_t*>(&group.imr_multiaddr));
    group.imr_ifindex = static_cast<int>(index);
    return Set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, group);
  }
  ipv6_mreq group{};
  std::copy_n(daemon.group.data(), sizeof(group.ipv6mr_multiaddr),
              reinterpret_cast<std::uint8_t*>(&group.ipv6mr_multiaddr));
  group.ipv6mr_interface = index;
  return Set(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, group);
}

// A socket of one direction and the interface that it was opened for.
struct Line {
  std::optional<SyncDaemon> daemon;
  std::optional<udp::socket> socket;
  unsigned index = 0;
  udp::endpoint group;
  std::string problem;

  void Close() {
    socket.reset();
    index = 0;
  }
};

}  // namespace

struct SyncMeter::State : std::enable_shared_from_this<SyncMeter::State> {
  State(asio::io_context& the_loop, std::string the_table)
      : loop(the_loop), timer(the_loop), table(std::move(the_table)) {}

  void Configure(const std::vector<SyncDaemon>& daemons);
  void Rest();
  void Work();
  void FinishPass(Clock::time_point now, Clock::duration last_slice);
  void WaitFor(Clock::duration duration);
  void KeepOpen(Line& line);
  void Open(Line& line);
  void Send(std::chrono::milliseconds every);
  void Receive();
  void Take(const boost::system::error_code& error, std::size_t size);

  [[nodiscard]] bool rests() const { return !sending.daemon && !listening.daemon; }

  asio::io_context& loop;
  asio::steady_timer timer;
  std::string table;
  Line sending;
  Line listening;
  std::optional<TableComparison> comparison;
  std::optional<ConnectionReader> reader;  // of the pass that is under way
  Clock::time_point pass_begun;
  std::string look_problem;
  std::array<std::uint8_t, 2048> datagram{};
  udp::endpoint source;
  std::uint64_t listeners =
      0;  // counts listening sockets, so that news of an old one is told apart
  int burst = 0;
  bool paused = false;  // after too many datagrams, until the pass ends
  std::uint64_t refused = 0;
};

void SyncMeter::State::Configure(const std::vector<SyncDaemon>& daemons) {
  std::optional<SyncDaemon> master;
  std::optional<SyncDaemon> backup;
  for (const SyncDaemon& daemon : daemons) {
    (daemon.role == SyncRole::kMaster ? master : backup) = daemon;
  }
  if (master == sending.daemon && backup == listening.daemon) return;
  Rest();
  sending.daemon = master;
  listening.daemon = backup;
  if (rests()) return;
  std::random_device dice;
  const std::uint64_t node = std::uint64_t{dice()} << 32 | dice();
  comparison.emplace(node, master ? master->sync_id : std::uint8_t{0});
  KeepOpen(sending);
  KeepOpen(listening);
  WaitFor(Clock::duration::zero());
}

void SyncMeter::State::Rest() {
  timer.cancel();
  sending = Line{};
  listening = Line{};
  comparison.reset();
  reader.reset();
  look_problem.clear();
  burst = 0;
  paused = false;
}

void SyncMeter::State::WaitFor(Clock::duration duration) {
  timer.expires_after(duration);
  timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && !self->rests()) self->Work();
  });
}

// One slice of a pass over the table.
void SyncMeter::State::Work() {
  const Clock::time_point begun = Clock::now();
  if (!reader) {
    Result<ConnectionReader> opened = ConnectionReader::Open(table);
    if (!opened) {
      look_problem = opened.error().message;
      return WaitFor(kInterval);
    }
    reader.emplace(std::move(*opened));
    pass_begun = begun;
    comparison->BeginPass(begun);
  }
  const Result<bool> end = reader->ReadSome(
      kSlice, [this](const Connection& connection) { comparison->Meet(connection); });
  const Clock::time_point now = Clock::now();
  if (!end) {
    look_problem = end.error().message;
    reader.reset();
    return WaitFor(kInterval);
  }
  look_problem.clear();
  if (*end) return FinishPass(now, now - begun);
  WaitFor(kRestPerWork * (now - begun));
}

void SyncMeter::State::FinishPass(Clock::time_point now, Clock::duration last_slice) {
  reader.reset();
  comparison->EndPass();
  const Clock::duration rest =
      std::max<Clock::duration>(kInterval - (now - pass_begun), kRestPerWork * last_slice);
  KeepOpen(sending);
  KeepOpen(listening);
  Send(std::chrono::duration_cast<std::chrono::milliseconds>(now - pass_begun + rest));
  burst = 0;
  if (std::exchange(paused, false)) Receive();
  WaitFor(rest);
}

// An interface may come late, go, or come again under its name as another one.
void SyncMeter::State::KeepOpen(Line& line) {
  if (!line.daemon) return;
  const unsigned index = ::if_nametoindex(line.daemon->interface.c_str());
  if (line.socket && line.index == index) return;
  line.Close();
  if (index == 0) {
    line.problem = "sync meter: there is no interface " + line.daemon->interface;
    return;
  }
  line.index = index;
  line.group = GroupOf(*line.daemon, index);
  Open(line);
}

void SyncMeter::State::Open(Line& line) {
  const SyncDaemon& daemon = *line.daemon;
  const bool listens = &line == &listening;
  boost::system::error_code error;
  udp::socket socket(loop);
  errno = 0;
  bool fine = !socket.open(line.group.protocol(), error);
  const int fd = socket.native_handle();
  fine = fine && !socket.non_blocking(true, error);
  if (fine && listens) {
    fine = Set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
           ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, daemon.interface.c_str(),
                        static_cast<socklen_t>(daemon.interface.size())) == 0 &&
           !socket.bind(line.group, error) && Join(fd, daemon, line.index);
  } else if (fine) {
    fine = SetForSending(fd, daemon, line.index);
  }
  if (!fine) {
    const int number = error ? error.value() : errno;
    line.problem = ErrnoError(number, "sync meter on " + daemon.interface).message;
    line.Close();
    return;
  }
  line.problem.clear();
  line.socket.emplace(std::move(socket));
  if (!listens) return;
  ++listeners;
  paused = false;
  Receive();
}

void SyncMeter::State::Send(std::chrono::milliseconds every) {
  if (!sending.socket) return;
  const std::vector<std::uint8_t> bytes = EncodeReport(comparison->OwnReport(every));
  boost::system::error_code error;
  sending.socket->send_to(asio::buffer(bytes), sending.group, 0, error);
  sending.problem.clear();
  if (error && error != asio::error::would_block) {
    sending.problem = ErrnoError(error.value(), "sync meter: sending").message;
  }
}

void SyncMeter::State::Receive() {
  if (!listening.socket) return;
  listening.socket->async_receive_from(
      asio::buffer(datagram), source,
      [self = shared_from_this(), of = listeners](const boost::system::error_code& error,
                                                  std::size_t size) {
        if (self->listening.socket && self->listeners == of) self->Take(error, size);
      });
}

void SyncMeter::State::Take(const boost::system::error_code& error, std::size_t size) {
  if (error) {  // the interface went down; KeepOpen opens another one
    listening.problem = ErrnoError(error.value(), "sync meter: receiving").message;
    return listening.Close();
  }
  const Result<TableReport> report = DecodeReport({datagram.data(), size});
  const std::uint8_t only = listening.daemon->sync_id;
  if (!report) {
    ++refused;
  } else if (only == 0 || report->sync_id == only) {
    comparison->Hear(AddressOf(source.address()), *report, Clock::now());
  }
  paused = ++burst >= kMaxBurst;
  if (!paused) Receive();
}

SyncMeter::SyncMeter(asio::io_context& loop, std::string table)
    : state_(std::make_shared<State>(loop, std::move(table))) {}

SyncMeter::~SyncMeter() { state_->Rest(); }

void SyncMeter::Configure(const std::vector<SyncDaemon>& daemons) { state_->Configure(daemons); }

std::optional<SyncStatus> SyncMeter::Status() const {
  if (!state_->comparison) return std::nullopt;
  return state_->comparison->StatusAt(Clock::now());
}

bool SyncMeter::Converged(double threshold) const {
  return state_->comparison && state_->comparison->ConvergedAt(threshold, Clock::now());
}

std::string SyncMeter::problem() const {
  for (const std::string* problem :
       {&state_->look_problem, &state_->sending.problem, &state_->listening.problem}) {
    if (!problem->empty()) return *problem;
  }
  return "";
}

std::uint64_t SyncMeter::refused() const { return state_->refused; }

}  // namespace drover
