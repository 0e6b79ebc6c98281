#include "node-helper/net/ipvs_codec.h"

#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "node-helper/net/ipvs_message.h"

namespace drover {
namespace {

constexpr std::uint32_t kSchedulerBits =
    IP_VS_SVC_F_SCHED1 | IP_VS_SVC_F_SCHED2 | IP_VS_SVC_F_SCHED3;

std::uint32_t MethodNumber(Forwarding forward) {
  switch (forward) {
    case Forwarding::kDr:
      return IP_VS_CONN_F_DROUTE;
    case Forwarding::kNat:
      return IP_VS_CONN_F_MASQ;
    case Forwarding::kTun:
      return IP_VS_CONN_F_TUNNEL;
  }
  return IP_VS_CONN_F_DROUTE;
}

Forwarding ForwardingOf(std::uint32_t method) {
  switch (method & IP_VS_CONN_F_FWD_MASK) {
    case IP_VS_CONN_F_MASQ:
      return Forwarding::kNat;
    case IP_VS_CONN_F_TUNNEL:
      return Forwarding::kTun;
    default:
      return Forwarding::kDr;
  }
}

// IPv4 netmasks travel in network order, IPv6 ones as a prefix length in host order.
Bytes NetmaskBytes(Family family, int length) {
  if (family == Family::kIpv6) {
    const auto plain = static_cast<std::uint32_t>(length);
    Bytes bytes(sizeof(plain));
    std::memcpy(bytes.data(), &plain, sizeof(plain));
    return bytes;
  }
  const std::uint32_t mask = length <= 0 ? 0 : ~std::uint32_t{0} << (32 - std::min(length, 32));
  return {static_cast<std::uint8_t>(mask >> 24), static_cast<std::uint8_t>(mask >> 16),
          static_cast<std::uint8_t>(mask >> 8), static_cast<std::uint8_t>(mask)};
}

// 0, which nobody can wish for, when an IPv4 mask has holes.
int NetmaskLength(Family family, ByteView bytes) {
  if (bytes.size() < 4) return 0;
  if (family == Family::kIpv6) {
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof(length));
    return length > 128 ? 0 : static_cast<int>(length);
  }
  const std::uint32_t mask = std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                             std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
  const int length = std::countl_one(mask);
  return std::popcount(mask) == length ? length : 0;
}

void PutSettings(AttributeWriter& writer, const VirtualService& service) {
  const Family family = FamilyOf(service.key);
  ip_vs_flags flags{};
  flags.mask =
      ~std::uint32_t{0};  // all are ours to say; the kernel keeps IP_VS_SVC_F_HASHED itself
  // Flags were validated where the state came in; a foreign one would be 0 here.
  flags.flags = SchedulerFlagBits(service.scheduler, service.scheduler_flags).value_or(0);
  if (service.persistence) flags.flags |= IP_VS_SVC_F_PERSISTENT;
  if (service.one_packet) flags.flags |= IP_VS_SVC_F_ONEPACKET;
  const Persistence persistence = service.persistence.value_or(
      Persistence{std::chrono::seconds(0), family == Family::kIpv4 ? 32 : 128, ""});
  writer.PutText(IPVS_SVC_ATTR_SCHED_NAME, service.scheduler);
  if (!persistence.engine.empty()) writer.PutText(IPVS_SVC_ATTR_PE_NAME, persistence.engine);
  writer.Put(IPVS_SVC_ATTR_FLAGS,
             ByteView(reinterpret_cast<const std::uint8_t*>(&flags), sizeof(flags)));
  writer.PutU32(IPVS_SVC_ATTR_TIMEOUT, static_cast<std::uint32_t>(persistence.timeout.count()));
  writer.Put(IPVS_SVC_ATTR_NETMASK, NetmaskBytes(family, persistence.netmask_length));
}

std::uint8_t TypeNumber(TunnelKind kind) {
  switch (kind) {
    case TunnelKind::kIpip:
      return IP_VS_CONN_F_TUNNEL_TYPE_IPIP;
    case TunnelKind::kGre:
      return IP_VS_CONN_F_TUNNEL_TYPE_GRE;
    case TunnelKind::kGue:
      return IP_VS_CONN_F_TUNNEL_TYPE_GUE;
  }
  return IP_VS_CONN_F_TUNNEL_TYPE_IPIP;
}

std::uint16_t FlagsOf(TunnelChecksum checksum) {
  switch (checksum) {
    case TunnelChecksum::kNone:
      return IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM;
    case TunnelChecksum::kFull:
      return IP_VS_TUNNEL_ENCAP_FLAG_CSUM;
    case TunnelChecksum::kRemote:
      return IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM;
  }
  return IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM;
}

// Kernels before 5.2 (gue) and 5.3 (gre, checksums) do not know these attributes, pass over them
// and wrap in ipip.
void PutWrapping(AttributeWriter& writer, const Wrapping& wrapping) {
  const std::uint8_t type = TypeNumber(wrapping.kind);
  writer.Put(IPVS_DEST_ATTR_TUN_TYPE, ByteView(&type, 1));
  if (wrapping.kind == TunnelKind::kIpip) return;
  writer.PutU16(IPVS_DEST_ATTR_TUN_FLAGS, FlagsOf(wrapping.checksum));
  if (wrapping.port != 0) writer.PutU16Be(IPVS_DEST_ATTR_TUN_PORT, wrapping.port);
}

// Only what has a meaning: the kernel keeps port and flags for every kind.
Wrapping WrappingOf(const AttributeReader& attributes) {
  Wrapping wrapping;
  const auto type = attributes.Get(IPVS_DEST_ATTR_TUN_TYPE);
  if (!type || type->empty()) return wrapping;
  if (type->front() == IP_VS_CONN_F_TUNNEL_TYPE_GRE) wrapping.kind = TunnelKind::kGre;
  if (type->front() == IP_VS_CONN_F_TUNNEL_TYPE_GUE) wrapping.kind = TunnelKind::kGue;
  if (wrapping.kind == TunnelKind::kIpip) return wrapping;
  const std::uint16_t flags = attributes.U16(IPVS_DEST_ATTR_TUN_FLAGS).value_or(0);
  if ((flags & IP_VS_TUNNEL_ENCAP_FLAG_CSUM) != 0) wrapping.checksum = TunnelChecksum::kFull;
  if (wrapping.kind == TunnelKind::kGue) {
    if ((flags & IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM) != 0) wrapping.checksum = TunnelChecksum::kRemote;
    wrapping.port = attributes.U16Be(IPVS_DEST_ATTR_TUN_PORT).value_or(0);
  }
  return wrapping;
}

Bytes ServiceMessage(std::uint8_t command, const ServiceKey& key, const VirtualService* settings) {
  Bytes bytes = ipvs::Header(command);
  AttributeWriter writer(bytes);
  const std::size_t nested = writer.Begin(IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED);
  ipvs::PutKey(writer, key);
  if (settings != nullptr) PutSettings(writer, *settings);
  writer.End(nested);
  return bytes;
}

Bytes DestinationMessage(std::uint8_t command, const ServiceKey& key,
                         const Destination& destination, bool with_settings) {
  Bytes bytes = ServiceMessage(command, key, nullptr);
  AttributeWriter writer(bytes);
  const std::size_t nested = writer.Begin(IPVS_CMD_ATTR_DEST | NLA_F_NESTED);
  // Unlike the service's, this family decides how the 16 bytes are read (tun may mix them).
  writer.PutU16(IPVS_DEST_ATTR_ADDR_FAMILY, ipvs::FamilyNumber(destination.address.family()));
  ipvs::PutAddress(writer, IPVS_DEST_ATTR_ADDR, destination.address);
  writer.PutU16Be(IPVS_DEST_ATTR_PORT, destination.port);
  if (with_settings) {
    writer.PutU32(IPVS_DEST_ATTR_FWD_METHOD, MethodNumber(destination.forward));
    writer.PutU32(IPVS_DEST_ATTR_WEIGHT, destination.weight);
    writer.PutU32(IPVS_DEST_ATTR_U_THRESH, destination.upper_threshold);
    writer.PutU32(IPVS_DEST_ATTR_L_THRESH, destination.lower_threshold);
    if (destination.forward == Forwarding::kTun) PutWrapping(writer, destination.tunnel);
  }
  writer.End(nested);
  return bytes;
}

}  // namespace

Bytes EncodeAddService(const VirtualService& service) {
  return ServiceMessage(IPVS_CMD_NEW_SERVICE, service.key, &service);
}

Bytes EncodeEditService(const VirtualService& service) {
  return ServiceMessage(IPVS_CMD_SET_SERVICE, service.key, &service);
}

Bytes EncodeRemoveService(const ServiceKey& key) {
  return ServiceMessage(IPVS_CMD_DEL_SERVICE, key, nullptr);
}

Bytes EncodeAddDestination(const ServiceKey& key, const Destination& destination) {
  return DestinationMessage(IPVS_CMD_NEW_DEST, key, destination, /*with_settings=*/true);
}

Bytes EncodeEditDestination(const ServiceKey& key, const Destination& destination) {
  return DestinationMessage(IPVS_CMD_SET_DEST, key, destination, /*with_settings=*/true);
}

Bytes EncodeRemoveDestination(const ServiceKey& key, const Destination& destination) {
  return DestinationMessage(IPVS_CMD_DEL_DEST, key, destination, /*with_settings=*/false);
}

Bytes EncodeListServices() { return ipvs::Header(IPVS_CMD_GET_SERVICE); }

Bytes EncodeListDestinations(const ServiceKey& key) {
  return ServiceMessage(IPVS_CMD_GET_DEST, key, nullptr);
}

Result<VirtualService> DecodeService(ByteView payload) {
  const Result<AttributeReader> attributes = ipvs::Content(payload, IPVS_CMD_ATTR_SERVICE);
  if (!attributes) return Fail(attributes.error());
  Result<ServiceKey> key = ipvs::KeyOf(*attributes);
  if (!key) return Fail(key.error());
  const auto scheduler = attributes->Text(IPVS_SVC_ATTR_SCHED_NAME);
  const auto flags = attributes->U32(IPVS_SVC_ATTR_FLAGS);  // the first field of ip_vs_flags
  const auto timeout = attributes->U32(IPVS_SVC_ATTR_TIMEOUT);
  const auto netmask = attributes->Get(IPVS_SVC_ATTR_NETMASK);
  if (!scheduler || !flags || !timeout || !netmask) {
    return Fail(ErrorCode::kInternal, "service " + ToString(*key) + ": its settings are missing");
  }
  VirtualService service;
  service.key = *key;
  service.scheduler = *scheduler;
  service.scheduler_flags = SchedulerFlagNames(*scheduler, *flags & kSchedulerBits);
  service.one_packet = (*flags & IP_VS_SVC_F_ONEPACKET) != 0;
  if ((*flags & IP_VS_SVC_F_PERSISTENT) != 0) {
    service.persistence =
        Persistence{std::chrono::seconds(*timeout), NetmaskLength(FamilyOf(*key), *netmask),
                    attributes->Text(IPVS_SVC_ATTR_PE_NAME).value_or("")};
  }
  return service;
}

Result<Destination> DecodeDestination(ByteView payload, Family family) {
  const Result<AttributeReader> attributes = ipvs::Content(payload, IPVS_CMD_ATTR_DEST);
  if (!attributes) return Fail(attributes.error());
  const Result<Endpoint> endpoint = ipvs::EndpointOf(*attributes, family);
  if (!endpoint) return Fail(endpoint.error());
  const auto method = attributes->U32(IPVS_DEST_ATTR_FWD_METHOD);
  const auto weight = attributes->U32(IPVS_DEST_ATTR_WEIGHT);
  const auto upper = attributes->U32(IPVS_DEST_ATTR_U_THRESH);
  const auto lower = attributes->U32(IPVS_DEST_ATTR_L_THRESH);
  if (!method || !weight || !upper || !lower) {
    return Fail(ErrorCode::kInternal,
                "real server " + endpoint->address.ToString() + ": its settings are missing");
  }
  const Forwarding forward = ForwardingOf(*method);
  return Destination{endpoint->address,
                     endpoint->port,
                     forward,
                     *weight,
                     *upper,
                     *lower,
                     forward == Forwarding::kTun ? WrappingOf(*attributes) : Wrapping{}};
}

}  // namespace drover
