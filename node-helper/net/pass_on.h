// Segments of connections that ip_vs does not know go to the director that had the address before.
//
// ip_vs tells a backup of a new connection within two to three seconds (IPVS_SYNC_FLUSH_TIME,
// IPVS_SYNC_CHECK_PERIOD in net/netfilter/ipvs/ip_vs_sync.c), and of one in mid-handshake not at
// all. A segment that ip_vs leaves alone would be answered by this node's TCP with a reset; behind
// ip_vs on the same hook a rule of nftables sends it on instead.
//
// One thread at a time.
#pragma once

#include <string>
#include <vector>

#include "protocol/address.h"
#include "protocol/result.h"
#include "protocol/service_key.h"

namespace drover {

// The table of nftables that nobody else has.
inline constexpr const char* kPassOnTable = "drover_handover";

struct PassedOn {
  SocketKey traffic;  // TCP
  IpAddress to;       // a neighbour, of the same family
  std::string interface;
  bool operator==(const PassedOn&) const = default;
};

// Exactly these are passed on from now on; none: the tables go. kInvalid when this kernel cannot.
// What a socket of this node takes stays here.
Status PassOn(const std::vector<PassedOn>& all);

}  // namespace drover
