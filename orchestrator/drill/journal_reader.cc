// JSON -> DrillJournal, strict: every key is there, every word is known, every number has its
// limits.

#include <cmath>

#include "orchestrator/drill/journal.h"
#include "protocol/codec_parts.h"
#include "protocol/words.h"

namespace drover {
namespace {

constexpr std::int64_t kMaxMs = std::int64_t{1} << 53;  // exact in every JSON reader
constexpr std::int64_t kMaxUs = kMaxMs;
constexpr std::int64_t kMaxSyncWords = 1'000'000;

double NumberFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  if (json.is_number()) return json.get<double>();
  errors.Add(path, "must be a number");
  return 0;
}

std::optional<ProbeTime> TimeFromJson(const Json& json, const std::string& path,
                                      JsonErrors& errors) {
  if (json.is_null()) return std::nullopt;
  const bool fits = json.is_number_integer() && json.get<std::int64_t>() >= -kMaxUs &&
                    json.get<std::int64_t>() <= kMaxUs;
  if (fits) return ProbeTime(json.get<std::int64_t>());
  errors.Add(path, "must be a time in microseconds, or null");
  return std::nullopt;
}

void ReadTime(ObjectReader& reader, std::string_view key, ProbeTime& out) {
  std::int64_t time = 0;
  reader.ReadInteger(key, time, -kMaxUs, kMaxUs);
  out = ProbeTime(time);
}

Result<Quantity> ParseQuantity(std::string_view word) {
  return ParseOneOf(
      word,
      {Quantity::kOutage, Quantity::kBadProbes, Quantity::kFailedConnections, Quantity::kResets,
       Quantity::kSurvival, Quantity::kConnectStall, Quantity::kEstablishedStall,
       Quantity::kDoubleOwner, Quantity::kTakeovers, Quantity::kDetection, Quantity::kRepair,
       Quantity::kQuiesce, Quantity::kReturn, Quantity::kHandover, Quantity::kRedundancy},
      "quantity");
}

Result<Fit> ParseFit(std::string_view word) {
  return ParseOneOf(word, {Fit::kWithin, Fit::kAbove, Fit::kBelow, Fit::kUnmeasured}, "fit");
}

FaultSettings SettingsFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  FaultSettings settings;
  ObjectReader reader(json, path, errors);
  reader.ReadDuration("duration_ms", settings.duration);
  reader.ReadValue("loss", settings.loss, NumberFromJson);
  reader.ReadDuration("delay_ms", settings.delay);
  reader.Read("health_page_too", settings.health_page_too);
  reader.ReadDuration("boot_budget_ms", settings.boot_budget);
  return settings;
}

SyncFacts SyncFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  SyncFacts sync;
  ObjectReader reader(json, path, errors);
  reader.Read("running", sync.running);
  reader.ReadInteger("threshold", sync.threshold, 0, kMaxSyncWords);
  reader.ReadInteger("period", sync.period, 0, kMaxSyncWords);
  reader.ReadDuration("refresh_s", sync.refresh);
  reader.Read("stateless", sync.stateless);
  return sync;
}

ClusterFacts ClusterFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ClusterFacts cluster;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("master", cluster.master, InstanceFromJson);
  reader.ReadList("backups", cluster.backups, InstanceFromJson);
  reader.ReadValue("sync", cluster.sync, SyncFromJson);
  reader.ReadList("checks", cluster.checks, CheckFromJson);
  reader.ReadInteger("real_servers", cluster.real_servers, 0, kMaxU32);
  return cluster;
}

ProbeFacts ProbesFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  ProbeFacts probes;
  ObjectReader reader(json, path, errors);
  reader.ReadDuration("path_period_us", probes.path_period);
  reader.ReadValue("connections_per_second", probes.connections_per_second, NumberFromJson);
  reader.ReadInteger("long_lived", probes.long_lived, 0, kMaxU32);
  return probes;
}

Envelope EnvelopeFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Envelope envelope;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("quantity", envelope.quantity, ParseQuantity);
  reader.ReadValue("least", envelope.least, NumberFromJson);
  if (reader.Has("most")) reader.ReadValue("most", envelope.most.emplace(), NumberFromJson);
  reader.Read("least_is_law", envelope.least_is_law);
  reader.Read("formula", envelope.formula);
  reader.Read("worked", envelope.worked);
  return envelope;
}

Prediction PredictionFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Prediction prediction;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("fault", prediction.fault, ParseFault);
  reader.ReadList("envelopes", prediction.envelopes, EnvelopeFromJson);
  reader.Read("notes", prediction.notes);
  return prediction;
}

Gate GateFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Gate gate;
  ObjectReader reader(json, path, errors);
  reader.Read("name", gate.name);
  reader.Read("green", gate.green);
  reader.Read("text", gate.text);
  reader.Read("forced", gate.forced);
  return gate;
}

DrillMoment MomentFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  DrillMoment moment;
  ObjectReader reader(json, path, errors);
  ReadTime(reader, "at_us", moment.at);
  reader.Read("host", moment.host);
  reader.Read("what", moment.what);
  reader.Read("kind", moment.kind);
  reader.Read("subject", moment.subject);
  return moment;
}

RedundancySample SampleFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  RedundancySample sample;
  ObjectReader reader(json, path, errors);
  ReadTime(reader, "at_us", sample.at);
  reader.Read("directors_healthy", sample.directors_healthy);
  reader.Read("synced", sample.synced);
  reader.Read("gate_green", sample.gate_green);
  return sample;
}

Measurement MeasurementFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Measurement measurement;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("quantity", measurement.quantity, ParseQuantity);
  reader.ReadValue("value", measurement.value, NumberFromJson);
  reader.ReadValue("uncertainty", measurement.uncertainty, NumberFromJson);
  reader.Read("at_least", measurement.at_least);
  return measurement;
}

DrillFacts FactsFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  DrillFacts facts;
  ObjectReader reader(json, path, errors);
  reader.Read("gates", facts.gates);
  reader.Read("voids", facts.voids);
  reader.Read("control_probe_clean", facts.control_probe_clean);
  if (reader.Has("aborted")) reader.Read("aborted", facts.aborted.emplace());
  reader.Read("snapshots_compared", facts.snapshots_compared);
  reader.Read("residue", facts.residue);
  return facts;
}

Comparison ComparisonFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Comparison line;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("predicted", line.predicted, EnvelopeFromJson);
  if (reader.Has("measured")) {
    reader.ReadValue("measured", line.measured.emplace(), MeasurementFromJson);
  }
  reader.ReadWord("fit", line.fit, ParseFit);
  return line;
}

DrillVerdict VerdictFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  DrillVerdict verdict;
  ObjectReader reader(json, path, errors);
  reader.ReadWord("kind", verdict.kind, ParseVerdictKind);
  reader.Read("reasons", verdict.reasons);
  reader.ReadList("comparisons", verdict.comparisons, ComparisonFromJson);
  return verdict;
}

std::map<std::string, MacAddress> MacsFromJson(const Json& json, const std::string& path,
                                               JsonErrors& errors) {
  std::map<std::string, MacAddress> macs;
  if (!json.is_object()) errors.Add(path, "must be an object");
  if (!errors.ok()) return macs;
  for (const auto& [host, mac] : json.items()) {
    macs[host] = MacFromJson(mac, path + "." + host, errors);
  }
  return macs;
}

SnapshotPair PairFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  SnapshotPair pair;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("before", pair.before, SnapshotFromJson);
  if (reader.Has("after")) reader.ReadValue("after", pair.after.emplace(), SnapshotFromJson);
  return pair;
}

void ReadWho(ObjectReader& reader, DrillJournal& journal) {
  reader.Read("playbook", journal.playbook);
  reader.Read("inventory", journal.inventory);
  reader.Read("user", journal.user);
  reader.Read("control_host", journal.control_host);
  reader.Read("trigger", journal.trigger);
  reader.Read("target", journal.target);
  reader.Read("peer", journal.peer);
  reader.Read("prober", journal.prober);
  reader.Read("instance", journal.instance);
  reader.Read("nodes", journal.nodes);
  reader.Read("service", journal.service);
  reader.ReadWord("vip", journal.vip, IpAddress::Parse);
}

void ReadCourse(ObjectReader& reader, DrillJournal& journal) {
  reader.ReadInteger("started_us", journal.started_us, 0, kMaxUs);
  reader.ReadInteger("finished_us", journal.finished_us, 0, kMaxUs);
  reader.ReadValue("cluster", journal.cluster, ClusterFromJson);
  reader.ReadValue("probes", journal.probes, ProbesFromJson);
  reader.ReadValue("prediction", journal.prediction, PredictionFromJson);
  reader.ReadList("gates", journal.gates, GateFromJson);
  reader.ReadList("moments", journal.moments, MomentFromJson);
  reader.ReadValue("injected_us", journal.injected, TimeFromJson);
  reader.ReadValue("undone_us", journal.undone, TimeFromJson);
  reader.Read("undone_by", journal.undone_by);
  reader.ReadValue("macs", journal.macs, MacsFromJson);
  reader.ReadList("redundancy", journal.redundancy, SampleFromJson);
  reader.ReadList("lag", journal.lag, LagFromJson);
  reader.ReadList("measured", journal.measured, MeasurementFromJson);
  reader.ReadValue("facts", journal.facts, FactsFromJson);
  reader.ReadValue("verdict", journal.verdict, VerdictFromJson);
}

}  // namespace

Result<DrillJournal> DecodeJournal(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  if (!json) return Fail(json.error().In("journal"));
  DrillJournal journal;
  JsonErrors errors;
  {
    ObjectReader reader(*json, "", errors);
    reader.ReadInteger("version", journal.version, kJournalVersion, kJournalVersion);
    reader.Read("drover_version", journal.drover_version);
    reader.Read("id", journal.id);
    reader.ReadWord("phase", journal.phase, ParseDrillPhase);
    reader.ReadValue("settings", journal.settings, SettingsFromJson);
    ReadWho(reader, journal);
    ReadCourse(reader, journal);
  }
  if (!errors.ok()) return Fail(errors.error().In("journal"));
  return journal;
}

Result<DrillSnapshots> DecodeSnapshots(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  if (!json) return Fail(json.error().In("snapshots"));
  if (!json->is_object()) return Fail(ErrorCode::kInvalid, "snapshots: must be an object");
  DrillSnapshots snapshots;
  JsonErrors errors;
  for (const auto& [host, pair] : json->items()) {
    snapshots[host] = PairFromJson(pair, host, errors);
  }
  if (!errors.ok()) return Fail(errors.error().In("snapshots"));
  return snapshots;
}

}  // namespace drover
