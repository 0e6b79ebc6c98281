// What a master says to and hears from its neighbours beside VRRP: it announces addresses, asks
// whether a stranger has them too, and hears who claims them.
//
// One thread at a time; nothing here waits. Needs CAP_NET_RAW.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node-helper/net/gratuitous_arp.h"
#include "node-helper/net/neighbour_frame.h"
#include "node-helper/net/packet_socket.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

class VrrpTap {
 public:
  static Result<VrrpTap> Open();
  VrrpTap(VrrpTap&& other) noexcept;
  VrrpTap& operator=(VrrpTap&& other) noexcept;
  ~VrrpTap();

  // Claims of these addresses are of interest from now on; of no others. The kernel sorts them out,
  // so that a busy network does not wake us.
  Status Watch(const std::vector<IpAddress>& addresses);
  // The next claim that waits, and the interface it came in on.
  struct Claim {
    AddressClaim claim;
    int index = 0;
  };
  std::optional<Claim> Hear();
  // -1: not open now.
  [[nodiscard]] int arp_fd() const { return arp_ ? arp_->fd() : -1; }
  [[nodiscard]] int icmp_fd() const { return icmp_ ? icmp_->fd() : -1; }

  // One gratuitous ARP or unsolicited neighbour advertisement.
  Status Announce(int index, const MacAddress& mac, const IpAddress& address, bool router);
  // One question; without a sender in the form of duplicate detection.
  Status Ask(int index, const MacAddress& mac, const std::optional<IpAddress>& sender,
             const IpAddress& target);

 private:
  explicit VrrpTap(int sender) : sender_(sender) {}
  Status SendFrame(int index, const std::vector<std::uint8_t>& frame);

  int sender_ = -1;
  std::optional<PacketSocket> arp_;
  std::optional<PacketSocket> icmp_;
};

}  // namespace drover
