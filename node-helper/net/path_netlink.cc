#include "node-helper/net/path_netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "node-helper/net/module_loader.h"
#include "node-helper/net/path_codec.h"

namespace drover {
namespace {

tl::unexpected<Error> Refused(const PathPart& part, const Verdict& verdict) {
  const std::string name = NameOf(part);
  const bool tunnel = std::holds_alternative<Tunnel>(part);
  switch (verdict.error_number) {
    case EEXIST:
      return Fail(ErrorCode::kExists,
                  tunnel ? name + ": there is an interface of another kind under this name"
                         : name +
                               ": the node has a route to the same destination that is not "
                               "Drover's; take it away there, or name a smaller network");
    case ESRCH:
    case ENODEV:
      return Fail(ErrorCode::kNotFound, name + ": it is not there");
    case EOPNOTSUPP:
      return Fail(ErrorCode::kInvalid, name + ": this kernel cannot do it (" + Summary(part) +
                                           "; is the module there?)");
    case ENETUNREACH:
      return Fail(ErrorCode::kInvalid,
                  name + ": its router is on no network of the node (" + Summary(part) + ")");
    default:
      return Fail(ErrorCode::kInternal, name + ": " + verdict.Reason());
  }
}

}  // namespace

Result<PathNetlink> PathNetlink::Open() {
  auto socket = NetlinkSocket::Open(NETLINK_ROUTE, /*strict=*/true);
  if (!socket) return Fail(socket.error());
  return PathNetlink(std::move(*socket));
}

Result<std::vector<PathPart>> PathNetlink::List() {
  std::vector<PathPart> parts;
  const auto links = socket_->List(RTM_GETLINK, EncodeListTunnels());
  if (!links) return Fail(links.error().In("interfaces"));
  for (const Bytes& message : *links) {
    const auto tunnel = DecodeTunnel(message);
    if (!tunnel) return Fail(tunnel.error());
    if (tunnel->has_value()) parts.emplace_back(**tunnel);
  }
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const auto routes = socket_->List(RTM_GETROUTE, EncodeListOurRoutes(family));
    if (!routes) return Fail(routes.error().In("routes"));
    for (const Bytes& message : *routes) {
      const auto route = DecodeRoute(message);
      if (!route) return Fail(route.error());
      if (route->has_value()) parts.emplace_back(**route);
    }
  }
  return parts;
}

Status PathNetlink::Send(std::uint16_t type, std::uint16_t flags, const Bytes& payload,
                         const PathPart& part) {
  const Result<Verdict> verdict = socket_->Request(type, flags, payload);
  if (!verdict) return Fail(verdict.error().In(NameOf(part)));
  if (!verdict->ok()) return Refused(part, *verdict);
  return {};
}

Status PathNetlink::Add(const PathPart& part) {
  if (const auto* tunnel = std::get_if<Tunnel>(&part)) {
    return Send(RTM_NEWLINK, NLM_F_CREATE, EncodeTunnel(*tunnel), part);
  }
  return Send(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, EncodeRoute(std::get<Route>(part)), part);
}

Status PathNetlink::Replace(const PathPart& part, const PathPart& before) {
  if (std::holds_alternative<Tunnel>(part)) {
    if (const Status removed = Remove(before); !removed) return removed;
    return Add(part);
  }
  return Send(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, EncodeRoute(std::get<Route>(part)), part);
}

Status PathNetlink::Remove(const PathPart& part) {
  if (const auto* tunnel = std::get_if<Tunnel>(&part)) {
    return Send(RTM_DELLINK, 0, EncodeTunnelRemoval(*tunnel), part);
  }
  return Send(RTM_DELROUTE, 0, EncodeRoute(std::get<Route>(part)), part);
}

Status PathNetlink::CanLoad(TunnelKind kind) {
  const char* module = kind == TunnelKind::kGre ? "ip_gre" : "ipip";
  return IsModuleLoaded(module) ? Status{} : FindModule(module);
}

}  // namespace drover
