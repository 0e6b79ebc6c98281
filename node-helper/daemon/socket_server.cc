#include "node-helper/daemon/socket_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <list>
#include <utility>

#include "node-helper/store/files.h"

namespace drover {
namespace {

using boost::asio::posix::descriptor_base;
using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

constexpr int kBacklog = 16;
constexpr std::size_t kChunk = 16 * 1024;

// One client, which lives as long as a handler of its own waits.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(boost::asio::io_context& loop, int fd, const ServerRules& rules,
         const SocketServer::Handler& handler)
      : socket_(loop, fd), silence_(loop), rules_(rules), handler_(handler) {}

  void Start() {
    WaitForSilence();
    WaitToRead();
  }
  // Its server goes; nothing is called any more.
  void Close() {
    error_code ignored;
    silence_.cancel(ignored);
    socket_.close(ignored);
    closed_ = true;
  }
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  void WaitForSilence() {
    if (rules_.max_silence.count() == 0) return;
    silence_.expires_after(rules_.max_silence);
    silence_.async_wait([self = weak_from_this()](const error_code& error) {
      const auto client = self.lock();
      if (client && !error) client->Close();
    });
  }
  void WaitToRead() {
    socket_.async_wait(descriptor_base::wait_read,
                       [self = shared_from_this()](const error_code& error) {
                         if (!error && !self->closed_) self->Read();
                       });
  }
  void Read() {
    std::array<char, kChunk> chunk;
    const ssize_t got = ::recv(socket_.native_handle(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return WaitToRead();
    if (got <= 0) return Close();
    received_.append(chunk.data(), static_cast<std::size_t>(got));
    WaitForSilence();
    while (!closed_ && !ends_) {
      auto answer = handler_(received_);
      if (!answer) break;
      to_send_ += answer->bytes;
      ends_ = answer->close;
    }
    if (received_.size() > rules_.max_request || to_send_.size() > rules_.max_answer) {
      return Close();
    }
    Write();
    if (!closed_ && !ends_) WaitToRead();
  }
  void Write() {
    while (!to_send_.empty()) {
      const ssize_t sent = ::send(socket_.native_handle(), to_send_.data(), to_send_.size(),
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) return WaitToWrite();
      if (sent < 0) return Close();
      to_send_.erase(0, static_cast<std::size_t>(sent));
    }
    if (ends_) Close();
  }
  void WaitToWrite() {
    if (std::exchange(writing_, true)) return;
    socket_.async_wait(descriptor_base::wait_write,
                       [self = shared_from_this()](const error_code& error) {
                         self->writing_ = false;
                         if (!error && !self->closed_) self->Write();
                       });
  }

  stream_descriptor socket_;
  boost::asio::steady_timer silence_;
  const ServerRules rules_;
  const SocketServer::Handler handler_;
  std::string received_;
  std::string to_send_;
  bool writing_ = false;
  bool ends_ = false;
  bool closed_ = false;
};

class AsioServer : public SocketServer {
 public:
  AsioServer(boost::asio::io_context& loop, int fd, const ServerRules& rules, Handler handler)
      : loop_(loop),
        listening_(loop, fd),
        pause_(loop),
        rules_(rules),
        handler_(std::move(handler)) {
    Wait();
  }
  ~AsioServer() override {
    for (const auto& client : clients_) client->Close();
  }
  [[nodiscard]] int listening_fd() const override {
    return const_cast<stream_descriptor&>(listening_).native_handle();
  }

 private:
  void Wait() {
    // It may have become readable before the server goes, and be told of it afterwards.
    listening_.async_wait(descriptor_base::wait_read,
                          [this, alive = std::weak_ptr(alive_)](const error_code& error) {
                            if (!error && !alive.expired()) Accept();
                          });
  }
  void Accept() {
    const int fd =
        ::accept4(listening_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
      // Out of descriptors: it would be asked again at once, for ever.
      pause_.expires_after(std::chrono::seconds{1});
      pause_.async_wait([this, alive = std::weak_ptr(alive_)](const error_code& error) {
        if (!error && !alive.expired()) Wait();
      });
      return;
    }
    if (fd >= 0) Take(fd);
    Wait();
  }
  void Take(int fd) {
    clients_.remove_if([](const auto& client) { return client->closed(); });
    if (clients_.size() >= rules_.max_clients || (rules_.root_only && !IsRoot(fd))) {
      ::close(fd);
      return;
    }
    clients_.push_back(std::make_shared<Client>(loop_, fd, rules_, handler_));
    clients_.back()->Start();
  }
  static bool IsRoot(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
  }

  boost::asio::io_context& loop_;
  stream_descriptor listening_;
  boost::asio::steady_timer pause_;
  const ServerRules rules_;
  const Handler handler_;
  std::list<std::shared_ptr<Client>> clients_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<SocketServer> SocketServer::Serve(boost::asio::io_context& loop,
                                                  Descriptor listening, const ServerRules& rules,
                                                  Handler handler) {
  const int fd = ::fcntl(listening.get(), F_DUPFD_CLOEXEC, 3);
  return std::make_unique<AsioServer>(loop, fd, rules, std::move(handler));
}

Result<Descriptor> ListenUnix(const std::string& path, unsigned mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Fail(ErrorCode::kInvalid, path + ": a socket's path has at most " +
                                         std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  path.copy(address.sun_path, path.size());
  if (const Status made = MakeDirectories(ParentOf(path), 0700); !made) return Fail(made.error());
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Fail(ErrnoError(errno, path));
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) {
      return Fail(ErrorCode::kExists, path + ": is there and is no socket");
    }
    ::unlink(path.c_str());
  }
  // The mode is there before anybody can connect.
  const mode_t before = ::umask(0777 & ~mode);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  if (bound != 0) return Fail(ErrnoError(error, path));
  if (::listen(fd.get(), kBacklog) != 0) return Fail(ErrnoError(errno, path));
  return fd;
}

Result<Descriptor> ListenTcp(const Endpoint& endpoint) {
  sockaddr_storage address{};
  socklen_t size = 0;
  if (endpoint.address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    std::memcpy(&v4->sin_addr, endpoint.address.data(), 4);
    size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    std::memcpy(&v6->sin6_addr, endpoint.address.data(), 16);
    size = sizeof *v6;
  }
  Descriptor fd(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Fail(ErrnoError(errno, endpoint.ToString()));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return Fail(ErrnoError(errno, "listening on " + endpoint.ToString()));
  }
  return fd;
}

}  // namespace drover
