#include "node-helper/checks/pinger.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <random>
#include <utility>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "node-helper/checks/reasons.h"
#include "node-helper/checks/socket_address.h"

namespace drover {
namespace {

using ErrorCodeOfBoost = boost::system::error_code;
using boost::asio::posix::stream_descriptor;

constexpr std::size_t kMaxPacket = 2048;
constexpr int kPacketsPerTurn = 64;  // so that a flood of ICMP cannot hold the loop
constexpr std::string_view kPayload = "drover health check";

// As in linux/icmp.h, which does not go together with the headers of the C library.
constexpr int kIcmpFilter = 1;
struct IcmpFilter {
  std::uint32_t blocked = 0;  // a bit for each type
};

// Only answers to echo requests and errors come through to us.
void FilterFor(Family family, int fd) {
  if (family == Family::kIpv4) {
    IcmpFilter filter;
    filter.blocked = ~(1U << ICMP_ECHOREPLY | 1U << ICMP_DEST_UNREACH | 1U << ICMP_TIME_EXCEEDED);
    ::setsockopt(fd, SOL_RAW, kIcmpFilter, &filter, sizeof filter);
    return;
  }
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  for (const int type : {ICMP6_ECHO_REPLY, ICMP6_DST_UNREACH, ICMP6_TIME_EXCEEDED}) {
    ICMP6_FILTER_SETPASS(type, &filter);
  }
  ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
}

}  // namespace

struct Pinger::State : std::enable_shared_from_this<Pinger::State> {
  struct Question {
    IpAddress address;
    Probe::Done done;
  };
  struct Side {
    std::optional<stream_descriptor> socket;
    std::map<EchoMark, Question> questions;
  };

  explicit State(boost::asio::io_context& its_loop) : loop(its_loop) {
    std::random_device random;
    next = {static_cast<std::uint16_t>(random()), static_cast<std::uint16_t>(random())};
  }

  Side& SideOf(Family family) { return family == Family::kIpv4 ? v4 : v6; }
  int Open(Family family);  // 0 or errno
  void Wait(Family family);
  void Take(Family family);
  void Answered(Family family, const IpAddress& from, const EchoAnswer& answer);

  boost::asio::io_context& loop;
  EchoMark next;
  Side v4;
  Side v6;
  bool closed = false;
};

int Pinger::State::Open(Family family) {
  Side& side = SideOf(family);
  if (side.socket) return 0;
  const bool is_v4 = family == Family::kIpv4;
  const int fd = ::socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          is_v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6});
  if (fd < 0) return errno;
  FilterFor(family, fd);
  side.socket.emplace(loop);
  ErrorCodeOfBoost error;
  side.socket->assign(fd, error);
  if (error) {
    ::close(fd);
    side.socket.reset();
    return error.value();
  }
  Wait(family);
  return 0;
}

void Pinger::State::Wait(Family family) {
  SideOf(family).socket->async_wait(
      stream_descriptor::wait_read, [self = shared_from_this(), family](const ErrorCodeOfBoost& e) {
        if (self->closed || e == boost::asio::error::operation_aborted) return;
        self->Take(family);
        if (!self->closed) self->Wait(family);
      });
}

void Pinger::State::Take(Family family) {
  std::array<char, kMaxPacket> bytes;
  for (int i = 0; i < kPacketsPerTurn && !closed; ++i) {
    SocketAddress from;
    const ssize_t got = ::recvfrom(SideOf(family).socket->native_handle(), bytes.data(),
                                   bytes.size(), MSG_DONTWAIT, from.fill(), from.fill_size());
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) continue;  // an error that belongs to some packet before
    const auto answer = DecodeEchoAnswer(family, {bytes.data(), static_cast<std::size_t>(got)});
    if (answer) Answered(family, from.address(), *answer);
  }
}

void Pinger::State::Answered(Family family, const IpAddress& from, const EchoAnswer& answer) {
  auto& questions = SideOf(family).questions;
  const auto question = questions.find(answer.mark);
  if (question == questions.end()) return;
  if (answer.asked.value_or(from) != question->second.address) return;
  const Probe::Done done = std::move(question->second.done);
  questions.erase(question);
  done(answer.error.empty() ? CheckAnswer::Ok() : CheckAnswer::Failed(answer.error));
}

Pinger::Pinger(boost::asio::io_context& loop) : state_(std::make_shared<State>(loop)) {}

Pinger::~Pinger() {
  state_->closed = true;
  for (State::Side* side : {&state_->v4, &state_->v6}) side->socket.reset();
}

std::optional<CheckAnswer> Pinger::Ask(const IpAddress& address, Probe::Done done, EchoMark& mark) {
  const Family family = address.family();
  if (const int failure = state_->Open(family); failure != 0) {
    return CheckAnswer::NotAsked("no raw socket: " + ReasonOf(failure));
  }
  State::Side& side = state_->SideOf(family);
  mark = state_->next;
  if (++state_->next.sequence == 0) ++state_->next.id;
  const std::string packet = EncodeEcho(family, mark, kPayload);
  const SocketAddress to({address, 0});
  if (::sendto(side.socket->native_handle(), packet.data(), packet.size(),
               MSG_DONTWAIT | MSG_NOSIGNAL, to.get(), to.size()) < 0) {
    return OutcomeOfErrno(errno);
  }
  side.questions[mark] = {address, std::move(done)};
  return std::nullopt;
}

void Pinger::Forget(Family family, const EchoMark& mark) {
  state_->SideOf(family).questions.erase(mark);
}

namespace {

class PingProbe final : public Probe {
 public:
  PingProbe(Pinger& pinger, const Target& target)
      : pinger_(pinger), address_(target.ask.address), timeout_(target.settings.timeout) {}
  ~PingProbe() override { Forget(); }

  std::optional<CheckAnswer> Start(Done done) override {
    EchoMark mark;
    auto outcome = pinger_.Ask(
        address_,
        [this, done = std::move(done)](const CheckAnswer& answer) {
          mark_.reset();
          done(answer);
        },
        mark);
    if (!outcome) mark_ = mark;
    return outcome;
  }
  CheckAnswer TimedOut() override {
    Forget();
    return CheckAnswer::Failed(NoAnswerIn(timeout_));
  }

 private:
  void Forget() {
    if (mark_) pinger_.Forget(address_.family(), *mark_);
    mark_.reset();
  }

  Pinger& pinger_;
  const IpAddress address_;
  const std::chrono::milliseconds timeout_;
  std::optional<EchoMark> mark_;
};

}  // namespace

std::unique_ptr<Probe> MakePingProbe(Pinger& pinger, const Target& target) {
  return std::make_unique<PingProbe>(pinger, target);
}

}  // namespace drover
