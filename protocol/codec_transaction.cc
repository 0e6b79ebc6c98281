// The parts of a run's transaction <-> JSON: who runs, who holds a lock, what a node keeps.

#include "protocol/codec_parts.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxSeconds = std::int64_t{1} << 53;  // exact in every JSON reader

Json GenerationToJson(const GenerationInfo& info) {
  return {{"number", info.number},
          {"saved_at", info.saved_at},
          {"run", RunToJson(info.run)},
          {"current", info.current}};
}

GenerationInfo GenerationFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  GenerationInfo info;
  ObjectReader reader(json, path, errors);
  reader.ReadInteger("number", info.number, 0, kMaxGeneration);
  reader.ReadInteger("saved_at", info.saved_at, 0, kMaxSeconds);
  reader.ReadValue("run", info.run, RunFromJson);
  reader.Read("current", info.current);
  return info;
}

}  // namespace

Json RunToJson(const RunInfo& run) {
  return {{"run_id", run.run_id},
          {"owner", run.owner},
          {"playbook", run.playbook},
          {"playbook_hash", run.playbook_hash},
          {"user", run.user},
          {"control_host", run.control_host},
          {"pid", run.pid},
          {"command", run.command},
          {"generation", run.generation}};
}

RunInfo RunFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  RunInfo run;
  ObjectReader reader(json, path, errors);
  reader.Read("run_id", run.run_id);
  reader.Read("owner", run.owner);
  reader.Read("playbook", run.playbook);
  reader.Read("playbook_hash", run.playbook_hash);
  reader.Read("user", run.user);
  reader.Read("control_host", run.control_host);
  reader.ReadInteger("pid", run.pid, 0, kMaxU32);
  // Records of earlier versions have no word about these.
  if (reader.Has("command")) reader.Read("command", run.command);
  if (reader.Has("generation")) reader.ReadInteger("generation", run.generation, 0, kMaxGeneration);
  return run;
}

Json MaintenanceToJson(const Maintenance& maintenance) {
  return {{"host", maintenance.host},
          {"addresses", ListToJson(maintenance.addresses,
                                   [](const IpAddress& address) { return address.ToString(); })},
          {"reason", maintenance.reason},
          {"user", maintenance.user},
          {"control_host", maintenance.control_host},
          {"since", maintenance.since}};
}

Maintenance MaintenanceFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Maintenance maintenance;
  ObjectReader reader(json, path, errors);
  reader.Read("host", maintenance.host);
  reader.ReadList("addresses", maintenance.addresses, IpAddressFromJson);
  reader.Read("reason", maintenance.reason);
  reader.Read("user", maintenance.user);
  reader.Read("control_host", maintenance.control_host);
  reader.ReadInteger("since", maintenance.since, 0, kMaxSeconds);
  return maintenance;
}

Json LockHolderToJson(const LockHolder& holder) {
  return {{"run", RunToJson(holder.run)},
          {"since", holder.since},
          {"expires_in_ms", holder.expires_in.count()},
          {"armed", holder.armed}};
}

LockHolder LockHolderFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  LockHolder holder;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("run", holder.run, RunFromJson);
  reader.ReadInteger("since", holder.since, 0, kMaxSeconds);
  reader.ReadDuration("expires_in_ms", holder.expires_in);
  reader.Read("armed", holder.armed);
  return holder;
}

Json GroundToJson(const NodeGround& ground) {
  Json json = {
      {"kind", "ground"},      {"generation", ground.generation},   {"digest", ground.digest},
      {"armed", ground.armed}, {"adopted_run", ground.adopted_run}, {"masters", ground.masters}};
  if (ground.holder) json["holder"] = LockHolderToJson(*ground.holder);
  return json;
}

NodeGround ReadGround(ObjectReader& reader) {
  NodeGround ground;
  reader.ReadInteger("generation", ground.generation, 0, kMaxGeneration);
  reader.Read("digest", ground.digest);
  reader.Read("armed", ground.armed);
  reader.Read("adopted_run", ground.adopted_run);
  reader.Read("masters", ground.masters);
  if (reader.Has("holder")) {
    reader.ReadValue("holder", ground.holder.emplace(), LockHolderFromJson);
  }
  return ground;
}

Json GenerationsToJson(const GenerationList& list) {
  Json json = {{"kind", "generations"},
               {"generations", ListToJson(list.generations, GenerationToJson)}};
  if (list.holder) json["holder"] = LockHolderToJson(*list.holder);
  return json;
}

GenerationList ReadGenerations(ObjectReader& reader) {
  GenerationList list;
  reader.ReadList("generations", list.generations, GenerationFromJson);
  if (reader.Has("holder")) {
    reader.ReadValue("holder", list.holder.emplace(), LockHolderFromJson);
  }
  return list;
}

}  // namespace drover
