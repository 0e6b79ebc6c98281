// Receivers of GUE <-> bytes of the generic netlink family "fou" (<linux/fou.h>,
// net/ipv4/fou.c).
//
// Pure. Sending is left to fou_netlink.
#pragma once

#include <optional>

#include "node-helper/net/netlink_attributes.h"
#include "protocol/packet_path.h"
#include "protocol/result.h"

namespace drover {

Bytes EncodeListReceivers();
Bytes EncodeReceiver(const GueReceiver& receiver);
Bytes EncodeReceiverRemoval(const GueReceiver& receiver);
// Nothing for receivers that are none of ours to tell: of another kind (fou without GUE), of IPv6,
// or for one address, peer or interface only.
Result<std::optional<GueReceiver>> DecodeReceiver(ByteView payload);

}  // namespace drover
