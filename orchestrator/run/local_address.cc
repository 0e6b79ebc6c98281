#include "orchestrator/run/local_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace drover {
namespace {

constexpr std::uint16_t kAnyPort = 9;  // nothing is sent

std::optional<IpAddress> AddressIn(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return IpAddress::V4(bytes);
  }
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return IpAddress::V6(bytes);
  }
  return std::nullopt;
}

}  // namespace

std::optional<IpAddress> ResolveAddress(const std::string& name) {
  if (auto address = IpAddress::Parse(name)) return *address;
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  sockaddr_storage storage{};
  std::memcpy(&storage, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return AddressIn(storage);
}

std::optional<IpAddress> LocalAddressTowards(const IpAddress& other) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (other.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(kAnyPort);
    std::memcpy(&v4.sin_addr, other.data(), other.size());
    std::memcpy(&storage, &v4, sizeof v4);
    length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(kAnyPort);
    std::memcpy(&v6.sin6_addr, other.data(), other.size());
    std::memcpy(&storage, &v6, sizeof v6);
    length = sizeof v6;
  }
  const int fd = ::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  std::optional<IpAddress> address;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&storage), length) == 0) {
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) == 0) {
      address = AddressIn(local);
    }
  }
  ::close(fd);
  return address;
}

}  // namespace drover
