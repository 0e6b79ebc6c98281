// Path probes: datagrams and their echoes.

#include <sys/epoll.h>

#include <cerrno>
#include <vector>

#include "node-helper/drill/datagram_socket.h"
#include "node-helper/drill/probe_address.h"
#include "node-helper/drill/probe_packet.h"
#include "node-helper/drill/series_driver.h"

namespace drover {
namespace {

class PathDriver final : public SeriesDriver {
 public:
  using SeriesDriver::SeriesDriver;

  Status Open() override {
    for (std::uint32_t i = 0; i < settings_.connections; ++i) {
      auto socket = OpenSocket();
      if (!socket) return Fail(socket.error().In("path probes to " + settings_.target.ToString()));
      if (!Watch(socket->get(), EPOLLIN, i, 0)) return Fail(ErrnoError(errno, "epoll"));
      ports_.push_back(LocalPortOf(socket->get()));
      sockets_.push_back(std::move(*socket));
    }
    return {};
  }

  void Send(ProbeTime planned) override {
    const std::uint64_t id = book_->next_id();
    const std::size_t at = next_++ % sockets_.size();
    const auto bytes = EncodeProbeRequest({.run = context_.run, .id = id, .series = number_});
    const ProbeTime now = context_.Now();
    ssize_t sent = -1;
    // An ICMP error for an earlier datagram is reported here, and then this one was not sent.
    for (int attempt = 0; attempt < 3 && sent < 0; ++attempt) {
      sent = ::send(sockets_[at].get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != ECONNREFUSED && errno != EINTR) break;
    }
    const int error = errno;
    if (sent < 0 && (error == EAGAIN || IsOwnFault(error))) return book_->Unsent(planned);
    (void)book_->Begin(planned, now, 0);
    book_->SetFlow(id, 0, ports_[at]);
    if (sent < 0) {
      book_->Failed(id, context_.Now(), ProbeErrorOf(error).value_or(ProbeError::kUnreachable));
    }
  }

  void Handle(const EventKey& key, std::uint32_t events) override {
    const int fd = sockets_.at(key.slot).get();
    if ((events & EPOLLERR) != 0) ReadErrors(fd);
    std::array<std::uint8_t, kMaxProbePacketBytes> bytes;
    while (true) {
      const ssize_t size = ::recv(fd, bytes.data(), bytes.size(), 0);
      if (size < 0 && (errno == EINTR || errno == ECONNREFUSED)) continue;
      if (size < 0) return;
      const auto echo = DecodeProbeEcho(std::span(bytes).first(static_cast<std::size_t>(size)));
      if (!echo || echo->request.run != context_.run || echo->request.series != number_) continue;
      book_->Answered(echo->request.id, context_.Now(), log_->Responder(echo->responder),
                      log_->Mac(echo->mac));
    }
  }

  void Expire(ProbeTime now) override {
    book_->Expire(now, [](std::uint64_t, std::uint32_t) {});
  }

 private:
  Result<Descriptor> OpenSocket() const {
    const bool v4 = settings_.target.address.is_v4();
    Descriptor socket(
        ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int fd = socket.get();
    if (fd < 0) return Fail(ErrnoError(errno, "socket"));
    EnlargeQueue(fd);
    const Status connected = ConnectProbes(fd, settings_, settings_.target.port);
    if (!connected) return Fail(connected.error());
    return socket;
  }

  void ReadErrors(int fd) {
    while (true) {
      std::array<std::uint8_t, kMaxProbePacketBytes> bytes;
      const auto queued = ReadQueuedError(fd, bytes);
      if (!queued) return;
      const auto request = DecodeProbeRequest(std::span(bytes).first(queued->size));
      if (!request || request->run != context_.run || queued->error == 0) continue;
      book_->Failed(request->id, context_.Now(),
                    ProbeErrorOf(queued->error).value_or(ProbeError::kUnreachable));
    }
  }

  std::vector<Descriptor> sockets_;
  std::vector<std::uint16_t> ports_;
  std::uint64_t next_ = 0;
};

}  // namespace

std::unique_ptr<SeriesDriver> MakePathDriver(std::uint8_t number, const ProbeRunSeries& settings,
                                             ProberContext& context) {
  return std::make_unique<PathDriver>(number, settings, context);
}

}  // namespace drover
