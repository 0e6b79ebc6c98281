#include "node-helper/tasks/probe_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "node-helper/drill/probe_address.h"
#include "node-helper/tasks/probe_http.h"
#include "node-helper/tasks/probe_socket.h"

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// How long a server that has answered may take to close; it should close first.
constexpr milliseconds kClosePatience{100};

microseconds Since(Clock::time_point start) {
  return std::chrono::duration_cast<microseconds>(Clock::now() - start);
}

Status Connect(int fd, const SocketKey& service, Clock::time_point deadline) {
  const ProbeAddress to = ProbeAddressOf(service.address, service.port);
  if (::connect(fd, to.get(), to.length) == 0) return {};
  if (errno != EINPROGRESS) return Fail(ConnectionError(errno));
  if (!WaitFor(fd, POLLOUT, deadline)) return Fail(ConnectionError(ETIMEDOUT));
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return Fail(ConnectionError(error));
  return {};
}

Status SendAll(int fd, std::string_view bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!WaitFor(fd, POLLOUT, deadline)) return Fail(ConnectionError(ETIMEDOUT));
    } else if (errno != EINTR) {
      return Fail(ConnectionError(errno));
    }
  }
  return {};
}

// The next bytes; empty when the server closed.
Result<std::string_view> ReceiveSome(int fd, std::array<char, 16384>& buffer,
                                     Clock::time_point deadline) {
  while (true) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size >= 0) return std::string_view(buffer.data(), static_cast<std::size_t>(size));
    if (errno == EAGAIN) {
      if (!WaitFor(fd, POLLIN, deadline)) {
        return Fail(ErrorCode::kTimeout, "connected, but no HTTP answer in time");
      }
    } else if (errno != EINTR) {
      return Fail(ConnectionError(errno));
    }
  }
}

Status GetPage(int fd, const ProbeService& service, Clock::time_point deadline,
               std::size_t body_bytes, HttpAnswer& answer) {
  const Endpoint endpoint{service.service.address, service.service.port};
  const std::string request = HttpRequest(endpoint, service.http_path, body_bytes);
  // A server that does not want the body may have answered and closed before all of it is out.
  const Status sent = SendAll(fd, request, deadline);
  if (!sent && (body_bytes == 0 || sent.error().code == ErrorCode::kTimeout)) return sent;
  std::array<char, 16384> buffer;
  while (true) {
    const auto bytes = ReceiveSome(fd, buffer, deadline);
    if (!bytes) return Fail(sent ? bytes.error() : sent.error());
    if (bytes->empty()) return answer.End();
    const auto complete = answer.Feed(*bytes);
    if (!complete) return Fail(complete.error());
    if (*complete) return {};
  }
}

// Lets the server close first, so that TIME_WAIT is not ours.
void AwaitClose(int fd) {
  std::array<char, 16384> buffer;
  const auto deadline = Clock::now() + kClosePatience;
  while (true) {
    const auto bytes = ReceiveSome(fd, buffer, deadline);
    if (!bytes || bytes->empty()) return;
  }
}

void ResetOnClose(int fd) {
  const linger at_once{1, 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Fetch(int fd, const ProbeService& service, Clock::time_point start, Clock::time_point deadline,
           std::size_t body_bytes, ProbeConnection& connection) {
  HttpAnswer answer;
  const Status page = GetPage(fd, service, deadline, body_bytes, answer);
  if (!page) {
    connection.error = page.error();
    connection.connect_time = microseconds{0};
    return;
  }
  connection.total_time = Since(start);
  connection.http_status = answer.status();
  connection.body = answer.BodyStart();
  if (service.outlast.count() > 0) {
    ResetOnClose(fd);
  } else {
    AwaitClose(fd);
  }
}

}  // namespace

ProbeAttempt OpenProbeConnection(const ProbeService& service, ReplyTap* tap, SourcePorts& ports,
                                 Clock::time_point limit, std::size_t body_bytes) {
  ProbeAttempt attempt;
  ProbeConnection& connection = attempt.connection;
  const auto socket = OpenProbeSocket(service.service, SOCK_STREAM, ports);
  if (!socket) {
    connection.error = socket.error();
    return attempt;
  }
  const auto start = Clock::now();
  const auto deadline = std::min(start + service.timeout, limit);
  const Status connected = Connect(socket->get(), service.service, deadline);
  const microseconds connect_time = Since(start);
  NoteLocalEnd(socket->get(), attempt);
  NoteReply(tap, attempt);
  if (!connected) {
    connection.error = connected.error();
    return attempt;
  }
  connection.connect_time = connect_time;
  connection.total_time = connect_time;
  if (service.http_path.empty()) {
    ResetOnClose(socket->get());
  } else {
    Fetch(socket->get(), service, start, deadline, body_bytes, connection);
    if (connection.error) connection.total_time = microseconds{0};
  }
  return attempt;
}

}  // namespace drover
