#include "node-helper/checks/datagram_probes.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <random>
#include <utility>

#include "node-helper/checks/dns_message.h"
#include "node-helper/checks/reasons.h"
#include "node-helper/checks/socket_address.h"

namespace drover {
namespace {

constexpr std::size_t kMaxDatagram = 65536;

// Sends one datagram and judges what comes back.
class DatagramProbe : public Probe, private Poller::Watcher {
 public:
  DatagramProbe(Poller& poller, const Target& target) : poller_(poller), target_(target) {}
  ~DatagramProbe() override { Close(); }

  std::optional<CheckAnswer> Start(Done done) override;
  CheckAnswer TimedOut() override {
    Close();
    return Silence();
  }

 protected:
  virtual std::string Payload() = 0;
  // Empty: not for us, go on waiting.
  virtual std::optional<CheckAnswer> Judge(std::string_view datagram) = 0;
  virtual CheckAnswer Silence() {
    return CheckAnswer::Failed(NoAnswerIn(target_.settings.timeout));
  }

 private:
  void Ready(std::uint32_t events) override;
  void Close() {
    if (ticket_ != 0) poller_.Forget(std::exchange(ticket_, 0));
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  CheckAnswer CloseFor(int error_number) {
    Close();
    return OutcomeOfErrno(error_number);
  }
  void Finish(const CheckAnswer& outcome) {
    Close();
    const Done done = std::exchange(done_, nullptr);
    done(outcome);
  }

  Poller& poller_;
  const Target target_;
  int fd_ = -1;
  Poller::Ticket ticket_ = 0;
  Done done_;
};

std::optional<CheckAnswer> DatagramProbe::Start(Done done) {
  done_ = std::move(done);
  const bool v4 = target_.ask.address.is_v4();
  fd_ = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return OutcomeOfErrno(errno);
  const SocketAddress to(target_.ask);
  const std::string payload = Payload();
  if (::connect(fd_, to.get(), to.size()) != 0 ||
      ::send(fd_, payload.data(), payload.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    return CloseFor(errno);
  }
  ticket_ = poller_.Add(fd_, EPOLLIN, *this);
  if (ticket_ == 0) return CloseFor(errno);
  return std::nullopt;
}

void DatagramProbe::Ready(std::uint32_t) {
  std::array<char, kMaxDatagram> bytes;
  while (true) {
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) return Finish(OutcomeOfErrno(errno));
    if (const auto outcome = Judge({bytes.data(), static_cast<std::size_t>(got)})) {
      return Finish(*outcome);
    }
  }
}

class UdpProbe final : public DatagramProbe {
 public:
  UdpProbe(Poller& poller, const Target& target)
      : DatagramProbe(poller, target), check_(std::get<UdpCheck>(target.settings.kind)) {}

 private:
  std::string Payload() override { return check_.payload; }
  std::optional<CheckAnswer> Judge(std::string_view datagram) override {
    if (datagram.starts_with(check_.expect)) return CheckAnswer::Ok();
    return CheckAnswer::Failed("the answer begins with \"" + Printable(datagram) + "\"");
  }
  // No ICMP error came either.
  CheckAnswer Silence() override {
    return check_.expect.empty() ? CheckAnswer::Ok() : DatagramProbe::Silence();
  }

  const UdpCheck check_;
};

class DnsProbe final : public DatagramProbe {
 public:
  DnsProbe(Poller& poller, const Target& target)
      : DatagramProbe(poller, target), check_(std::get<DnsCheck>(target.settings.kind)) {}

 private:
  std::string Payload() override {
    id_ = static_cast<std::uint16_t>(random_() & 0xFFFF);
    return EncodeDnsQuery(id_, check_);
  }
  std::optional<CheckAnswer> Judge(std::string_view datagram) override {
    if (!AnswersDnsQuery(datagram, id_)) return std::nullopt;
    return JudgeDnsAnswer(datagram, check_);
  }

  const DnsCheck check_;
  std::random_device random_;
  std::uint16_t id_ = 0;
};

}  // namespace

std::unique_ptr<Probe> MakeDatagramProbe(Poller& poller, const Target& target) {
  if (std::holds_alternative<DnsCheck>(target.settings.kind)) {
    return std::make_unique<DnsProbe>(poller, target);
  }
  return std::make_unique<UdpProbe>(poller, target);
}

}  // namespace drover
