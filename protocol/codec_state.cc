// DesiredState <-> JSON. The same form is used on the wire, in the node's records and by
// `node-helper show`.

#include "protocol/codec.h"
#include "protocol/codec_parts.h"
#include "protocol/mac_text.h"

namespace drover {
namespace {

Json ToJson(const InterfaceAddress& address) {
  return {{"interface", address.interface},
          {"prefix", address.prefix.ToString()},
          {"announce", address.announce}};
}

InterfaceAddress AddressFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  InterfaceAddress address;
  ObjectReader reader(json, path, errors);
  reader.Read("interface", address.interface);
  reader.ReadWord("prefix", address.prefix, Prefix::Parse);
  reader.Read("announce", address.announce);
  return address;
}

Json ToJson(const Sysctl& sysctl) { return {{"key", sysctl.key}, {"value", sysctl.value}}; }

Sysctl SysctlFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Sysctl sysctl;
  ObjectReader reader(json, path, errors);
  reader.Read("key", sysctl.key);
  reader.Read("value", sysctl.value);
  return sysctl;
}

Json ToJson(const Persistence& persistence) {
  return {{"timeout_s", persistence.timeout.count()},
          {"netmask_length", persistence.netmask_length},
          {"engine", persistence.engine}};
}

Persistence PersistenceFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Persistence persistence;
  ObjectReader reader(json, path, errors);
  reader.ReadDuration("timeout_s", persistence.timeout);
  reader.ReadInteger("netmask_length", persistence.netmask_length, 0, 128);
  reader.Read("engine", persistence.engine);
  return persistence;
}

Json ToJson(const VirtualService& service) {
  Json json = {{"key", ServiceKeyToJson(service.key)},
               {"scheduler", service.scheduler},
               {"scheduler_flags", service.scheduler_flags},
               {"one_packet", service.one_packet},
               {"destinations", Json::array()}};
  if (service.persistence) json["persistence"] = ToJson(*service.persistence);
  for (const Destination& destination : service.destinations)
    json["destinations"].push_back(DestinationToJson(destination));
  return json;
}

VirtualService ServiceFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  VirtualService service;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("key", service.key, ServiceKeyFromJson);
  reader.Read("scheduler", service.scheduler);
  reader.Read("scheduler_flags", service.scheduler_flags);
  reader.Read("one_packet", service.one_packet);
  if (reader.Has("persistence")) {
    service.persistence.emplace();
    reader.ReadValue("persistence", *service.persistence, PersistenceFromJson);
  }
  reader.ReadList("destinations", service.destinations, DestinationFromJson);
  return service;
}

Json ToJson(const SyncDaemon& daemon) {
  return {{"role", ToString(daemon.role)},
          {"interface", daemon.interface},
          {"sync_id", daemon.sync_id},
          {"group", daemon.group.ToString()},
          {"port", daemon.port},
          {"ttl", daemon.ttl},
          {"max_length", daemon.max_length}};
}

SyncDaemon SyncDaemonFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  SyncDaemon daemon;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("role", daemon.role, ParseSyncRole);
  reader.Read("interface", daemon.interface);
  reader.ReadInteger("sync_id", daemon.sync_id, 0, 255);
  reader.ReadWord("group", daemon.group, IpAddress::Parse);
  reader.ReadInteger("port", daemon.port, 0, kMaxU16);
  reader.ReadInteger("ttl", daemon.ttl, 0, 255);
  reader.ReadInteger("max_length", daemon.max_length, 0, kMaxU16);
  return daemon;
}

struct PathPartEncoder {
  Json operator()(const Tunnel& tunnel) const {
    return {{"kind", "tunnel"},
            {"name", tunnel.name},
            {"type", ToString(tunnel.kind)},
            {"local", tunnel.local.ToString()}};
  }
  Json operator()(const GueReceiver& receiver) const {
    return {{"kind", "gue_receiver"}, {"port", receiver.port}};
  }
  Json operator()(const Route& route) const {
    return {{"kind", "route"},
            {"destination", route.destination.ToString()},
            {"gateway", route.gateway.ToString()}};
  }
  Json operator()(const ArpFilter& filter) const {
    return {{"kind", "arp_filter"},
            {"address", filter.address.ToString()},
            {"sender", filter.sender.ToString()}};
  }
  Json operator()(const PacketMark& mark) const {
    Json json = {{"kind", "mark"}, {"traffic", KeyToJson(mark.traffic)}, {"mark", mark.mark}};
    if (!mark.except_from.empty()) json["except_from"] = ListToJson(mark.except_from, MacText);
    return json;
  }
};

MacAddress MacFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  const auto mac = ParseMac(json.is_string() ? json.get<std::string>() : "");
  if (!mac) errors.Add(path, mac.error().message);
  return mac.value_or(MacAddress{});
}

PathPart PathPartFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ObjectReader reader(json, path, errors);
  std::string kind;
  reader.Read("kind", kind);
  if (kind == "tunnel") {
    Tunnel tunnel;
    reader.Read("name", tunnel.name);
    reader.ReadWord("type", tunnel.kind, ParseTunnelKind);
    reader.ReadWord("local", tunnel.local, IpAddress::Parse);
    return tunnel;
  }
  if (kind == "gue_receiver") {
    GueReceiver receiver;
    reader.ReadInteger("port", receiver.port, 1, kMaxU16);
    return receiver;
  }
  if (kind == "route") {
    Route route;
    reader.ReadWord("destination", route.destination, Prefix::Parse);
    reader.ReadWord("gateway", route.gateway, IpAddress::Parse);
    return route;
  }
  if (kind == "mark") {
    PacketMark mark;
    reader.ReadValue("traffic", mark.traffic, SocketKeyFromJson);
    reader.ReadInteger("mark", mark.mark, 1, kMaxU32);
    if (reader.Has("except_from")) reader.ReadList("except_from", mark.except_from, MacFromJson);
    return mark;
  }
  if (kind != "arp_filter") {
    errors.Add(path, "\"" + kind + "\" is no part of a path");
    return ArpFilter{};
  }
  ArpFilter filter;
  reader.ReadWord("address", filter.address, IpAddress::Parse);
  reader.ReadWord("sender", filter.sender, IpAddress::Parse);
  return filter;
}

MetricsListen MetricsFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  MetricsListen metrics;
  ObjectReader reader(json, path, errors);
  reader.Read("at", metrics.at);
  return metrics;
}

// Lists that came later are left out when they are empty: a document of before has none of them.
template <typename T, typename Encode>
void PutList(Json& json, const char* key, const std::vector<T>& list, const Encode& encode) {
  if (!list.empty()) json[key] = ListToJson(list, encode);
}

template <typename T, typename Decode>
void ReadLaterList(ObjectReader& reader, const char* key, std::vector<T>& list,
                   const Decode& decode) {
  if (reader.Has(key)) reader.ReadList(key, list, decode);
}

}  // namespace

Json DestinationToJson(const Destination& destination) {
  Json json = {{"address", destination.address.ToString()},
               {"port", destination.port},
               {"forward", ToString(destination.forward)},
               {"weight", destination.weight},
               {"upper_threshold", destination.upper_threshold},
               {"lower_threshold", destination.lower_threshold}};
  const Wrapping& tunnel = destination.tunnel;
  if (tunnel.kind != TunnelKind::kIpip) json["tunnel"] = ToString(tunnel.kind);
  if (tunnel.port != 0) json["tunnel_port"] = tunnel.port;
  if (tunnel.checksum != TunnelChecksum::kNone) json["tunnel_checksum"] = ToString(tunnel.checksum);
  return json;
}

Destination DestinationFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Destination destination;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("address", destination.address, IpAddress::Parse);
  reader.ReadInteger("port", destination.port, 0, kMaxU16);
  reader.ReadWord("forward", destination.forward, ParseForwarding);
  reader.ReadInteger("weight", destination.weight, 0, kMaxU32);
  reader.ReadInteger("upper_threshold", destination.upper_threshold, 0, kMaxU32);
  reader.ReadInteger("lower_threshold", destination.lower_threshold, 0, kMaxU32);
  Wrapping& tunnel = destination.tunnel;
  if (reader.Has("tunnel")) reader.ReadWord("tunnel", tunnel.kind, ParseTunnelKind);
  if (reader.Has("tunnel_port")) reader.ReadInteger("tunnel_port", tunnel.port, 1, kMaxU16);
  if (reader.Has("tunnel_checksum")) {
    reader.ReadWord("tunnel_checksum", tunnel.checksum, ParseTunnelChecksum);
  }
  return destination;
}

Json KeyToJson(const SocketKey& key) {
  return {{"transport", ToString(key.transport)},
          {"address", key.address.ToString()},
          {"port", key.port}};
}

SocketKey SocketKeyFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  SocketKey key;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("transport", key.transport, ParseTransport);
  reader.ReadWord("address", key.address, IpAddress::Parse);
  reader.ReadInteger("port", key.port, 0, kMaxU16);
  return key;
}

Json ServiceKeyToJson(const ServiceKey& key) {
  if (const auto* socket = std::get_if<SocketKey>(&key)) return KeyToJson(*socket);
  const auto& fwmark = std::get<FwmarkKey>(key);
  return {{"fwmark", fwmark.mark}, {"family", ToString(fwmark.family)}};
}

ServiceKey ServiceKeyFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  if (!json.is_object() || !json.contains("fwmark")) return SocketKeyFromJson(json, path, errors);
  FwmarkKey key;
  ObjectReader reader(json, path, errors);
  reader.ReadInteger("fwmark", key.mark, 1, kMaxU32);
  reader.ReadWord("family", key.family, ParseFamily);
  return key;
}

IpAddress IpAddressFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  const Result<IpAddress> address =
      json.is_string() ? IpAddress::Parse(json.get_ref<const std::string&>())
                       : Result<IpAddress>(Fail(ErrorCode::kInvalid, "must be a string"));
  if (address) return *address;
  errors.Add(path, address.error().message);
  return {};
}

Prefix PrefixFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  const Result<Prefix> prefix = json.is_string()
                                    ? Prefix::Parse(json.get_ref<const std::string&>())
                                    : Result<Prefix>(Fail(ErrorCode::kInvalid, "must be a string"));
  if (prefix) return *prefix;
  errors.Add(path, prefix.error().message);
  return {};
}

Json StateToJson(const DesiredState& state) {
  Json json = {
      {"addresses", Json::array()}, {"sysctls", Json::array()}, {"services", Json::array()}};
  for (const InterfaceAddress& address : state.addresses)
    json["addresses"].push_back(ToJson(address));
  for (const Sysctl& sysctl : state.sysctls) json["sysctls"].push_back(ToJson(sysctl));
  for (const VirtualService& service : state.services) json["services"].push_back(ToJson(service));
  PutList(json, "sync_daemons", state.sync_daemons, [](const auto& d) { return ToJson(d); });
  PutList(json, "path", state.path,
          [](const PathPart& part) { return std::visit(PathPartEncoder{}, part); });
  PutList(json, "vrrp_instances", state.vrrp_instances, InstanceToJson);
  PutList(json, "vrrp_groups", state.vrrp_groups, GroupToJson);
  PutList(json, "trackers", state.trackers, TrackerToJson);
  PutList(json, "watches", state.watches, WatchToJson);
  PutList(json, "metrics", state.metrics, [](const MetricsListen& metrics) {
    return Json{{"at", metrics.at}};
  });
  return json;
}

DesiredState ObservedStateFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  DesiredState state;
  ObjectReader reader(json, path, errors);
  reader.ReadList("addresses", state.addresses, AddressFromJson);
  reader.ReadList("sysctls", state.sysctls, SysctlFromJson);
  reader.ReadList("services", state.services, ServiceFromJson);
  ReadLaterList(reader, "sync_daemons", state.sync_daemons, SyncDaemonFromJson);
  ReadLaterList(reader, "path", state.path, PathPartFromJson);
  ReadLaterList(reader, "vrrp_instances", state.vrrp_instances, InstanceFromJson);
  ReadLaterList(reader, "vrrp_groups", state.vrrp_groups, GroupFromJson);
  ReadLaterList(reader, "trackers", state.trackers, TrackerFromJson);
  ReadLaterList(reader, "watches", state.watches, WatchFromJson);
  ReadLaterList(reader, "metrics", state.metrics, MetricsFromJson);
  return state;
}

DesiredState StateFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  DesiredState state = ObservedStateFromJson(json, path, errors);
  if (!errors.ok()) return state;
  if (const Status status = ValidateState(state); !status) errors.Add(path, status.error().message);
  return state;
}

std::string EncodeState(const DesiredState& state, int indent) {
  return Dump(StateToJson(state), indent);
}

Result<DesiredState> DecodeState(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  if (!json) return Fail(json.error());
  JsonErrors errors;
  DesiredState state = StateFromJson(*json, "", errors);
  if (!errors.ok()) return Fail(errors.error());
  return state;
}

}  // namespace drover
