#include "orchestrator/ssh/tcp_dial.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace drover {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// An answer that may come after nobody waits for it any more: getaddrinfo knows no deadline.
struct Lookup {
  Bell done;
  std::mutex mutex;
  int status = 0;
  std::vector<Address> addresses;
};

int FamilyOf(const TcpTarget& target) {
  if (target.family == "inet") return AF_INET;
  if (target.family == "inet6") return AF_INET6;
  return AF_UNSPEC;
}

// `flags`: AI_NUMERICHOST asks no server and returns at once.
int Resolve(const std::string& host, int port, int family, int flags,
            std::vector<Address>& addresses) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (status != 0) return status;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    Address address;
    address.size = entry->ai_addrlen;
    std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), entry->ai_addrlen,
                reinterpret_cast<char*>(&address.storage));
    addresses.push_back(address);
  }
  return 0;
}

Result<std::vector<Address>> ResolveWithin(const TcpTarget& target, const Bell& bell,
                                           Deadline deadline) {
  std::vector<Address> numeric;
  const int family = FamilyOf(target);
  if (Resolve(target.host, target.port, family, AI_NUMERICHOST, numeric) == 0) return numeric;
  auto lookup = std::make_shared<Lookup>();
  std::thread([lookup, host = target.host, port = target.port, family] {
    std::vector<Address> addresses;
    const int status = Resolve(host, port, family, AI_ADDRCONFIG, addresses);
    const std::lock_guard lock(lookup->mutex);
    lookup->status = status;
    lookup->addresses = std::move(addresses);
    lookup->done.Ring();
  }).detach();
  std::array<pollfd, 1> fds{{{lookup->done.fd(), POLLIN, 0}}};
  const Woken woken = WaitFor(fds, bell, deadline);
  if (woken != Woken::kReady) {
    return Fail(WaitError(woken, "looking up the name " + target.host));
  }
  const std::lock_guard lock(lookup->mutex);
  if (lookup->status != 0) {
    return Fail(ErrorCode::kUnreachable, "cannot find the address of " + target.host + ": " +
                                             ::gai_strerror(lookup->status));
  }
  return lookup->addresses;
}

void SetOption(int fd, int level, int option, int value) {
  // Tuning only: a socket without these options still works.
  ::setsockopt(fd, level, option, &value, sizeof value);
}

void FindDeadPeers(int fd) {
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 30000);
}

Status Bind(int fd, const TcpTarget& target, int family) {
  if (target.bind_address.empty()) return {};
  std::vector<Address> own;
  if (Resolve(target.bind_address, 0, family, AI_NUMERICHOST, own) != 0 || own.empty() ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&own.front().storage), own.front().size) != 0) {
    return Fail(ErrorCode::kUnreachable, "BindAddress " + target.bind_address + " does not fit");
  }
  return {};
}

Result<UniqueFd> ConnectTo(const Address& address, const TcpTarget& target, const Bell& bell,
                           Deadline deadline) {
  const std::string what = "connecting to " + target.host + " port " + std::to_string(target.port);
  const int family = address.storage.ss_family;
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return Fail(ErrnoError(errno, what));
  FindDeadPeers(fd.get());
  if (const Status bound = Bind(fd.get(), target, family); !bound) return Fail(bound.error());
  int problem = 0;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) {
    problem = errno;
  }
  if (problem == EINPROGRESS || problem == EINTR) {
    std::array<pollfd, 1> fds{{{fd.get(), POLLOUT, 0}}};
    const Woken woken = WaitFor(fds, bell, deadline);
    if (woken != Woken::kReady) return Fail(WaitError(woken, what));
    socklen_t size = sizeof problem;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
  }
  if (problem != 0) {
    return Fail(ErrorCode::kUnreachable, ErrnoError(problem, what).message);
  }
  return fd;
}

}  // namespace

Result<UniqueFd> DialTcp(const TcpTarget& target, const Bell& bell, Deadline deadline) {
  auto addresses = ResolveWithin(target, bell, deadline);
  if (!addresses) return Fail(addresses.error());
  Error last{ErrorCode::kUnreachable, target.host + " has no address"};
  std::size_t left = addresses->size();
  for (const Address& address : *addresses) {
    // An address that swallows packets must leave time for the ones after it.
    const auto now = std::chrono::steady_clock::now();
    const Deadline share = now + (deadline - now) / static_cast<int>(left--);
    auto fd = ConnectTo(address, target, bell, share);
    if (fd) return fd;
    last = fd.error();
    if (bell.rung()) break;
  }
  return Fail(std::move(last));
}

}  // namespace drover
