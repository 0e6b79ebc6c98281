// The packets that ask who has an address and those that claim one: ARP (RFC 826) and IPv6
// neighbour discovery (RFC 4861), from the network header on, without their Ethernet header.
//
// Pure. Decoding checks every length; what is no claim is nothing, not an error.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "node-helper/net/gratuitous_arp.h"
#include "protocol/address.h"

namespace drover {

// "`mac` says that it has `address`."
struct AddressClaim {
  IpAddress address;
  MacAddress mac{};
  bool asks_for_other = false;  // by the way, in a question of its own for another address
  bool operator==(const AddressClaim&) const = default;
};

// Who has `target`? Without a sender in the form of duplicate detection (RFC 5227 2.1.1: sender
// 0.0.0.0), which tells the neighbours nothing about us.
std::vector<std::uint8_t> ArpRequest(const MacAddress& mac, const std::optional<IpAddress>& sender,
                                     const IpAddress& target);
// What the sender of an ARP packet, request or answer, claims to have.
std::optional<AddressClaim> ClaimOfArp(std::span<const std::uint8_t> packet);

// RFC 4861 4.3 to the solicited-node address of `target`; without a sender from ::, in the form of
// duplicate detection (RFC 4862 5.4.2), which is answered to all nodes.
std::vector<std::uint8_t> NeighbourSolicitation(const MacAddress& mac,
                                                const std::optional<IpAddress>& sender,
                                                const IpAddress& target);
// What an ICMPv6 neighbour advertisement claims; `frame_source` stands in where it carries no link
// address.
std::optional<AddressClaim> ClaimOfAdvertisement(std::span<const std::uint8_t> packet,
                                                 const MacAddress& frame_source);

// An ICMP echo request from `from` to `to` (IPv4). Its answer makes the receiver look for `from`.
std::vector<std::uint8_t> EchoRequest(const IpAddress& from, const IpAddress& to);

// Where the question goes: everybody (ARP), or the multicast MAC of the solicited-node address.
MacAddress QuestionMac(const IpAddress& target);

}  // namespace drover
