// Drills <-> JSON: what is injected and undone on nodes, and what the prober saw meanwhile.

#include <algorithm>

#include "protocol/codec_parts.h"
#include "protocol/mac_text.h"

namespace drover {
namespace {

constexpr std::size_t kMaxDrillId = 64;
constexpr std::int64_t kMinFaultMs = 100;
constexpr std::int64_t kMaxFaultMs = 3600000;
constexpr std::int64_t kMinDrillLeaseMs = 500;
constexpr std::int64_t kMaxDrillLeaseMs = 600000;
constexpr std::int64_t kMaxJumpSeconds = std::int64_t{400} * 24 * 3600;
constexpr std::int64_t kMillion = 1000000;
constexpr std::int64_t kMaxTime = std::int64_t{1} << 53;  // exact in every JSON reader
constexpr std::int64_t kMaxPopulationOnWire = 10000;
constexpr std::int64_t kMaxCount = kMaxTime;

Result<std::string> ParseDrillId(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= kMaxDrillId &&
                    std::all_of(text.begin(), text.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                    });
  if (!fits) return Fail(ErrorCode::kInvalid, "an id is 1 to 64 of a-z, 0-9 and -");
  return std::string(text);
}

Result<std::string> ParseBytes(std::string_view text) { return DecodeBase64(text); }

Json VipsToJson(const std::vector<IpAddress>& vips) {
  return ListToJson(vips, [](const IpAddress& vip) { return vip.ToString(); });
}

Json OrderToJson(const FaultOrder& order) {
  return {{"drill_id", order.drill_id},
          {"fault", ToString(order.fault)},
          {"duration_ms", order.duration.count()},
          {"interfaces", order.interfaces},
          {"instances", order.instances},
          {"vips", VipsToJson(order.vips)},
          {"services", ListToJson(order.services, KeyToJson)},
          {"unit", order.unit},
          {"loss_ppm", order.loss_ppm},
          {"delay_ms", order.delay.count()},
          {"jump_s", order.jump.count()},
          {"may_cut_ssh", order.may_cut_ssh}};
}

FaultOrder OrderFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  FaultOrder order;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("drill_id", order.drill_id, ParseDrillId);
  reader.ReadWord("fault", order.fault, ParseFault);
  std::int64_t duration = 0;
  reader.ReadInteger("duration_ms", duration, kMinFaultMs, kMaxFaultMs);
  order.duration = std::chrono::milliseconds(duration);
  reader.Read("interfaces", order.interfaces);
  reader.Read("instances", order.instances);
  reader.ReadList("vips", order.vips, IpAddressFromJson);
  reader.ReadList("services", order.services, SocketKeyFromJson);
  reader.Read("unit", order.unit);
  reader.ReadInteger("loss_ppm", order.loss_ppm, 0, kMillion);
  std::int64_t delay = 0;
  reader.ReadInteger("delay_ms", delay, 0, kMaxFaultMs);
  order.delay = std::chrono::milliseconds(delay);
  std::int64_t jump = 0;
  reader.ReadInteger("jump_s", jump, -kMaxJumpSeconds, kMaxJumpSeconds);
  order.jump = std::chrono::seconds(jump);
  reader.Read("may_cut_ssh", order.may_cut_ssh);
  return order;
}

SnapshotSection SectionFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  SnapshotSection section;
  ObjectReader reader(json, path, errors);
  reader.Read("name", section.name);
  reader.Read("lines", section.lines);
  return section;
}

Json SeriesToJson(const ProbeRunSeries& series) {
  Json json = {{"name", series.name},
               {"kind", ToString(series.kind)},
               {"target", series.target.ToString()},
               {"period_us", series.period.count()},
               {"deadline_us", series.deadline.count()},
               {"give_up_us", series.give_up.count()},
               {"connections", series.connections},
               {"path", series.path}};
  if (series.source) json["source"] = series.source->ToString();
  return json;
}

ProbeRunSeries SeriesFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ProbeRunSeries series;
  ObjectReader reader(json, path, errors);
  reader.Read("name", series.name);
  reader.ReadWord("kind", series.kind, ParseProbeKind);
  reader.ReadWord("target", series.target, Endpoint::Parse);
  reader.ReadDuration("period_us", series.period);
  reader.ReadDuration("deadline_us", series.deadline);
  reader.ReadDuration("give_up_us", series.give_up);
  reader.ReadInteger("connections", series.connections, 1, kMaxPopulationOnWire);
  reader.Read("path", series.path);
  if (reader.Has("source")) {
    reader.ReadValue("source", series.source.emplace(), IpAddressFromJson);
  }
  return series;
}

std::array<std::uint64_t, 6> FatesFromJson(const Json& json, const std::string& path,
                                           JsonErrors& errors) {
  std::array<std::uint64_t, 6> fates{};
  if (!json.is_array() || json.size() != fates.size()) {
    errors.Add(path, "must be six numbers");
    return fates;
  }
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (!json[i].is_number_unsigned()) {
      errors.Add(path, "must be six numbers");
      return fates;
    }
    fates.at(i) = json[i].get<std::uint64_t>();
  }
  return fates;
}

}  // namespace

Json LagToJson(const SeriesLag& lag) {
  return {{"series", lag.series},      {"planned", lag.planned},    {"unsent", lag.unsent},
          {"p50_us", lag.p50.count()}, {"p99_us", lag.p99.count()}, {"max_us", lag.max.count()}};
}

SeriesLag LagFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  SeriesLag lag;
  ObjectReader reader(json, path, errors);
  reader.Read("series", lag.series);
  reader.ReadInteger("planned", lag.planned, 0, kMaxCount);
  reader.ReadInteger("unsent", lag.unsent, 0, kMaxCount);
  reader.ReadDuration("p50_us", lag.p50);
  reader.ReadDuration("max_us", lag.max);
  std::int64_t p99 = 0;
  reader.ReadInteger("p99_us", p99, 0, ProbeTime::max().count());
  lag.p99 = ProbeTime(p99);
  return lag;
}

MacAddress MacFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  const auto mac = ParseMac(json.is_string() ? json.get<std::string>() : std::string());
  if (mac) return *mac;
  errors.Add(path, mac.error().message);
  return {};
}

Json SnapshotToJson(const NodeSnapshot& snapshot) {
  return ListToJson(snapshot.sections, [](const SnapshotSection& section) {
    return Json{{"name", section.name}, {"lines", section.lines}};
  });
}

NodeSnapshot SnapshotFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  NodeSnapshot snapshot;
  if (!json.is_array()) errors.Add(path, "must be a list");
  for (std::size_t i = 0; i < json.size() && errors.ok(); ++i) {
    snapshot.sections.push_back(
        SectionFromJson(json[i], path + "[" + std::to_string(i) + "]", errors));
  }
  return snapshot;
}

Json DrillActionToJson(const DrillLookTask& task) {
  Json json = {{"kind", "drill_look"}};
  if (task.order) json["order"] = OrderToJson(*task.order);
  return json;
}

Json DrillActionToJson(const DrillArmTask& task) {
  return {
      {"kind", "drill_arm"}, {"order", OrderToJson(task.order)}, {"lease_ms", task.lease.count()}};
}

Json DrillActionToJson(const DrillInjectTask& task) {
  Json json = {{"kind", "drill_inject"}, {"drill_id", task.drill_id}};
  if (task.marker) json["marker"] = task.marker->ToString();
  return json;
}

Json DrillActionToJson(const DrillUndoTask& task) {
  return {{"kind", "drill_undo"}, {"drill_id", task.drill_id}};
}

Json DrillActionToJson(const ProbeRunTask& task) {
  Json json = {{"kind", "probe_run"},
               {"prober", task.prober},
               {"series", ListToJson(task.series, SeriesToJson)},
               {"duration_ms", task.duration.count()},
               {"vips", VipsToJson(task.vips)},
               {"owner_period_ms", task.owner_period.count()},
               {"capture", task.capture}};
  if (task.markers) json["markers"] = task.markers->ToString();
  return json;
}

DrillLookTask ReadDrillLook(ObjectReader& reader) {
  DrillLookTask task;
  if (reader.Has("order")) reader.ReadValue("order", task.order.emplace(), OrderFromJson);
  return task;
}

DrillArmTask ReadDrillArm(ObjectReader& reader) {
  DrillArmTask task;
  reader.ReadValue("order", task.order, OrderFromJson);
  std::int64_t lease = 0;
  reader.ReadInteger("lease_ms", lease, kMinDrillLeaseMs, kMaxDrillLeaseMs);
  task.lease = std::chrono::milliseconds(lease);
  return task;
}

DrillInjectTask ReadDrillInject(ObjectReader& reader) {
  DrillInjectTask task;
  reader.ReadWord("drill_id", task.drill_id, ParseDrillId);
  if (reader.Has("marker")) reader.ReadWord("marker", task.marker.emplace(), Endpoint::Parse);
  return task;
}

DrillUndoTask ReadDrillUndo(ObjectReader& reader) {
  DrillUndoTask task;
  reader.ReadWord("drill_id", task.drill_id, ParseDrillId);
  return task;
}

ProbeRunTask ReadProbeRun(ObjectReader& reader) {
  ProbeRunTask task;
  reader.Read("prober", task.prober);
  reader.ReadList("series", task.series, SeriesFromJson);
  reader.ReadDuration("duration_ms", task.duration);
  reader.ReadList("vips", task.vips, IpAddressFromJson);
  std::int64_t period = 0;
  reader.ReadInteger("owner_period_ms", period, 1, kMaxFaultMs);
  task.owner_period = std::chrono::milliseconds(period);
  reader.Read("capture", task.capture);
  if (reader.Has("markers")) reader.ReadWord("markers", task.markers.emplace(), Endpoint::Parse);
  return task;
}

Json DrillGroundToJson(const DrillGround& ground) {
  return {{"kind", "drill_ground"},        {"snapshot", SnapshotToJson(ground.snapshot)},
          {"obstacles", ground.obstacles}, {"guards", ground.guards},
          {"no_drill", ground.no_drill},   {"leftovers", ground.leftovers},
          {"clock_us", ground.clock_us}};
}

DrillGround ReadDrillGround(ObjectReader& reader) {
  DrillGround ground;
  reader.ReadValue("snapshot", ground.snapshot, SnapshotFromJson);
  reader.Read("obstacles", ground.obstacles);
  reader.Read("guards", ground.guards);
  reader.Read("no_drill", ground.no_drill);
  reader.Read("leftovers", ground.leftovers);
  reader.ReadInteger("clock_us", ground.clock_us, 0, kMaxTime);
  return ground;
}

Json DrillStateToJson(const DrillState& state) {
  return {{"kind", "drill_state"},
          {"drill_id", state.drill_id},
          {"guards", state.guards},
          {"injected", state.injected},
          {"undone", state.undone},
          {"undone_by", state.undone_by},
          {"injected_us", state.injected_us},
          {"undone_us", state.undone_us},
          {"residue", state.residue}};
}

DrillState ReadDrillState(ObjectReader& reader) {
  DrillState state;
  reader.ReadWord("drill_id", state.drill_id, ParseDrillId);
  reader.Read("guards", state.guards);
  reader.Read("injected", state.injected);
  reader.Read("undone", state.undone);
  reader.Read("undone_by", state.undone_by);
  reader.ReadInteger("injected_us", state.injected_us, 0, kMaxTime);
  reader.ReadInteger("undone_us", state.undone_us, 0, kMaxTime);
  reader.Read("residue", state.residue);
  return state;
}

Json ProbeRunOutcomeToJson(const ProbeRunOutcome& outcome) {
  return {{"kind", "probe_run"},
          {"log", EncodeBase64(outcome.log)},
          {"capture", EncodeBase64(outcome.capture)},
          {"lag", ListToJson(outcome.lag, LagToJson)},
          {"void_reason", outcome.void_reason}};
}

ProbeRunOutcome ReadProbeRunOutcome(ObjectReader& reader) {
  ProbeRunOutcome outcome;
  reader.ReadWord("log", outcome.log, ParseBytes);
  reader.ReadWord("capture", outcome.capture, ParseBytes);
  reader.ReadList("lag", outcome.lag, LagFromJson);
  reader.Read("void_reason", outcome.void_reason);
  return outcome;
}

Json ProbeProgressToJson(const ProbeProgress& progress) {
  return {{"at_us", progress.at.count()},
          {"fates", progress.fates},
          {"owners", ListToJson(progress.owners, MacText)}};
}

ProbeProgress ProbeProgressFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ProbeProgress progress;
  ObjectReader reader(json, path, errors);
  reader.ReadDuration("at_us", progress.at);
  reader.ReadList("fates", progress.fates, FatesFromJson);
  reader.ReadList("owners", progress.owners, MacFromJson);
  return progress;
}

}  // namespace drover
