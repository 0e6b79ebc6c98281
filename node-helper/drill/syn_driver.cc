// Path probes that need nobody's help: a bare SYN to a TCP service, answered by its SYN-ACK or,
// when nothing listens, by a reset. This host's kernel knows nothing of the connection and resets
// it by itself, so that nothing stays half open. Nothing is ever repeated.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <cerrno>
#include <vector>

#include "node-helper/drill/datagram_socket.h"
#include "node-helper/drill/probe_address.h"
#include "node-helper/drill/series_driver.h"
#include "node-helper/drill/syn_packet.h"

namespace drover {
namespace {

constexpr std::size_t kSnapBytes = 256;
constexpr int kAttempts = 3;

class SynDriver final : public SeriesDriver {
 public:
  using SeriesDriver::SeriesDriver;

  Status Open() override {
    if (const Status opened = OpenSocket(); !opened) {
      return Fail(opened.error().In("SYN probes to " + settings_.target.ToString()));
    }
    if (!Watch(socket_.get(), EPOLLIN, 0, 0)) return Fail(ErrnoError(errno, "epoll"));
    return {};
  }

  void Send(ProbeTime planned) override {
    const std::uint64_t id = book_->next_id();
    const std::uint16_t port = context_.syn_ports.Next();
    const auto bytes = SynSegment({source_, port}, settings_.target, SequenceOf(id));
    const ProbeTime now = context_.Now();
    ssize_t sent = -1;
    // An ICMP error for an earlier segment is reported here, and then this one was not sent.
    for (int attempt = 0; attempt < kAttempts && sent < 0; ++attempt) {
      sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && (errno == EAGAIN || IsOwnFault(errno))) break;
    }
    const int error = errno;
    if (sent < 0 && (error == EAGAIN || IsOwnFault(error))) return book_->Unsent(planned);
    (void)book_->Begin(planned, now, 0);
    book_->SetFlow(id, 0, port);
    if (sent < 0) {
      book_->Failed(id, context_.Now(), ProbeErrorOf(error).value_or(ProbeError::kUnreachable));
    }
  }

  void Handle(const EventKey&, std::uint32_t events) override {
    if ((events & EPOLLERR) != 0) ReadErrors();
    std::array<std::uint8_t, kSnapBytes> bytes;
    while (true) {
      const ssize_t size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (size < 0 && errno == EAGAIN) return;
      if (size < 0 && errno != EINTR && !ProbeErrorOf(errno)) return;
      if (size < 0) continue;
      const auto answer = DecodeSynAnswer(settings_.target.address.family(),
                                          std::span(bytes).first(static_cast<std::size_t>(size)));
      // Before the run connections of other series are opened, and their answers are heard here
      // too.
      if (!answer || answer->from_port != settings_.target.port || book_ == nullptr) continue;
      book_->Answered(IdOf(answer->acknowledged - 1), context_.Now(), 0, 0);
    }
  }

  void Expire(ProbeTime now) override {
    book_->Expire(now, [](std::uint64_t, std::uint32_t) {});
  }

 private:
  // Probes are numbered from a start that nobody knows, so that no stray segment is taken for an
  // answer. There are never 2^32 of them (kMaxPlannedProbes).
  [[nodiscard]] std::uint32_t SequenceOf(std::uint64_t id) const {
    return static_cast<std::uint32_t>(context_.run + id);
  }
  [[nodiscard]] std::uint64_t IdOf(std::uint32_t sequence) const {
    return sequence - static_cast<std::uint32_t>(context_.run);
  }

  Status OpenSocket() {
    const bool v4 = settings_.target.address.is_v4();
    socket_.Reset(
        ::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
    const int fd = socket_.get();
    if (fd < 0) return Fail(ErrnoError(errno, "raw socket"));
    // Before connect there is no address to send from; what comes in meanwhile is dropped.
    const auto filter = SynAnswerFilter(settings_.target.address.family(), settings_.target.port);
    const sock_fprog program{static_cast<unsigned short>(filter.size()),
                             const_cast<sock_filter*>(filter.data())};
    if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
      return Fail(ErrnoError(errno, "filter of a raw socket"));
    }
    EnlargeQueue(fd);
    const Status connected = ConnectProbes(fd, settings_, 0);
    return connected ? LearnSource() : connected;
  }

  // The checksum covers the address that the kernel chose.
  Status LearnSource() {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
      return Fail(ErrnoError(errno, "getsockname"));
    }
    const auto own = EndpointOf(storage);
    if (!own) return Fail(ErrorCode::kInternal, "the kernel gave the socket no address");
    source_ = own->address;
    return {};
  }

  // The queued segment starts at its TCP header.
  void ReadErrors() {
    while (true) {
      std::array<std::uint8_t, kSnapBytes> bytes;
      const auto queued = ReadQueuedError(socket_.get(), bytes);
      if (!queued) return;
      const auto sequence = SequenceIn(std::span(bytes).first(queued->size));
      if (!sequence || queued->error == 0 || book_ == nullptr) continue;
      book_->Failed(IdOf(*sequence), context_.Now(),
                    ProbeErrorOf(queued->error).value_or(ProbeError::kUnreachable));
    }
  }

  Descriptor socket_;
  IpAddress source_ = IpAddress::V4({0, 0, 0, 0});
};

}  // namespace

std::unique_ptr<SeriesDriver> MakeSynDriver(std::uint8_t number, const ProbeRunSeries& settings,
                                            ProberContext& context) {
  return std::make_unique<SynDriver>(number, settings, context);
}

}  // namespace drover
