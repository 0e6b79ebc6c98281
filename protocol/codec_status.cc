// NodeStatus <-> JSON.

#include "protocol/codec_parts.h"
#include "protocol/node_status.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxI53 = std::int64_t{1} << 53;
constexpr double kPartsPerMillion = 1e6;

Json ToJson(const InstanceStatus& status) {
  Json json = {{"name", status.name},
               {"interface", status.interface},
               {"vrid", status.vrid},
               {"version", status.version},
               {"state", status.state},
               {"reason", status.reason},
               {"group", status.group},
               {"priority", status.priority},
               {"base_priority", status.base_priority},
               {"in_state_for_ms", status.in_state_for.count()},
               {"master_down_ms", status.master_down.count()},
               {"yielded", status.yielded},
               {"awaits_sync", status.awaits_sync},
               {"preempts", status.preempts},
               {"two_phase", status.two_phase},
               {"addresses", ListToJson(status.addresses,
                                        [](const Prefix& prefix) { return prefix.ToString(); })},
               {"peer_checksum", status.peer_checksum},
               {"counters", status.counters}};
  if (status.master) json["master"] = status.master->ToString();
  if (status.last_heard) json["last_heard_ms"] = status.last_heard->count();
  return json;
}

std::map<std::string, std::uint64_t> CountersFromJson(const Json& json, const std::string& path,
                                                      JsonErrors& errors) {
  std::map<std::string, std::uint64_t> counters;
  ObjectReader reader(json, path, errors);
  if (!json.is_object()) return counters;
  for (const auto& entry : json.items()) {
    reader.ReadInteger(entry.key(), counters[entry.key()], 0, kMaxI53);
  }
  return counters;
}

InstanceStatus InstanceStatusFromJson(const Json& json, const std::string& path,
                                      JsonErrors& errors) {
  InstanceStatus status;
  ObjectReader reader(json, path, errors);
  reader.Read("name", status.name);
  reader.Read("interface", status.interface);
  reader.ReadInteger("vrid", status.vrid, 0, kMaxU8);
  reader.ReadInteger("version", status.version, 0, kMaxU8);
  reader.Read("state", status.state);
  reader.Read("reason", status.reason);
  reader.Read("group", status.group);
  reader.ReadInteger("priority", status.priority, 0, kMaxU8);
  reader.ReadInteger("base_priority", status.base_priority, 0, kMaxU8);
  if (reader.Has("master")) reader.ReadWord("master", status.master.emplace(), IpAddress::Parse);
  reader.ReadDuration("in_state_for_ms", status.in_state_for);
  if (reader.Has("last_heard_ms")) {
    reader.ReadDuration("last_heard_ms", status.last_heard.emplace());
  }
  reader.ReadDuration("master_down_ms", status.master_down);
  reader.Read("yielded", status.yielded);
  reader.Read("awaits_sync", status.awaits_sync);
  // The first helpers did not tell it; then the instance's state is all there is to go by.
  if (reader.Has("preempts")) reader.Read("preempts", status.preempts);
  reader.Read("two_phase", status.two_phase);
  reader.ReadList("addresses", status.addresses, PrefixFromJson);
  reader.Read("peer_checksum", status.peer_checksum);
  reader.ReadValue("counters", status.counters, CountersFromJson);
  return status;
}

Json ToJson(const CheckStatus& status) {
  return {{"kind", status.kind},
          {"up", status.up},
          {"decided", status.decided},
          {"reason", status.reason},
          {"latency_us", status.latency.count()}};
}

CheckStatus CheckStatusFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  CheckStatus status;
  ObjectReader reader(json, path, errors);
  reader.Read("kind", status.kind);
  reader.Read("up", status.up);
  reader.Read("decided", status.decided);
  reader.Read("reason", status.reason);
  reader.ReadDuration("latency_us", status.latency);
  return status;
}

Json ToJson(const ServerStatus& status) {
  Json json = {
      {"address", status.endpoint.address.ToString()},
      {"port", status.endpoint.port},
      {"forward", ToString(status.forward)},
      {"up", status.up},
      {"wanted", status.wanted},
      {"weight", status.weight},
      {"in_table", status.in_table},
      {"active", status.active},
      {"inactive", status.inactive},
      {"checks", ListToJson(status.checks, [](const auto& check) { return ToJson(check); })}};
  if (status.templates > 0) json["templates"] = status.templates;
  if (status.drained) json["drained"] = MaintenanceToJson(*status.drained);
  return json;
}

ServerStatus ServerStatusFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ServerStatus status;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("address", status.endpoint.address, IpAddress::Parse);
  reader.ReadInteger("port", status.endpoint.port, 0, kMaxU16);
  reader.ReadWord("forward", status.forward, ParseForwarding);
  reader.Read("up", status.up);
  reader.ReadInteger("wanted", status.wanted, 0, kMaxU32);
  reader.ReadInteger("weight", status.weight, 0, kMaxU32);
  reader.Read("in_table", status.in_table);
  reader.ReadInteger("active", status.active, 0, kMaxU32);
  reader.ReadInteger("inactive", status.inactive, 0, kMaxU32);
  if (reader.Has("templates")) reader.ReadInteger("templates", status.templates, 0, kMaxU32);
  if (reader.Has("drained")) {
    reader.ReadValue("drained", status.drained.emplace(), MaintenanceFromJson);
  }
  reader.ReadList("checks", status.checks, CheckStatusFromJson);
  return status;
}

Json ToJson(const ServiceStatus& status) {
  return {{"service", ServiceKeyToJson(status.service)},
          {"scheduler", status.scheduler},
          {"watched", status.watched},
          {"has_quorum", status.has_quorum},
          {"sorry", status.sorry},
          {"connections", status.connections},
          {"servers", ListToJson(status.servers, [](const auto& s) { return ToJson(s); })}};
}

ServiceStatus ServiceStatusFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ServiceStatus status;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("service", status.service, ServiceKeyFromJson);
  reader.Read("scheduler", status.scheduler);
  reader.Read("watched", status.watched);
  reader.Read("has_quorum", status.has_quorum);
  reader.Read("sorry", status.sorry);
  reader.ReadInteger("connections", status.connections, 0, kMaxI53);
  reader.ReadList("servers", status.servers, ServerStatusFromJson);
  return status;
}

Json ToJson(const TrackerStatus& status) {
  return {{"name", status.name},
          {"up", status.up},
          {"decided", status.decided},
          {"reason", status.reason}};
}

TrackerStatus TrackerStatusFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  TrackerStatus status;
  ObjectReader reader(json, path, errors);
  reader.Read("name", status.name);
  reader.Read("up", status.up);
  reader.Read("decided", status.decided);
  reader.Read("reason", status.reason);
  return status;
}

// The share travels in parts per million: JSON readers disagree about fractions.
Json ToJson(const SyncPeerStatus& status) {
  return {{"peer", status.peer},
          {"connections", status.connections},
          {"held_ppm", static_cast<std::int64_t>(status.held * kPartsPerMillion)},
          {"age_ms", status.age.count()}};
}

SyncPeerStatus SyncPeerFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  SyncPeerStatus status;
  std::int64_t held = 0;
  ObjectReader reader(json, path, errors);
  reader.Read("peer", status.peer);
  reader.ReadInteger("connections", status.connections, 0, kMaxI53);
  reader.ReadInteger("held_ppm", held, 0, static_cast<std::int64_t>(kPartsPerMillion));
  reader.ReadDuration("age_ms", status.age);
  status.held = static_cast<double>(held) / kPartsPerMillion;
  return status;
}

Json ToJson(const SyncStatus& status) {
  return {{"roles", status.roles},
          {"connections", status.connections},
          {"peers", ListToJson(status.peers, [](const auto& peer) { return ToJson(peer); })}};
}

SyncStatus SyncStatusFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  SyncStatus status;
  ObjectReader reader(json, path, errors);
  reader.Read("roles", status.roles);
  reader.ReadInteger("connections", status.connections, 0, kMaxI53);
  reader.ReadList("peers", status.peers, SyncPeerFromJson);
  return status;
}

Json ToJson(const LoggedEvent& event) {
  return {{"wall_us", event.wall_us},
          {"monotonic_us", event.monotonic_us},
          {"kind", event.kind},
          {"subject", event.subject},
          {"text", event.text}};
}

LoggedEvent LoggedEventFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  LoggedEvent event;
  ObjectReader reader(json, path, errors);
  reader.ReadInteger("wall_us", event.wall_us, -kMaxI53, kMaxI53);
  reader.ReadInteger("monotonic_us", event.monotonic_us, 0, kMaxI53);
  reader.Read("kind", event.kind);
  reader.Read("subject", event.subject);
  reader.Read("text", event.text);
  return event;
}

}  // namespace

Json NodeStatusToJson(const NodeStatus& status) {
  Json json = {{"host", status.host},
               {"version", status.version},
               {"pid", status.pid},
               {"running_for_ms", status.running_for.count()},
               {"repairs", status.repairs},
               {"problems", status.problems},
               {"instances", ListToJson(status.instances, [](const auto& i) { return ToJson(i); })},
               {"services", ListToJson(status.services, [](const auto& s) { return ToJson(s); })},
               {"trackers", ListToJson(status.trackers, [](const auto& t) { return ToJson(t); })},
               {"events", ListToJson(status.events, [](const auto& e) { return ToJson(e); })}};
  if (status.sync) json["sync"] = ToJson(*status.sync);
  if (!status.maintenance.empty()) {
    json["maintenance"] = ListToJson(status.maintenance, MaintenanceToJson);
  }
  if (status.holder) json["holder"] = LockHolderToJson(*status.holder);
  return json;
}

NodeStatus NodeStatusFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  NodeStatus status;
  ObjectReader reader(json, path, errors);
  reader.Read("host", status.host);
  reader.Read("version", status.version);
  reader.ReadInteger("pid", status.pid, 0, kMaxU32);
  reader.ReadDuration("running_for_ms", status.running_for);
  reader.ReadInteger("repairs", status.repairs, 0, kMaxI53);
  reader.Read("problems", status.problems);
  reader.ReadList("instances", status.instances, InstanceStatusFromJson);
  reader.ReadList("services", status.services, ServiceStatusFromJson);
  reader.ReadList("trackers", status.trackers, TrackerStatusFromJson);
  if (reader.Has("sync")) reader.ReadValue("sync", status.sync.emplace(), SyncStatusFromJson);
  if (reader.Has("maintenance")) {
    reader.ReadList("maintenance", status.maintenance, MaintenanceFromJson);
  }
  if (reader.Has("holder")) {
    reader.ReadValue("holder", status.holder.emplace(), LockHolderFromJson);
  }
  reader.ReadList("events", status.events, LoggedEventFromJson);
  return status;
}

std::string EncodeNodeStatus(const NodeStatus& status, int indent) {
  return Dump(NodeStatusToJson(status), indent);
}

Result<NodeStatus> DecodeNodeStatus(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  if (!json) return Fail(json.error());
  JsonErrors errors;
  NodeStatus status = NodeStatusFromJson(*json, "", errors);
  if (!errors.ok()) return Fail(errors.error());
  return status;
}

}  // namespace drover
