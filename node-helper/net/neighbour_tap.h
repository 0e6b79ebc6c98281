// Asks who has an address on a link and hears everybody who claims one: answers, and also ARP
// requests and unasked advertisements of others.
//
// One thread at a time. Needs CAP_NET_RAW. What the claims mean is left to the caller.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/net/link_route.h"
#include "node-helper/net/packet_socket.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// An AddressClaim with the interface that it was heard on.
struct ClaimHeard {
  IpAddress address;
  std::string mac;
  int interface_index = 0;
  bool asks_for_other = false;  // see AddressClaim
};

class NeighbourTap {
 public:
  static Result<NeighbourTap> Open();

  // One question to the link; without `sender` in the form of duplicate detection. `sender` must be
  // an address of this host that neighbours may learn.
  // To everybody, or to the one host with the MAC `only`.
  Status Ask(const LinkRoute& link, const std::optional<IpAddress>& sender, const IpAddress& target,
             const std::optional<MacAddress>& only = std::nullopt);
  // All claims heard since the last call; waits for the first one until `deadline`.
  std::vector<ClaimHeard> Hear(std::chrono::steady_clock::time_point deadline);
  // Those that are there already.
  std::vector<ClaimHeard> HearNow();
  std::uint32_t TakeDrops() { return arp_.TakeDrops() + icmp_.TakeDrops(); }

 private:
  NeighbourTap(PacketSocket arp, PacketSocket icmp)
      : arp_(std::move(arp)), icmp_(std::move(icmp)) {}

  PacketSocket arp_;
  PacketSocket icmp_;
};

}  // namespace drover
