// What the speaker's logic needs of the kernel and the wire, as an interface: the real one is
// linux_surroundings, tests have one that keeps state.
//
// Settings of the node's own interfaces (arp_ignore and the like) are not touched: they are part of
// the desired state, which others keep.
//
// One thread: the speaker's. Nothing here waits for the network.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node-helper/net/vrrp_netlink.h"
#include "node-helper/vrrp/packet.h"
#include "protocol/address.h"
#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

// Where adverts have to be listened for.
struct EarWish {
  std::string interface;
  int index = 0;
  Family family = Family::kIpv4;
  bool multicast = true;
  auto operator<=>(const EarWish&) const = default;
};

class Surroundings {
 public:
  virtual ~Surroundings() = default;

  // --- how things are; kept up to date by the news
  [[nodiscard]] virtual std::optional<LinkFact> FindLink(const std::string& interface) const = 0;
  [[nodiscard]] virtual bool HasAddress(int index, const Prefix& prefix) const = 0;
  // On whatever interface.
  [[nodiscard]] virtual bool IsLocal(const IpAddress& address) const = 0;
  // True when packets for an address that was set are taken: for IPv6 a moment later than it is
  // set.
  [[nodiscard]] virtual bool Delivers(const IpAddress& address) const = 0;
  // In the order of the kernel; of IPv6 only link-local ones.
  [[nodiscard]] virtual std::vector<Prefix> AddressesOf(int index, Family family) const = 0;
  [[nodiscard]] virtual bool IsOwnMac(const MacAddress& mac) const = 0;
  [[nodiscard]] virtual int LoopbackIndex() const = 0;

  // --- what can be done
  virtual Status SetAddress(int index, const Prefix& prefix, std::chrono::milliseconds lease) = 0;
  virtual Status RemoveAddress(int index, const Prefix& prefix) = 0;
  // The payload from the VRRP header on; an IPv4 header is put before it.
  virtual Status SendAdvert(int index, const vrrp::Route& route,
                            const vrrp::Advertisement& advertisement, vrrp::ChecksumForm form) = 0;
  virtual void Announce(int index, const MacAddress& mac, const IpAddress& address) = 0;
  virtual void Ask(int index, const MacAddress& mac, const std::optional<IpAddress>& sender,
                   const IpAddress& target) = 0;
  // Looks whether the interface forwards IPv6: neighbour advertisements say so.
  virtual void NoteForwarding(const std::string& interface) = 0;
  // A macvlan, down; one that is there already is taken.
  virtual Result<LinkFact> MakeVirtualLink(const LinkFact& parent, const std::string& name,
                                           const MacAddress& mac) = 0;
  virtual void RemoveVirtualLink(int index) = 0;
  virtual Status SetLinkUp(int index, bool up) = 0;
};

// Whether an interface is one that the speaker makes for an instance (its virtual MAC address).
bool IsVirtualLinkName(std::string_view name);

}  // namespace drover
