#include "orchestrator/run/vip_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace drover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A service in the next room answers in a millisecond; one behind a filter never does, and no run
// should wait long for that.
constexpr milliseconds kFirstLook{400};
constexpr milliseconds kLook{1000};
constexpr milliseconds kBetween{200};
// A new master announces itself, neighbours learn: longer than that is an outage.
constexpr milliseconds kPatience{6000};
constexpr std::size_t kAtOnce = 256;

// A connection that is being opened.
class Attempt {
 public:
  explicit Attempt(const SocketKey& service) : service_(service) {
    sockaddr_storage address{};
    socklen_t length = 0;
    const std::string text = service.address.ToString();
    if (service.address.family() == Family::kIpv4) {
      auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
      v4->sin_family = AF_INET;
      v4->sin_port = htons(service.port);
      inet_pton(AF_INET, text.c_str(), &v4->sin_addr);
      length = sizeof(sockaddr_in);
    } else {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(service.port);
      inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr);
      length = sizeof(sockaddr_in6);
    }
    fd_ = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return;
    const int made = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), length);
    if (made != 0 && errno != EINPROGRESS) Close();
    answered_ = made == 0;
  }
  ~Attempt() { Close(); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  [[nodiscard]] const SocketKey& service() const { return service_; }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool answered() const { return answered_; }
  [[nodiscard]] bool open() const { return fd_ >= 0 && !answered_; }
  // poll says that there is news.
  void Look() {
    int problem = 0;
    socklen_t length = sizeof(problem);
    answered_ = ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &length) == 0 && problem == 0;
    if (!answered_) Close();
  }

 private:
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  SocketKey service_;
  int fd_ = -1;
  bool answered_ = false;
};

// One round: a connection to each of them, all at once.
void LookOnce(const std::vector<SocketKey>& services, milliseconds limit,
              std::set<SocketKey>& answered, const std::atomic<bool>& abandoned) {
  std::vector<std::unique_ptr<Attempt>> attempts;
  for (const SocketKey& service : services) attempts.push_back(std::make_unique<Attempt>(service));
  const auto deadline = Clock::now() + limit;
  while (!abandoned && Clock::now() < deadline) {
    std::vector<pollfd> waiting;
    std::vector<Attempt*> of;
    for (const auto& attempt : attempts) {
      if (!attempt->open()) continue;
      waiting.push_back({attempt->fd(), POLLOUT, 0});
      of.push_back(attempt.get());
    }
    if (waiting.empty()) break;
    ::poll(waiting.data(), waiting.size(), 50);
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) of[i]->Look();
    }
  }
  for (const auto& attempt : attempts) {
    if (attempt->answered()) answered.insert(attempt->service());
  }
}

}  // namespace

std::set<SocketKey> ProbeFromHere(const ProbeVips& wanted, const std::atomic<bool>& abandoned) {
  std::set<SocketKey> answered;
  const auto deadline = Clock::now() + kPatience;
  for (;;) {
    std::vector<SocketKey> silent;
    for (const SocketKey& service : wanted.services) {
      if (!answered.contains(service)) silent.push_back(service);
    }
    for (std::size_t at = 0; at < silent.size(); at += kAtOnce) {
      const std::size_t end = std::min(silent.size(), at + kAtOnce);
      LookOnce({silent.begin() + static_cast<std::ptrdiff_t>(at),
                silent.begin() + static_cast<std::ptrdiff_t>(end)},
               wanted.patient ? kLook : kFirstLook, answered, abandoned);
    }
    const bool over = answered.size() == wanted.services.size() || Clock::now() >= deadline;
    if (!wanted.patient || over || abandoned) return answered;
    std::this_thread::sleep_for(kBetween);
  }
}

}  // namespace drover
