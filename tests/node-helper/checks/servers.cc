#include "tests/node-helper/checks/servers.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "node-helper/checks/socket_address.h"

namespace drover {
namespace {

Endpoint BoundTo(int fd) {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size);
  return {IpAddress::V4({127, 0, 0, 1}), ntohs(own.sin_port)};
}

int BoundSocket(int type) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  const SocketAddress any({IpAddress::V4({127, 0, 0, 1}), 0});
  if (::bind(fd, any.get(), any.size()) != 0) std::abort();
  return fd;
}

}  // namespace

bool EnterOwnNetwork() {
  if (::geteuid() != 0 || ::unshare(CLONE_NEWNET) != 0) return false;
  return std::system(
             "ip link set lo up && ip link add gone type veth "
             "peer name gone2 && ip addr add 10.8.8.1/24 dev gone && ip link set gone up && ip "
             "link set gone2 up && ip neigh add 10.8.8.66 lladdr 02:00:00:00:00:66 dev gone") == 0;
}

TcpServer::TcpServer(Serve serve) : listener_(BoundSocket(SOCK_STREAM)), at_(BoundTo(listener_)) {
  ::listen(listener_, 128);
  acceptor_ = std::thread([this, serve = std::move(serve)] {
    while (true) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      connections_.emplace_back([connection, serve] {
        serve(connection);
        ::close(connection);
      });
    }
  });
}

TcpServer::~TcpServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (std::thread& connection : connections_) connection.join();
}

UdpServer::UdpServer(Answer answer) : socket_(BoundSocket(SOCK_DGRAM)), at_(BoundTo(socket_)) {
  thread_ = std::thread([this, answer = std::move(answer)] {
    std::array<char, 2048> bytes;
    while (true) {
      SocketAddress from;
      const ssize_t got =
          ::recvfrom(socket_, bytes.data(), bytes.size(), 0, from.fill(), from.fill_size());
      if (got <= 0) return;
      const std::string reply = answer({bytes.data(), static_cast<std::size_t>(got)});
      if (!reply.empty()) ::sendto(socket_, reply.data(), reply.size(), 0, from.get(), from.size());
    }
  });
}

UdpServer::~UdpServer() {
  ::shutdown(socket_, SHUT_RDWR);  // wakes recvfrom, though it says the socket is not connected
  thread_.join();
  ::close(socket_);
}

std::string ReadUntil(int connection, const std::string& end) {
  std::string text;
  std::array<char, 4096> bytes;
  while (text.find(end) == std::string::npos) {
    const ssize_t got = ::recv(connection, bytes.data(), bytes.size(), 0);
    if (got <= 0) break;
    text.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return text;
}

void Write(int connection, const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t wrote = ::send(connection, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (wrote <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

void HoldOpen(int connection) {
  pollfd waiting{connection, POLLRDHUP, 0};
  ::poll(&waiting, 1, 5000);
}

Endpoint ClosedPort() {
  const int fd = BoundSocket(SOCK_STREAM);
  const Endpoint at = BoundTo(fd);
  ::close(fd);
  return at;
}

int TimeWaits() {
  std::ifstream table("/proc/thread-self/net/tcp");
  constexpr const char* kTimeWait = "06";
  int found = 0;
  std::string line;
  while (std::getline(table, line)) {
    std::array<char, 8> state{};
    if (std::sscanf(line.c_str(), " %*d: %*s %*s %7s", state.data()) == 1 &&
        std::string(state.data()) == kTimeWait) {
      ++found;
    }
  }
  return found;
}

}  // namespace drover
