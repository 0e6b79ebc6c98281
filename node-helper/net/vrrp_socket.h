// Raw sockets for protocol 112 (RFC 9568, section 5.1): ears, one for each interface and family,
// and a voice that sends on any interface.
//
// One thread at a time; nothing here waits. Needs CAP_NET_RAW. What the bytes mean is left to
// vrrp/.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// A packet as an ear heard it.
struct VrrpHeard {
  std::vector<std::uint8_t> bytes;  // IPv4: from the IP header on; IPv6: from the VRRP header on
  IpAddress source;                 // IPv6 only, as the next ones; IPv4 has them in its header
  IpAddress destination;
  int hop_limit = 0;
};

// Hears the adverts that come in over one interface; with `multicast` it has joined 224.0.0.18 or
// ff02::12 there.
class VrrpEar {
 public:
  static Result<VrrpEar> Open(const std::string& interface, int index, Family family,
                              bool multicast);
  VrrpEar(VrrpEar&& other) noexcept;
  VrrpEar& operator=(VrrpEar&& other) noexcept;
  ~VrrpEar();

  // The next packet that waits.
  std::optional<VrrpHeard> Hear();
  [[nodiscard]] int fd() const { return fd_; }

 private:
  VrrpEar(int fd, Family family) : fd_(fd), family_(family) {}

  int fd_ = -1;
  Family family_ = Family::kIpv4;
};

// Sends adverts. What it sends is not heard by this host's own ears.
class VrrpVoice {
 public:
  static Result<VrrpVoice> Open(Family family);
  VrrpVoice(VrrpVoice&& other) noexcept;
  VrrpVoice& operator=(VrrpVoice&& other) noexcept;
  ~VrrpVoice();

  // IPv4: `bytes` begin with the IP header, which is sent as it is. IPv6: with the VRRP header;
  // hop limit 255 and traffic class 0xC0 are put before it. `index` 0: where the route leads.
  Status Say(int index, const IpAddress& source, const IpAddress& destination,
             std::span<const std::uint8_t> bytes);

 private:
  VrrpVoice(int fd, Family family) : fd_(fd), family_(family) {}

  int fd_ = -1;
  Family family_ = Family::kIpv4;
};

}  // namespace drover
