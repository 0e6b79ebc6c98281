#include "node-helper/checks/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "node-helper/checks/reasons.h"
#include "node-helper/checks/socket_address.h"

namespace drover {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCodeOfBoost = boost::system::error_code;

constexpr std::size_t kReadBytes = 16384;

template <typename T>
bool SetOption(int fd, int level, int name, const T& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// A socket that resets when it is closed, bound and marked as the route says; or -errno.
int OpenSocket(const ProbePath& route) {
  const bool v4 = route.to.address.is_v4();
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  bool fine = SetOption(fd, SOL_SOCKET, SO_LINGER, linger{1, 0});
  if (route.mark != 0) fine = fine && SetOption(fd, SOL_SOCKET, SO_MARK, route.mark);
  if (route.from) {
    // The port is chosen when the destination is known: one port serves many destinations.
    const int on = 1;
    SetOption(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, on);
    const SocketAddress from({*route.from, 0});
    fine = fine && ::bind(fd, from.get(), from.size()) == 0;
  }
  if (fine) return fd;
  const int error_number = errno;
  ::close(fd);
  return -error_number;
}

// Why a handshake failed, by what OpenSSL thinks of the certificate.
std::string HandshakeReason(SSL* tls, const std::string& name, const ErrorCodeOfBoost& error) {
  const long verdict = SSL_get_verify_result(tls);
  switch (verdict) {
    case X509_V_OK:
      break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "certificate expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "certificate not valid yet";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "certificate is not for " + name;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return std::string("certificate not trusted: ") + X509_verify_cert_error_string(verdict);
    default:
      return std::string("certificate: ") + X509_verify_cert_error_string(verdict);
  }
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return "the server closed the connection in the TLS handshake";
  }
  if (error.category() == asio::error::get_ssl_category()) {
    const char* words = ERR_reason_error_string(static_cast<unsigned long>(error.value()));
    return std::string("no TLS handshake: ") + (words == nullptr ? "error" : words);
  }
  return "no TLS handshake: " + ReasonOf(error.value());
}

}  // namespace

// TLS on a socket that is connected. Lives until the last handler ran; `owner` is null once the
// connection was closed.
struct Connection::Tls : std::enable_shared_from_this<Connection::Tls> {
  using Stream = asio::ssl::stream<tcp::socket&>;

  Tls(asio::io_context& loop, Connection& connection)
      : socket(loop), stream(socket, *connection.settings_->context), owner(&connection) {}

  void Begin();
  void Read();
  void Send(std::string bytes);
  void Break(const CheckAnswer& outcome) { owner->user_.Broken(outcome); }

  tcp::socket socket;
  Stream stream;
  Connection* owner;
  std::string to_send;
  std::string buffer;
};

void Connection::Tls::Begin() {
  SSL* handle = stream.native_handle();
  const TlsSettings& settings = *owner->settings_;
  if (!settings.sni.empty()) SSL_set_tlsext_host_name(handle, settings.sni.c_str());
  if (!settings.verify_name.empty()) {
    X509_VERIFY_PARAM* rules = SSL_get0_param(handle);
    if (IpAddress::Parse(settings.verify_name)) {
      X509_VERIFY_PARAM_set1_ip_asc(rules, settings.verify_name.c_str());
    } else {
      X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      X509_VERIFY_PARAM_set1_host(rules, settings.verify_name.c_str(), 0);
    }
  }
  stream.async_handshake(
      Stream::client, [self = shared_from_this()](const ErrorCodeOfBoost& error) {
        if (self->owner == nullptr) return;
        if (error) {
          return self->Break(CheckAnswer::Failed(HandshakeReason(
              self->stream.native_handle(), self->owner->settings_->verify_name, error)));
        }
        self->owner->stage_ = Stage::kOpen;
        self->owner->user_.Opened();
        if (self->owner != nullptr) self->Read();
      });
}

void Connection::Tls::Read() {
  buffer.resize(kReadBytes);
  stream.async_read_some(asio::buffer(buffer), [self = shared_from_this()](
                                                   const ErrorCodeOfBoost& error, std::size_t got) {
    if (self->owner == nullptr) return;
    // Many servers end without the farewell of TLS; a length or a hash tells what is missing.
    if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
      return self->owner->user_.Closed();
    }
    if (error.category() == asio::error::get_ssl_category()) {
      return self->Break(CheckAnswer::Failed("TLS broke: " + error.message()));
    }
    if (error) return self->Break(OutcomeOfErrno(error.value()));
    self->owner->user_.Received({self->buffer.data(), got});
    if (self->owner != nullptr) self->Read();
  });
}

void Connection::Tls::Send(std::string bytes) {
  to_send = std::move(bytes);
  // What goes wrong here shows when reading, behind what the server had to say before it.
  asio::async_write(stream, asio::buffer(to_send),
                    [self = shared_from_this()](const ErrorCodeOfBoost&, std::size_t) {});
}

Connection::Connection(asio::io_context& loop, Poller& poller, ConnectionUser& user)
    : loop_(loop), poller_(poller), user_(user) {}

Connection::~Connection() { Close(); }

void Connection::Close() {
  if (gone_ != nullptr) *gone_ = true;
  if (ticket_ != 0) poller_.Forget(ticket_);
  if (fd_ >= 0) ::close(fd_);
  if (!tls_) return;
  tls_->owner = nullptr;
  ErrorCodeOfBoost ignored;
  tls_->socket.close(ignored);
}

std::optional<CheckAnswer> Connection::Open(const ProbePath& route,
                                            std::optional<TlsSettings> tls) {
  settings_ = std::move(tls);
  const int fd = OpenSocket(route);
  if (fd < 0) return OutcomeOfErrno(-fd);
  fd_ = fd;
  const SocketAddress to(route.to);
  if (::connect(fd_, to.get(), to.size()) != 0 && errno != EINPROGRESS) {
    return OutcomeOfErrno(errno);
  }
  ticket_ = poller_.Add(fd_, EPOLLIN | EPOLLOUT | EPOLLRDHUP, *this);
  if (ticket_ == 0) return OutcomeOfErrno(errno);
  return std::nullopt;
}

// The user may close this in each call; `gone` tells.
void Connection::Ready(std::uint32_t events) {
  bool gone = false;
  gone_ = &gone;
  if (stage_ == Stage::kConnecting) {
    Connected(events);
    if (gone) return;
  }
  if (!tls_ && stage_ == Stage::kOpen) {
    if ((events & EPOLLOUT) != 0 && !to_send_.empty()) SendRest();
    if ((events & ~EPOLLOUT) != 0) Read();
    if (gone) return;
  }
  gone_ = nullptr;
}

void Connection::Connected(std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return user_.Broken(OutcomeOfErrno(failure));
  }
  if ((events & EPOLLOUT) == 0) return;
  if (!settings_) {
    stage_ = Stage::kOpen;
    return user_.Opened();
  }
  stage_ = Stage::kHandshake;
  poller_.Remove(fd_, std::exchange(ticket_, 0));
  tls_ = std::make_shared<Tls>(loop_, *this);
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size);
  ErrorCodeOfBoost error;
  tls_->socket.assign(own.ss_family == AF_INET ? tcp::v4() : tcp::v6(), fd_, error);
  if (error) return user_.Broken(OutcomeOfErrno(error.value()));
  fd_ = -1;
  tls_->Begin();
}

void Connection::Read() {
  bool* const gone = gone_;
  while (!*gone) {
    std::array<char, kReadBytes> bytes;
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) return user_.Broken(OutcomeOfErrno(errno));
    if (got == 0) return user_.Closed();
    user_.Received({bytes.data(), static_cast<std::size_t>(got)});
  }
}

void Connection::Send(std::string bytes) {
  if (tls_) return tls_->Send(std::move(bytes));
  to_send_ += bytes;
  SendRest();
}

void Connection::SendRest() {
  const ssize_t wrote = ::send(fd_, to_send_.data(), to_send_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  // What the server had to say before it closed is still to be read; reading finds the end.
  if (wrote > 0) to_send_.erase(0, static_cast<std::size_t>(wrote));
}

}  // namespace drover
