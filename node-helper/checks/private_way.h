// How a probe goes through the VIP: the packet carries the mark of a private service, so that ip_vs
// hands it to one real server, and comes from the director's own address, so that the answer (sent
// by the real server, from the VIP) finds back.
//
// Seen on Linux 6.1 with ip_vs, forwarding dr: without the own address the master asks from the VIP
// itself and never hears the answer. A master drops IPv4 answers that come from its own VIP
// ("martian source") unless accept_local is 1 on the interface or on all; rp_filter may have any
// value. A backup needs nothing. IPv6 needs nothing but the source address.
//
// One thread at a time; asks the system with short calls.
#pragma once

#include <string>

#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// The address that this node uses towards `server`; an error when that is the VIP itself.
Result<IpAddress> OwnAddressTowards(const IpAddress& server, const IpAddress& vip);

// What keeps this node from hearing answers that come from `vip`; empty: nothing known. `own` is
// the address that it asks from.
std::string DeafnessTo(const IpAddress& vip, const IpAddress& own);

}  // namespace drover
