#include "node-helper/net/path_codec.h"

#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "node-helper/net/address_codec.h"
#include "node-helper/net/rtnetlink_header.h"

namespace drover {
namespace {

std::uint16_t LocalOf(TunnelKind kind) {
  return kind == TunnelKind::kIpip ? std::uint16_t{IFLA_IPTUN_LOCAL}
                                   : std::uint16_t{IFLA_GRE_LOCAL};
}

std::uint16_t RemoteOf(TunnelKind kind) {
  return kind == TunnelKind::kIpip ? std::uint16_t{IFLA_IPTUN_REMOTE}
                                   : std::uint16_t{IFLA_GRE_REMOTE};
}

}  // namespace

Bytes EncodeListTunnels() { return EncodeHeader(ifinfomsg{}); }

Bytes EncodeTunnel(const Tunnel& tunnel) {
  ifinfomsg header{};
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  Bytes bytes = EncodeHeader(header);
  AttributeWriter writer(bytes);
  writer.PutText(IFLA_IFNAME, tunnel.name);
  const std::size_t info = writer.Begin(IFLA_LINKINFO);
  writer.PutText(IFLA_INFO_KIND, ToString(tunnel.kind));
  const std::size_t data = writer.Begin(IFLA_INFO_DATA);
  writer.Put(LocalOf(tunnel.kind), ByteView(tunnel.local.data(), tunnel.local.size()));
  writer.End(data);
  writer.End(info);
  return bytes;
}

Bytes EncodeTunnelRemoval(const Tunnel& tunnel) {
  Bytes bytes = EncodeHeader(ifinfomsg{});
  AttributeWriter(bytes).PutText(IFLA_IFNAME, tunnel.name);
  return bytes;
}

Result<std::optional<Tunnel>> DecodeTunnel(ByteView payload) {
  ifinfomsg header{};
  const auto attributes = DecodeHeader(payload, header, "an interface");
  if (!attributes) return Fail(attributes.error());
  const auto info = attributes->Get(IFLA_LINKINFO);
  const auto name = attributes->Text(IFLA_IFNAME);
  if (!info || !name || (header.ifi_flags & IFF_UP) == 0) return std::nullopt;
  const auto inner = AttributeReader::Parse(*info);
  if (!inner) return Fail(inner.error().In("interface " + *name));
  const auto kind = ParseTunnelKind(inner->Text(IFLA_INFO_KIND).value_or(""));
  const auto data = inner->Get(IFLA_INFO_DATA);
  if (!kind || !data) return std::nullopt;
  const auto settings = AttributeReader::Parse(*data);
  if (!settings) return Fail(settings.error().In("interface " + *name));
  const auto local = AddressOf(AF_INET, settings->Get(LocalOf(*kind)));
  const auto remote = AddressOf(AF_INET, settings->Get(RemoteOf(*kind)));
  if (!local || local->is_unspecified() || (remote && !remote->is_unspecified())) {
    return std::nullopt;
  }
  return Tunnel{*name, *kind, *local};
}

Bytes EncodeListOurRoutes(Family family) {
  rtmsg header{};
  header.rtm_family = family == Family::kIpv4 ? AF_INET : AF_INET6;
  // Not the table as well: where it is still empty, asking for it is an error.
  header.rtm_protocol = kRouteProtocol;
  return EncodeHeader(header);
}

Bytes EncodeRoute(const Route& route) {
  const Prefix& destination = route.destination;
  rtmsg header{};
  header.rtm_family = destination.address.is_v4() ? AF_INET : AF_INET6;
  header.rtm_dst_len = static_cast<std::uint8_t>(destination.length);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = kRouteProtocol;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  Bytes bytes = EncodeHeader(header);
  AttributeWriter writer(bytes);
  if (destination.length > 0) {
    writer.Put(RTA_DST, ByteView(destination.address.data(), destination.address.size()));
  }
  writer.Put(RTA_GATEWAY, ByteView(route.gateway.data(), route.gateway.size()));
  return bytes;
}

Result<std::optional<Route>> DecodeRoute(ByteView payload) {
  rtmsg header{};
  const auto attributes = DecodeHeader(payload, header, "a route");
  if (!attributes) return Fail(attributes.error());
  if (header.rtm_protocol != kRouteProtocol || header.rtm_table != RT_TABLE_MAIN) {
    return std::nullopt;
  }
  const auto gateway = AddressOf(header.rtm_family, attributes->Get(RTA_GATEWAY));
  if (!gateway) return std::nullopt;
  const auto to = AddressOf(header.rtm_family, attributes->Get(RTA_DST));
  const IpAddress any = gateway->is_v4() ? IpAddress() : IpAddress::V6({});
  return Route{Prefix{to.value_or(any), header.rtm_dst_len}, *gateway};
}

}  // namespace drover
