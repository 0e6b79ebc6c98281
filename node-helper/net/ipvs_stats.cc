#include "node-helper/net/ipvs_stats.h"

#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <algorithm>

#include "node-helper/net/ipvs_codec.h"
#include "node-helper/net/ipvs_stats_codec.h"
#include "node-helper/net/netlink_socket.h"

namespace drover {
namespace {

Result<std::vector<DestinationCounters>> ReadDestinations(NetlinkSocket& socket,
                                                          std::uint16_t ip_vs,
                                                          const ServiceKey& key) {
  const Result<std::vector<Bytes>> messages = socket.List(ip_vs, EncodeListDestinations(key));
  if (!messages) return Fail(messages.error().In("service " + ToString(key)));
  std::vector<DestinationCounters> destinations;
  for (const Bytes& message : *messages) {
    const auto destination = DecodeDestinationCounters(message, FamilyOf(key));
    if (!destination) return Fail(destination.error().In("service " + ToString(key)));
    destinations.push_back(*destination);
  }
  // The kernel puts each new one at the head of its list (__ip_vs_update_dest).
  std::reverse(destinations.begin(), destinations.end());
  return destinations;
}

}  // namespace

Result<std::vector<ServiceCounters>> ReadIpvsCounters() {
  const Result<std::unique_ptr<NetlinkSocket>> socket = NetlinkSocket::Open(NETLINK_GENERIC);
  if (!socket) return Fail(socket.error());
  const auto family = (*socket)->FindFamily(IPVS_GENL_NAME);
  if (!family) return Fail(family.error().In("ip_vs"));
  if (!*family) return std::vector<ServiceCounters>{};
  const Result<std::vector<Bytes>> messages = (*socket)->List(**family, EncodeListServices());
  if (!messages) return Fail(messages.error().In("ip_vs services"));
  std::vector<ServiceCounters> services;
  for (const Bytes& message : *messages) {
    Result<ServiceCounters> service = DecodeServiceCounters(message);
    if (!service) return Fail(service.error());
    auto destinations = ReadDestinations(**socket, **family, service->service);
    if (!destinations) return Fail(destinations.error());
    service->destinations = std::move(*destinations);
    services.push_back(std::move(*service));
  }
  return services;
}

}  // namespace drover
