#include "node-helper/net/ipvs_message.h"

#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>

#include "node-helper/net/ip_protocol.h"

namespace drover::ipvs {
namespace {

constexpr std::size_t kAddressBytes = 16;

Result<Transport> TransportOf(std::uint16_t protocol) {
  for (const Transport transport : {Transport::kTcp, Transport::kUdp, Transport::kSctp}) {
    if (ProtocolNumber(transport) == protocol) return transport;
  }
  return Fail(ErrorCode::kInternal,
              "ip_vs: a service has the unknown protocol " + std::to_string(protocol));
}

}  // namespace

Bytes Header(std::uint8_t command) {
  return {command, IPVS_GENL_VERSION, 0, 0};  // struct genlmsghdr
}

Result<AttributeReader> Content(ByteView payload, std::uint16_t type) {
  if (payload.size() < sizeof(genlmsghdr)) {
    return Fail(ErrorCode::kInternal, "ip_vs: a message is cut off");
  }
  const auto outer = AttributeReader::Parse(payload.subspan(sizeof(genlmsghdr)));
  if (!outer) return Fail(outer.error());
  const std::optional<ByteView> inner = outer->Get(type);
  if (!inner) return Fail(ErrorCode::kInternal, "ip_vs: a message lacks its content");
  return AttributeReader::Parse(*inner);
}

std::uint16_t FamilyNumber(Family family) { return family == Family::kIpv4 ? AF_INET : AF_INET6; }

Result<Family> FamilyOfNumber(std::uint16_t number) {
  if (number == AF_INET) return Family::kIpv4;
  if (number == AF_INET6) return Family::kIpv6;
  return Fail(ErrorCode::kInternal, "ip_vs: unknown address family " + std::to_string(number));
}

void PutAddress(AttributeWriter& writer, std::uint16_t type, const IpAddress& address) {
  std::array<std::uint8_t, kAddressBytes> bytes{};
  std::copy_n(address.data(), address.size(), bytes.begin());
  writer.Put(type, bytes);
}

Result<IpAddress> AddressOf(Family family, std::optional<ByteView> bytes) {
  const std::size_t size = family == Family::kIpv4 ? 4 : 16;
  if (!bytes || bytes->size() < size) {
    return Fail(ErrorCode::kInternal, "ip_vs: an address is missing or cut off");
  }
  if (family == Family::kIpv4) {
    std::array<std::uint8_t, 4> v4{};
    std::copy_n(bytes->begin(), v4.size(), v4.begin());
    return IpAddress::V4(v4);
  }
  std::array<std::uint8_t, 16> v6{};
  std::copy_n(bytes->begin(), v6.size(), v6.begin());
  return IpAddress::V6(v6);
}

void PutKey(AttributeWriter& writer, const ServiceKey& key) {
  writer.PutU16(IPVS_SVC_ATTR_AF, FamilyNumber(FamilyOf(key)));
  if (const auto* fwmark = std::get_if<FwmarkKey>(&key)) {
    writer.PutU32(IPVS_SVC_ATTR_FWMARK, fwmark->mark);
    return;
  }
  const auto& socket = std::get<SocketKey>(key);
  writer.PutU16(IPVS_SVC_ATTR_PROTOCOL, ProtocolNumber(socket.transport));
  PutAddress(writer, IPVS_SVC_ATTR_ADDR, socket.address);
  writer.PutU16Be(IPVS_SVC_ATTR_PORT, socket.port);
}

Result<ServiceKey> KeyOf(const AttributeReader& attributes) {
  const auto number = attributes.U16(IPVS_SVC_ATTR_AF);
  if (!number) return Fail(ErrorCode::kInternal, "ip_vs: a service has no address family");
  const Result<Family> family = FamilyOfNumber(*number);
  if (!family) return Fail(family.error());
  if (const auto mark = attributes.U32(IPVS_SVC_ATTR_FWMARK); mark && *mark != 0) {
    return ServiceKey(FwmarkKey{*mark, *family});
  }
  const auto protocol = attributes.U16(IPVS_SVC_ATTR_PROTOCOL);
  const auto port = attributes.U16Be(IPVS_SVC_ATTR_PORT);
  if (!protocol || !port) {
    return Fail(ErrorCode::kInternal, "ip_vs: a service has no protocol or port");
  }
  const Result<Transport> transport = TransportOf(*protocol);
  if (!transport) return Fail(transport.error());
  const Result<IpAddress> address = AddressOf(*family, attributes.Get(IPVS_SVC_ATTR_ADDR));
  if (!address) return Fail(address.error());
  return ServiceKey(SocketKey{*transport, *address, *port});
}

Result<Endpoint> EndpointOf(const AttributeReader& attributes, Family family) {
  if (const auto number = attributes.U16(IPVS_DEST_ATTR_ADDR_FAMILY); number && *number != 0) {
    const Result<Family> told = FamilyOfNumber(*number);
    if (!told) return Fail(told.error());
    family = *told;
  }
  const Result<IpAddress> address = AddressOf(family, attributes.Get(IPVS_DEST_ATTR_ADDR));
  if (!address) return Fail(address.error());
  const auto port = attributes.U16Be(IPVS_DEST_ATTR_PORT);
  if (!port) {
    return Fail(ErrorCode::kInternal,
                "real server " + address->ToString() + ": its port is missing");
  }
  return Endpoint{*address, *port};
}

}  // namespace drover::ipvs
