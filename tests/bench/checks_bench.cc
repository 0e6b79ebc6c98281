// The two sides of checks_beside_keepalived.py:
//
//   checks_bench serve PORT              answers HTTP on every address; PORT + 1 tells its counts
//   checks_bench check tcp|http N PORT   probes N addresses (127.1.0.1 on) every second, until
//   killed
//
// `check` is the helper's check engine on a loop of its own, with nothing else in the process.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
// Boost 1.74 uses std::exchange without <utility>.
#include <boost/asio/io_context.hpp>
#include <utility>

#include "node-helper/checks/check_engine.h"

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n";

int Listener(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
      ::listen(fd, 4096) != 0) {
    std::perror("checks_bench: listen");
    std::exit(1);
  }
  return fd;
}

// Counts connections and answers them; one thread, because it must not be what is measured.
class Server {
 public:
  explicit Server(int port) : web_(Listener(port)), counts_(Listener(port + 1)) {
    Add(web_);
    Add(counts_);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, 256> events;
    while (true) {
      const int ready =
          ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), /*timeout=*/-1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == web_) {
          AcceptAll();
        } else if (fd == counts_) {
          TellCounts();
        } else {
          Answer(fd);
        }
      }
    }
  }

 private:
  void Add(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  void AcceptAll() {
    int fd = 0;
    while ((fd = ::accept4(web_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
      ++accepted_;
      Add(fd);
    }
  }
  void TellCounts() {
    const int fd = ::accept(counts_, nullptr, nullptr);
    if (fd < 0) return;
    const std::string text = std::to_string(accepted_) + " " + std::to_string(answered_) + "\n";
    (void)!::write(fd, text.data(), text.size());
    ::close(fd);
  }
  void Answer(int fd) {
    std::array<char, 2048> request;
    const ssize_t got = ::recv(fd, request.data(), request.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0 && ::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) > 0) ++answered_;
    ::close(fd);
  }

  int epoll_ = ::epoll_create1(0);
  int web_;
  int counts_;
  std::uint64_t accepted_ = 0;
  std::uint64_t answered_ = 0;
};

int Check(const std::string& kind, int count, int port) {
  using namespace drover;
  boost::asio::io_context loop(1);
  const auto engine = CheckEngine::Create(
      loop, [](const VerdictChanged& change) { std::cout << change.reason << std::endl; }, {});
  CheckSettings check{.kind = TcpCheck{}};
  if (kind == "http") check.kind = HttpCheck{};
  check.interval = std::chrono::milliseconds(1000);
  check.timeout = std::chrono::milliseconds(1000);
  VirtualService service{.key = SocketKey{Transport::kTcp, *IpAddress::Parse("10.5.5.5"),
                                          static_cast<std::uint16_t>(port)}};
  for (int i = 1; i <= count; ++i) {
    const auto high = static_cast<std::uint8_t>(i >> 8);
    const auto low = static_cast<std::uint8_t>(i & 0xFF);
    service.destinations.push_back(
        {.address = IpAddress::V4({127, 1, high, low}), .port = static_cast<std::uint16_t>(port)});
  }
  engine->Configure({{.service = service.key, .checks = {check}}}, {service}, {});
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "serve" && argc == 3) Server(std::atoi(argv[2])).Run();
  if (what == "check" && argc == 5) return Check(argv[2], std::atoi(argv[3]), std::atoi(argv[4]));
  std::cerr << "usage: checks_bench serve PORT | checks_bench check tcp|http N PORT\n";
  return 2;
}
