// Tunnels and routes <-> bytes of rtnetlink.
//
// Pure. Sending is left to path_netlink.
#pragma once

#include <cstdint>
#include <optional>

#include "node-helper/net/netlink_attributes.h"
#include "protocol/packet_path.h"
#include "protocol/result.h"

namespace drover {

// Who set a route (rtm_protocol): routes of ours are told by it from those of others.
inline constexpr std::uint8_t kRouteProtocol = 208;

Bytes EncodeListTunnels();
// RTM_NEWLINK: adds the device, or changes one of its kind, and sets it up.
Bytes EncodeTunnel(const Tunnel& tunnel);
Bytes EncodeTunnelRemoval(const Tunnel& tunnel);
// Nothing for interfaces that are no tunnel of ours to tell: of another kind, with one far end
// only, or down.
Result<std::optional<Tunnel>> DecodeTunnel(ByteView payload);

// Asks for ours alone, where the kernel filters (NETLINK_GET_STRICT_CHK).
Bytes EncodeListOurRoutes(Family family);
Bytes EncodeRoute(const Route& route);
// Nothing for routes of others and for those without a router.
Result<std::optional<Route>> DecodeRoute(ByteView payload);

}  // namespace drover
