// Endpoints as the socket calls want them.
//
// Any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "protocol/address.h"

namespace drover {

// A sockaddr_in or sockaddr_in6.
class SocketAddress {
 public:
  SocketAddress() = default;  // unknown; to be filled in
  explicit SocketAddress(const Endpoint& endpoint) {
    if (endpoint.address.is_v4()) {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_port = htons(endpoint.port);
      std::memcpy(&v4.sin_addr, endpoint.address.data(), sizeof v4.sin_addr);
      std::memcpy(&storage_, &v4, sizeof v4);
      size_ = sizeof v4;
    } else {
      sockaddr_in6 v6{};
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(endpoint.port);
      std::memcpy(&v6.sin6_addr, endpoint.address.data(), sizeof v6.sin6_addr);
      std::memcpy(&storage_, &v6, sizeof v6);
      size_ = sizeof v6;
    }
  }

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }
  sockaddr* fill() { return reinterpret_cast<sockaddr*>(&storage_); }
  socklen_t* fill_size() {
    size_ = sizeof storage_;
    return &size_;
  }
  [[nodiscard]] IpAddress address() const { return AddressOf(get()); }

  // 0.0.0.0 for other families.
  static IpAddress AddressOf(const sockaddr* address) {
    if (address->sa_family == AF_INET) {
      std::array<std::uint8_t, 4> bytes;
      std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
      return IpAddress::V4(bytes);
    }
    if (address->sa_family == AF_INET6) {
      std::array<std::uint8_t, 16> bytes;
      std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
      return IpAddress::V6(bytes);
    }
    return {};
  }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = sizeof(sockaddr_storage);
};

}  // namespace drover
