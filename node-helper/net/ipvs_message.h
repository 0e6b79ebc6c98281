// What all messages of ip_vs's generic netlink family share: the header, the nested content,
// addresses and the key of a service (<linux/ip_vs.h>, net/netfilter/ipvs/ip_vs_ctl.c).
//
// Pure. Which message means what is left to ipvs_codec, ipvs_sync_codec and ipvs_stats_codec.
#pragma once

#include <cstdint>
#include <optional>

#include "node-helper/net/netlink_attributes.h"
#include "protocol/result.h"
#include "protocol/service_key.h"

namespace drover::ipvs {

Bytes Header(std::uint8_t command);
// The attributes inside the one attribute `type` that a message consists of.
Result<AttributeReader> Content(ByteView payload, std::uint16_t type);

std::uint16_t FamilyNumber(Family family);
Result<Family> FamilyOfNumber(std::uint16_t number);

// Addresses are 16 bytes (union nf_inet_addr), for IPv4 too.
void PutAddress(AttributeWriter& writer, std::uint16_t type, const IpAddress& address);
Result<IpAddress> AddressOf(Family family, std::optional<ByteView> bytes);

// Address and port of a destination. `family` is the service's, for kernels before 3.18, which do
// not tell a destination's own.
Result<Endpoint> EndpointOf(const AttributeReader& attributes, Family family);

// What finds the service. The kernel takes the mark when there is one, else protocol, address and
// port (ip_vs_genl_parse_service).
void PutKey(AttributeWriter& writer, const ServiceKey& key);
Result<ServiceKey> KeyOf(const AttributeReader& attributes);

}  // namespace drover::ipvs
