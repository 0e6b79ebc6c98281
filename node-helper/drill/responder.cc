#include "node-helper/drill/responder.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "node-helper/drill/http_text.h"
#include "node-helper/drill/probe_address.h"
#include "node-helper/drill/udp_echo.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBacklog = 4096;
constexpr int kEventsAtOnce = 256;
constexpr std::size_t kMaxUnsentReplies = 1 << 16;  // bytes; a client that reads nothing is dropped

struct Listener {
  Descriptor socket;
  Endpoint endpoint;
  std::optional<FrameTap> tap;
};

// One client of the HTTP server.
struct Client {
  Descriptor socket;
  std::size_t listener = 0;
  Endpoint peer;
  std::string in;
  std::string out;
  bool closing = false;  // behind what is in `out`
  bool waits = false;    // to write on
};

// A reply that waits because the application is slow.
struct Delayed {
  int fd = -1;
  std::uint64_t client = 0;
  std::string text;
  bool closes = false;
};

Result<Listener> Listen(const Endpoint& endpoint) {
  const std::string name = "http " + endpoint.ToString();
  const int family = endpoint.address.is_v4() ? AF_INET : AF_INET6;
  Listener listener;
  listener.socket.Reset(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = listener.socket.get();
  if (fd < 0) return Fail(ErrnoError(errno, name));
  const int on = 1;
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const ProbeAddress address = ProbeAddressOf(endpoint.address, endpoint.port);
  if (::bind(fd, address.get(), address.length) != 0 || ::listen(fd, kBacklog) != 0) {
    return Fail(ErrnoError(errno, name));
  }
  listener.endpoint = {endpoint.address, LocalPortOf(fd)};
  return listener;
}

Status ValidateSettings(const ResponderSettings& settings) {
  const bool printable = std::all_of(settings.name.begin(), settings.name.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f; });
  if (settings.name.empty() || settings.name.size() > kMaxProbeName || !printable) {
    return Fail(ErrorCode::kInvalid, "a responder needs a name of 1 to 64 letters without blanks");
  }
  if (settings.udp.empty() && settings.http.empty()) {
    return Fail(ErrorCode::kInvalid, "a responder needs somewhere to listen");
  }
  return {};
}

}  // namespace

class Responder::Loop {
 public:
  Status Open(const ResponderSettings& settings);
  Status Run(const StopEvent& stop);
  void Misbehave(int status, std::chrono::milliseconds delay, std::chrono::milliseconds ttl) {
    status_ = status;
    delay_ms_ = delay.count();
    until_ns_ = (Clock::now() + ttl).time_since_epoch().count();
  }

  ResponderCounts Counts() const { return {echoes_, replies_, refused_}; }

  std::vector<Endpoint> udp;
  std::vector<Endpoint> http;
  std::string note;

 private:
  Status Watch(int fd, std::uint32_t events, int operation = EPOLL_CTL_ADD);
  void Handle(int fd, std::uint32_t events);
  void Accept(std::size_t listener);
  void Read(Client& client);
  void Serve(Client& client, const HttpRequestHead& request);
  void Write(Client& client);
  void Drop(int fd);
  void SendDelayed();
  [[nodiscard]] int Timeout() const;
  [[nodiscard]] bool Misbehaves() const {
    return Clock::now().time_since_epoch().count() < until_ns_;
  }

  ResponderSettings settings_;
  Descriptor epoll_;
  std::map<int, UdpEcho> echoes_by_fd_;
  std::vector<Listener> listeners_;
  std::map<int, Client> clients_;
  std::map<int, std::uint64_t> numbers_;  // of clients, because descriptors come again
  std::uint64_t next_number_ = 1;
  std::multimap<Clock::time_point, Delayed> delayed_;
  std::atomic<int> status_{200};
  std::atomic<std::int64_t> delay_ms_{0};
  std::atomic<std::int64_t> until_ns_{0};
  std::atomic<std::uint64_t> echoes_{0};
  std::atomic<std::uint64_t> replies_{0};
  std::atomic<std::uint64_t> refused_{0};
};

Status Responder::Loop::Open(const ResponderSettings& settings) {
  if (const Status fine = ValidateSettings(settings); !fine) return fine;
  settings_ = settings;
  epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return Fail(ErrnoError(errno, "epoll"));
  for (const Endpoint& endpoint : settings.udp) {
    auto echo = UdpEcho::Open(endpoint);
    if (!echo) return Fail(echo.error());
    if (const Status watched = Watch(echo->fd(), EPOLLIN); !watched) return watched;
    udp.push_back(echo->endpoint());
    if (note.empty()) note = echo->note();
    const int fd = echo->fd();
    echoes_by_fd_.emplace(fd, std::move(*echo));
  }
  for (const Endpoint& endpoint : settings.http) {
    auto listener = Listen(endpoint);
    if (!listener) return Fail(listener.error());
    const Endpoint& bound = listener->endpoint;
    auto tap = FrameTap::Open(TapProtocol::kTcp, bound.address.family(), bound.port);
    if (tap) {
      listener->tap = std::move(*tap);
    } else if (note.empty()) {
      note = "http " + bound.ToString() + " cannot name directors: " + tap.error().message;
    }
    if (const Status watched = Watch(listener->socket.get(), EPOLLIN); !watched) return watched;
    http.push_back(bound);
    listeners_.push_back(std::move(*listener));
  }
  return {};
}

Status Responder::Loop::Watch(int fd, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) == 0) return {};
  return Fail(ErrnoError(errno, "epoll"));
}

Status Responder::Loop::Run(const StopEvent& stop) {
  if (const Status watched = Watch(stop.fd(), EPOLLIN); !watched) return watched;
  std::array<epoll_event, kEventsAtOnce> events;
  for (bool running = true; running;) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, Timeout());
    if (count < 0 && errno != EINTR) return Fail(ErrnoError(errno, "epoll"));
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == stop.fd()) {
        running = false;
      } else {
        Handle(fd, events[static_cast<std::size_t>(i)].events);
      }
    }
    SendDelayed();
  }
  return {};
}

void Responder::Loop::Handle(int fd, std::uint32_t events) {
  if (const auto echo = echoes_by_fd_.find(fd); echo != echoes_by_fd_.end()) {
    echoes_ += echo->second.Serve(settings_.name);
    return;
  }
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].socket.get() == fd) return Accept(i);
  }
  const auto client = clients_.find(fd);
  if (client == clients_.end()) return;
  if ((events & EPOLLOUT) != 0) Write(client->second);
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 && clients_.contains(fd)) {
    Read(client->second);
  }
}

void Responder::Loop::Accept(std::size_t listener) {
  while (true) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    Descriptor socket(::accept4(listeners_[listener].socket.get(),
                                reinterpret_cast<sockaddr*>(&from), &length,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) return;
    const auto peer = EndpointOf(from);
    const int fd = socket.get();
    if (!peer || clients_.size() >= settings_.max_connections || !Watch(fd, EPOLLIN)) {
      ++refused_;
      continue;
    }
    const int on = 1;
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    numbers_[fd] = next_number_++;
    clients_[fd] = {.socket = std::move(socket), .listener = listener, .peer = *peer};
  }
}

void Responder::Loop::Read(Client& client) {
  const int fd = client.socket.get();
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return Drop(fd);
    if (client.closing) continue;
    client.in.append(buffer.data(), static_cast<std::size_t>(size));
    while (!client.closing) {
      const auto request = TakeProbeRequest(client.in);
      if (!request) break;
      Serve(client, *request);
      if (!clients_.contains(fd)) return;
    }
  }
}

void Responder::Loop::Serve(Client& client, const HttpRequestHead& request) {
  const int fd = client.socket.get();
  MacAddress mac{};
  if (auto& tap = listeners_[client.listener].tap) mac = tap->LastFrom(client.peer);
  const bool odd = Misbehaves();
  std::string text = ProbeHttpReply(request, odd ? status_.load() : 200, settings_.name, mac);
  ++replies_;
  // A delayed client's further replies wait behind it by their own delay: the order stays.
  if (odd && delay_ms_ > 0) {
    const auto due = Clock::now() + std::chrono::milliseconds(delay_ms_);
    delayed_.emplace(due, Delayed{fd, numbers_[fd], std::move(text), !request.keeps});
    return;
  }
  client.out += text;
  client.closing = !request.keeps;
  Write(client);
}

void Responder::Loop::Write(Client& client) {
  const int fd = client.socket.get();
  while (!client.out.empty()) {
    const ssize_t size = ::send(fd, client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN && client.out.size() <= kMaxUnsentReplies) {
      if (!client.waits) (void)Watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
      client.waits = true;
      return;
    }
    if (size < 0) return Drop(fd);
    client.out.erase(0, static_cast<std::size_t>(size));
  }
  if (client.waits) (void)Watch(fd, EPOLLIN, EPOLL_CTL_MOD);
  client.waits = false;
  // The client closes behind this end; reading goes on until then, so that nothing of it is reset.
  if (client.closing) (void)::shutdown(fd, SHUT_WR);
}

void Responder::Loop::Drop(int fd) {
  const auto client = clients_.find(fd);
  if (client == clients_.end()) return;
  if (auto& tap = listeners_[client->second.listener].tap) tap->Forget(client->second.peer);
  numbers_.erase(fd);
  clients_.erase(client);
}

int Responder::Loop::Timeout() const {
  if (delayed_.empty()) return -1;
  const auto left = delayed_.begin()->first - Clock::now();
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 1000));
}

void Responder::Loop::SendDelayed() {
  const auto now = Clock::now();
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const Delayed reply = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    const auto number = numbers_.find(reply.fd);
    if (number == numbers_.end() || number->second != reply.client) continue;
    Client& client = clients_[reply.fd];
    client.out += reply.text;
    client.closing = reply.closes;
    Write(client);
  }
}

Responder::Responder(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Responder::~Responder() = default;

Result<std::unique_ptr<Responder>> Responder::Open(const ResponderSettings& settings) {
  auto loop = std::make_unique<Loop>();
  if (const Status opened = loop->Open(settings); !opened) {
    return Fail(opened.error().In("responder"));
  }
  return std::unique_ptr<Responder>(new Responder(std::move(loop)));
}

Status Responder::Run(const StopEvent& stop) { return loop_->Run(stop); }
void Responder::Misbehave(int status, std::chrono::milliseconds delay,
                          std::chrono::milliseconds ttl) {
  loop_->Misbehave(status, delay, ttl);
}
ResponderCounts Responder::counts() const { return loop_->Counts(); }
const std::string& Responder::note() const { return loop_->note; }
const std::vector<Endpoint>& Responder::udp() const { return loop_->udp; }
const std::vector<Endpoint>& Responder::http() const { return loop_->http; }

}  // namespace drover
