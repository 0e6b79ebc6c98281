// Where an address lies from here: on this host, on a link whose neighbours can be asked for it, or
// beyond a router. The kernel's own routing decides.
//
// One thread at a time. Changes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node-helper/net/gratuitous_arp.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// The link on which an address lies, when it lies on one.
struct LinkRoute {
  bool local = false;    // an address of this host
  bool on_link = false;  // on an Ethernet of this host that is up; the rest is set only then
  int index = 0;
  std::string interface;
  MacAddress mac{};                  // of the interface
  std::vector<IpAddress> addresses;  // of the interface, of the same family
  std::vector<Prefix> networks;      // of these addresses, in the same order
};

// The way that packets of this host take.
struct Way {
  bool reachable = false;
  std::string interface;
  std::optional<IpAddress> gateway;
};
// From `from`, an address of this host, to `to`. No way is no error.
Result<Way> FindWay(const IpAddress& from, const IpAddress& to);

// An address that nothing routes to is not on a link; that is no error.
Result<LinkRoute> FindLinkRoute(const IpAddress& address);
// True when the kernel takes packets for this address as its own.
bool IsDelivered(const IpAddress& address);

}  // namespace drover
