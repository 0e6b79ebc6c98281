#include "node-helper/tasks/probe_socket.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "node-helper/drill/probe_address.h"
#include "protocol/codec.h"

namespace drover {
namespace {

void BindToNextPort(int fd, int family, SourcePorts& ports) {
  constexpr int kTries = 64;
  for (int i = 0; i < kTries; ++i) {
    sockaddr_storage storage{};
    storage.ss_family = static_cast<sa_family_t>(family);
    // The port stands at the same place for both families, and zeros are the "any" address of both.
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(ports.Next());
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0) return;
  }
}

}  // namespace

Result<Descriptor> OpenProbeSocket(const SocketKey& service, int type, SourcePorts& ports) {
  const int family = service.address.is_v4() ? AF_INET : AF_INET6;
  Descriptor socket(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Fail(ErrnoError(errno, "socket"));
  BindToNextPort(socket.get(), family, ports);
  return socket;
}

void NoteLocalEnd(int fd, ProbeAttempt& attempt) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return;
  const Endpoint local = EndpointOf(storage).value_or(Endpoint{});
  attempt.connection.local_port = local.port;
  attempt.source = local.address;
}

void NoteReply(ReplyTap* tap, ProbeAttempt& attempt) {
  if (tap == nullptr) return;
  const ReplyTap::Reply reply = tap->Take(attempt.connection.local_port);
  attempt.connection.reply_mac = reply.mac;
  attempt.connection.reply_ttl = reply.ttl;
}

Error ConnectionError(int error_number) {
  const Error error = ErrnoError(error_number, "connection");
  if (error_number == ECONNREFUSED) return {error.code, "connection refused"};
  if (error_number == ECONNRESET || error_number == EPIPE) {
    return {ErrorCode::kUnreachable, "connection reset by the server"};
  }
  if (error_number == ETIMEDOUT) return {error.code, "no answer in time"};
  if (error_number == EADDRNOTAVAIL) return {error.code, "no free port on the probing host"};
  return error;
}

bool WaitFor(int fd, short events, std::chrono::steady_clock::time_point deadline) {
  using std::chrono::milliseconds;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace drover
