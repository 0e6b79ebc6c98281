// Tells the neighbours that an address lives here now: gratuitous ARP for IPv4, an unsolicited
// neighbour advertisement for IPv6.
//
// The frames are pure values; Announce sends them on a packet socket. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/address.h"
#include "protocol/mac_address.h"
#include "protocol/result.h"

namespace drover {

// An ARP request to all with sender and target address `address` (RFC 5227 3: ARP Announcement;
// target MAC all ones, as keepalived sends it). Whole Ethernet frame.
std::vector<std::uint8_t> GratuitousArpFrame(const MacAddress& mac, const IpAddress& address);

// RFC 4861 7.2.6: from the address itself to all nodes (ff02::1), Override set, Solicited clear,
// target link-layer address option, hop limit 255. Whole Ethernet frame.
std::vector<std::uint8_t> NeighborAdvertisementFrame(const MacAddress& mac,
                                                     const IpAddress& address, bool router);

// Sends a short burst. Does nothing on interfaces that are down, that are no Ethernet or whose
// neighbours do not ask (lo, tunnels, NOARP). The caller makes sure that `address` is set there.
Status Announce(const std::string& interface, const IpAddress& address);

}  // namespace drover
