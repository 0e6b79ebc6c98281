#include "node-helper/checks/datagram_probes.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <random>
#include <utility>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "node-helper/checks/dns_message.h"
#include "node-helper/checks/reasons.h"
#include "node-helper/checks/socket_address.h"

namespace drover {
namespace {

using boost::asio::ip::udp;
using ErrorCodeOfBoost = boost::system::error_code;

constexpr std::size_t kMaxDatagram = 65536;

// Sends one datagram and judges what comes back.
class DatagramProbe : public Probe {
 public:
  DatagramProbe(boost::asio::io_context& loop, const Target& target)
      : loop_(loop), target_(target) {}
  ~DatagramProbe() override { Close(); }

  std::optional<ProbeOutcome> Start(Done done) override;
  ProbeOutcome TimedOut() override {
    Close();
    return Silence();
  }

 protected:
  virtual std::string Payload() = 0;
  // Empty: not for us, go on waiting.
  virtual std::optional<ProbeOutcome> Judge(std::string_view datagram) = 0;
  virtual ProbeOutcome Silence() {
    return ProbeOutcome::Failed(NoAnswerIn(target_.settings.timeout));
  }

 private:
  // Outlives the probe until the handler of its last wait ran.
  struct Socket {
    explicit Socket(boost::asio::io_context& loop) : socket(loop) {}
    udp::socket socket;
    bool closed = false;
  };

  void Wait();
  void Take();
  void Close() {
    if (!socket_) return;
    socket_->closed = true;
    ErrorCodeOfBoost ignored;
    socket_->socket.close(ignored);
    socket_.reset();
  }
  void Finish(const ProbeOutcome& outcome) {
    Close();
    const Done done = std::exchange(done_, nullptr);
    done(outcome);
  }

  boost::asio::io_context& loop_;
  const Target target_;
  std::shared_ptr<Socket> socket_;
  Done done_;
};

std::optional<ProbeOutcome> DatagramProbe::Start(Done done) {
  done_ = std::move(done);
  const bool v4 = target_.ask.address.is_v4();
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return OutcomeOfErrno(errno);
  socket_ = std::make_shared<Socket>(loop_);
  ErrorCodeOfBoost error;
  socket_->socket.assign(v4 ? udp::v4() : udp::v6(), fd, error);
  if (error) {
    ::close(fd);
    socket_.reset();
    return OutcomeOfErrno(error.value());
  }
  const SocketAddress to(target_.ask);
  const std::string payload = Payload();
  if (::connect(fd, to.get(), to.size()) != 0 ||
      ::send(fd, payload.data(), payload.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    const int error_number = errno;
    Close();
    return OutcomeOfErrno(error_number);
  }
  Wait();
  return std::nullopt;
}

void DatagramProbe::Wait() {
  socket_->socket.async_wait(udp::socket::wait_read,
                             [this, socket = socket_](const ErrorCodeOfBoost& error) {
                               if (socket->closed) return;
                               if (error) return Finish(OutcomeOfErrno(error.value()));
                               Take();
                             });
}

void DatagramProbe::Take() {
  std::array<char, kMaxDatagram> bytes;
  const ssize_t got =
      ::recv(socket_->socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Wait();
  if (got < 0) return Finish(OutcomeOfErrno(errno));
  if (const auto outcome = Judge({bytes.data(), static_cast<std::size_t>(got)})) {
    return Finish(*outcome);
  }
  Wait();
}

class UdpProbe final : public DatagramProbe {
 public:
  UdpProbe(boost::asio::io_context& loop, const Target& target)
      : DatagramProbe(loop, target), check_(std::get<UdpCheck>(target.settings.kind)) {}

 private:
  std::string Payload() override { return check_.payload; }
  std::optional<ProbeOutcome> Judge(std::string_view datagram) override {
    if (datagram.starts_with(check_.expect)) return ProbeOutcome::Ok();
    return ProbeOutcome::Failed("the answer begins with \"" + Printable(datagram) + "\"");
  }
  // No ICMP error came either.
  ProbeOutcome Silence() override {
    return check_.expect.empty() ? ProbeOutcome::Ok() : DatagramProbe::Silence();
  }

  const UdpCheck check_;
};

class DnsProbe final : public DatagramProbe {
 public:
  DnsProbe(boost::asio::io_context& loop, const Target& target)
      : DatagramProbe(loop, target), check_(std::get<DnsCheck>(target.settings.kind)) {}

 private:
  std::string Payload() override {
    id_ = static_cast<std::uint16_t>(random_() & 0xFFFF);
    return EncodeDnsQuery(id_, check_);
  }
  std::optional<ProbeOutcome> Judge(std::string_view datagram) override {
    if (!AnswersDnsQuery(datagram, id_)) return std::nullopt;
    return JudgeDnsAnswer(datagram, check_);
  }

  const DnsCheck check_;
  std::random_device random_;
  std::uint16_t id_ = 0;
};

}  // namespace

std::unique_ptr<Probe> MakeDatagramProbe(boost::asio::io_context& loop, const Target& target) {
  if (std::holds_alternative<DnsCheck>(target.settings.kind)) {
    return std::make_unique<DnsProbe>(loop, target);
  }
  return std::make_unique<UdpProbe>(loop, target);
}

}  // namespace drover
