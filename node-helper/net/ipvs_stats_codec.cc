#include "node-helper/net/ipvs_stats_codec.h"

#include <linux/ip_vs.h>

#include <cstring>

#include "node-helper/net/ipvs_message.h"

namespace drover {
namespace {

// Counters come with 64 bits since Linux 4.1, before that with 32.
std::uint64_t Number(const AttributeReader& attributes, std::uint16_t type) {
  const auto bytes = attributes.Get(type);
  std::uint64_t number = 0;
  if (bytes && bytes->size() >= sizeof(number)) {
    std::memcpy(&number, bytes->data(), sizeof(number));
    return number;
  }
  return attributes.U32(type).value_or(0);
}

Result<TrafficCounters> TrafficOf(const AttributeReader& attributes, std::uint16_t wide,
                                  std::uint16_t narrow) {
  std::optional<ByteView> nested = attributes.Get(wide);
  if (!nested) nested = attributes.Get(narrow);
  if (!nested) return Fail(ErrorCode::kInternal, "ip_vs: counters are missing");
  const Result<AttributeReader> counters = AttributeReader::Parse(*nested);
  if (!counters) return Fail(counters.error());
  return TrafficCounters{
      Number(*counters, IPVS_STATS_ATTR_CONNS), Number(*counters, IPVS_STATS_ATTR_INPKTS),
      Number(*counters, IPVS_STATS_ATTR_OUTPKTS), Number(*counters, IPVS_STATS_ATTR_INBYTES),
      Number(*counters, IPVS_STATS_ATTR_OUTBYTES)};
}

}  // namespace

Result<ServiceCounters> DecodeServiceCounters(ByteView payload) {
  const Result<AttributeReader> attributes = ipvs::Content(payload, IPVS_CMD_ATTR_SERVICE);
  if (!attributes) return Fail(attributes.error());
  const Result<ServiceKey> key = ipvs::KeyOf(*attributes);
  if (!key) return Fail(key.error());
  const Result<TrafficCounters> traffic =
      TrafficOf(*attributes, IPVS_SVC_ATTR_STATS64, IPVS_SVC_ATTR_STATS);
  if (!traffic) return Fail(traffic.error().In("service " + ToString(*key)));
  return ServiceCounters{*key, *traffic, {}};
}

Result<DestinationCounters> DecodeDestinationCounters(ByteView payload, Family family) {
  const Result<AttributeReader> attributes = ipvs::Content(payload, IPVS_CMD_ATTR_DEST);
  if (!attributes) return Fail(attributes.error());
  const Result<Endpoint> endpoint = ipvs::EndpointOf(*attributes, family);
  if (!endpoint) return Fail(endpoint.error());
  const auto active = attributes->U32(IPVS_DEST_ATTR_ACTIVE_CONNS);
  const auto inactive = attributes->U32(IPVS_DEST_ATTR_INACT_CONNS);
  const auto persistent = attributes->U32(IPVS_DEST_ATTR_PERSIST_CONNS);
  const Result<TrafficCounters> traffic =
      TrafficOf(*attributes, IPVS_DEST_ATTR_STATS64, IPVS_DEST_ATTR_STATS);
  if (!traffic) return Fail(traffic.error().In("real server " + endpoint->address.ToString()));
  if (!active || !inactive || !persistent) {
    return Fail(ErrorCode::kInternal,
                "real server " + endpoint->address.ToString() + ": its connections are not told");
  }
  return DestinationCounters{*endpoint, *traffic, *active, *inactive, *persistent};
}

}  // namespace drover
