#include "node-helper/checks/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
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
int OpenSocket(const Route& route) {
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

// Lives until the last handler ran; `user` is null once the connection was closed.
struct Connection::State : std::enable_shared_from_this<Connection::State> {
  using TlsStream = asio::ssl::stream<tcp::socket&>;

  State(asio::io_context& loop, ConnectionUser& wants) : socket(loop), user(&wants) {}

  void WaitForConnect();
  void Handshake();
  void Open();
  void ReadPlain();
  void TakePlain();
  void ReadTls();
  void Break(const ProbeOutcome& outcome) {
    if (user != nullptr) user->Broken(outcome);
  }
  void BreakOn(const ErrorCodeOfBoost& error) { Break(OutcomeOfErrno(error.value())); }

  tcp::socket socket;
  ConnectionUser* user;
  std::optional<TlsSettings> settings;
  std::optional<TlsStream> tls;
  Stage stage = Stage::kConnecting;
  std::string to_send;
  std::string buffer;  // TLS only; plain bytes pass through the stack
};

void Connection::State::WaitForConnect() {
  socket.async_wait(
      tcp::socket::wait_write, [self = shared_from_this()](const ErrorCodeOfBoost& error) {
        if (self->user == nullptr) return;
        if (error) return self->BreakOn(error);
        int failure = 0;
        socklen_t size = sizeof failure;
        ::getsockopt(self->socket.native_handle(), SOL_SOCKET, SO_ERROR, &failure, &size);
        if (failure != 0) return self->Break(OutcomeOfErrno(failure));
        if (self->settings) return self->Handshake();
        self->Open();
      });
}

void Connection::State::Handshake() {
  stage = Stage::kHandshake;
  tls.emplace(socket, *settings->context);
  SSL* handle = tls->native_handle();
  if (!settings->sni.empty()) SSL_set_tlsext_host_name(handle, settings->sni.c_str());
  if (!settings->verify_name.empty()) {
    X509_VERIFY_PARAM* rules = SSL_get0_param(handle);
    if (IpAddress::Parse(settings->verify_name)) {
      X509_VERIFY_PARAM_set1_ip_asc(rules, settings->verify_name.c_str());
    } else {
      X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      X509_VERIFY_PARAM_set1_host(rules, settings->verify_name.c_str(), 0);
    }
  }
  tls->async_handshake(
      TlsStream::client, [self = shared_from_this()](const ErrorCodeOfBoost& error) {
        if (self->user == nullptr) return;
        if (error) {
          return self->Break(ProbeOutcome::Failed(
              HandshakeReason(self->tls->native_handle(), self->settings->verify_name, error)));
        }
        self->Open();
      });
}

void Connection::State::Open() {
  stage = Stage::kOpen;
  user->Opened();
}

void Connection::State::ReadPlain() {
  socket.async_wait(tcp::socket::wait_read,
                    [self = shared_from_this()](const ErrorCodeOfBoost& error) {
                      if (self->user == nullptr) return;
                      if (error) return self->BreakOn(error);
                      self->TakePlain();
                    });
}

void Connection::State::TakePlain() {
  std::array<char, kReadBytes> bytes;
  const ssize_t got = ::recv(socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return ReadPlain();
  if (got < 0) return Break(OutcomeOfErrno(errno));
  if (got == 0) return user->Closed();
  user->Received({bytes.data(), static_cast<std::size_t>(got)});
  if (user != nullptr) ReadPlain();
}

void Connection::State::ReadTls() {
  buffer.resize(kReadBytes);
  tls->async_read_some(asio::buffer(buffer), [self = shared_from_this()](
                                                 const ErrorCodeOfBoost& error, std::size_t got) {
    if (self->user == nullptr) return;
    // Many servers end without the farewell of TLS; a length or a hash tells what is missing.
    if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
      return self->user->Closed();
    }
    if (error.category() == asio::error::get_ssl_category()) {
      return self->Break(ProbeOutcome::Failed("TLS broke: " + error.message()));
    }
    if (error) return self->BreakOn(error);
    self->user->Received({self->buffer.data(), got});
    if (self->user != nullptr) self->ReadTls();
  });
}

Connection::Connection(asio::io_context& loop, ConnectionUser& user)
    : state_(std::make_shared<State>(loop, user)) {}

Connection::~Connection() {
  state_->user = nullptr;
  ErrorCodeOfBoost ignored;
  state_->socket.close(ignored);
}

std::optional<ProbeOutcome> Connection::Open(const Route& route, std::optional<TlsSettings> tls) {
  const int fd = OpenSocket(route);
  if (fd < 0) return OutcomeOfErrno(-fd);
  ErrorCodeOfBoost error;
  state_->socket.assign(route.to.address.is_v4() ? tcp::v4() : tcp::v6(), fd, error);
  if (error) {
    ::close(fd);
    return OutcomeOfErrno(error.value());
  }
  state_->settings = std::move(tls);
  const SocketAddress to(route.to);
  if (::connect(fd, to.get(), to.size()) != 0 && errno != EINPROGRESS) {
    return OutcomeOfErrno(errno);
  }
  state_->WaitForConnect();
  return std::nullopt;
}

void Connection::Send(std::string bytes) {
  State& state = *state_;
  state.to_send = std::move(bytes);
  const auto sent = [self = state_](const ErrorCodeOfBoost& error, std::size_t) {
    // What the server had to say before it closed is still to be read; reading finds the end.
    if (self->user == nullptr || !error || error == asio::error::broken_pipe ||
        error == asio::error::connection_reset) {
      return;
    }
    self->BreakOn(error);
  };
  if (state.tls) {
    asio::async_write(*state.tls, asio::buffer(state.to_send), sent);
    return;
  }
  // A short request goes in one piece into an empty send buffer.
  const ssize_t wrote = ::send(state.socket.native_handle(), state.to_send.data(),
                               state.to_send.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (wrote == static_cast<ssize_t>(state.to_send.size())) return;
  asio::async_write(state.socket,
                    asio::buffer(state.to_send) + static_cast<std::size_t>(wrote > 0 ? wrote : 0),
                    sent);
}

void Connection::Listen() {
  if (state_->tls) {
    state_->ReadTls();
  } else {
    state_->ReadPlain();
  }
}

Connection::Stage Connection::stage() const { return state_->stage; }

}  // namespace drover
