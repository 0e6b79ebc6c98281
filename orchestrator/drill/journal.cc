#include "orchestrator/drill/journal.h"

#include "protocol/codec_parts.h"
#include "protocol/words.h"

namespace drover {
namespace {

Json TimeOrNull(const std::optional<ProbeTime>& time) {
  return time ? Json(time->count()) : Json();
}

Json SettingsToJson(const FaultSettings& settings) {
  return {{"duration_ms", settings.duration.count()},
          {"loss", settings.loss},
          {"delay_ms", settings.delay.count()},
          {"health_page_too", settings.health_page_too},
          {"boot_budget_ms", settings.boot_budget.count()}};
}

// A journal is shown around: without the password of version 2 and without headers of checks,
// which may be credentials.
Json OpenInstanceToJson(VrrpInstance instance) {
  instance.password.clear();
  return InstanceToJson(instance);
}
Json OpenCheckToJson(CheckSettings check) {
  if (auto* http = std::get_if<HttpCheck>(&check.kind)) http->headers.clear();
  return CheckToJson(check);
}

Json ClusterToJson(const ClusterFacts& cluster) {
  const SyncFacts& sync = cluster.sync;
  return {{"master", OpenInstanceToJson(cluster.master)},
          {"backups", ListToJson(cluster.backups, OpenInstanceToJson)},
          {"sync",
           {{"running", sync.running},
            {"threshold", sync.threshold},
            {"period", sync.period},
            {"refresh_s", sync.refresh.count()},
            {"stateless", sync.stateless}}},
          {"checks", ListToJson(cluster.checks, OpenCheckToJson)},
          {"real_servers", cluster.real_servers}};
}

Json ProbesToJson(const ProbeFacts& probes) {
  return {{"path_period_us", probes.path_period.count()},
          {"connections_per_second", probes.connections_per_second},
          {"long_lived", probes.long_lived}};
}

Json EnvelopeToJson(const Envelope& envelope) {
  Json json = {{"quantity", ToString(envelope.quantity)},
               {"least", envelope.least},
               {"least_is_law", envelope.least_is_law},
               {"formula", envelope.formula},
               {"worked", envelope.worked}};
  if (envelope.most) json["most"] = *envelope.most;
  return json;
}

Json PredictionToJson(const Prediction& prediction) {
  return {{"fault", ToString(prediction.fault)},
          {"envelopes", ListToJson(prediction.envelopes, EnvelopeToJson)},
          {"notes", prediction.notes}};
}

Json GateToJson(const Gate& gate) {
  return {{"name", gate.name}, {"green", gate.green}, {"text", gate.text}, {"forced", gate.forced}};
}

Json MomentToJson(const DrillMoment& moment) {
  return {{"at_us", moment.at.count()},
          {"host", moment.host},
          {"what", moment.what},
          {"kind", moment.kind},
          {"subject", moment.subject}};
}

Json SampleToJson(const RedundancySample& sample) {
  return {{"at_us", sample.at.count()},
          {"directors_healthy", sample.directors_healthy},
          {"synced", sample.synced},
          {"gate_green", sample.gate_green}};
}

Json MeasurementToJson(const Measurement& measurement) {
  return {{"quantity", ToString(measurement.quantity)},
          {"value", measurement.value},
          {"uncertainty", measurement.uncertainty},
          {"at_least", measurement.at_least}};
}

Json FactsToJson(const DrillFacts& facts) {
  Json json = {{"gates", facts.gates},
               {"voids", facts.voids},
               {"control_probe_clean", facts.control_probe_clean},
               {"snapshots_compared", facts.snapshots_compared},
               {"residue", facts.residue}};
  if (facts.aborted) json["aborted"] = *facts.aborted;
  return json;
}

Json ComparisonToJson(const Comparison& line) {
  Json json = {{"predicted", EnvelopeToJson(line.predicted)}, {"fit", ToString(line.fit)}};
  if (line.measured) json["measured"] = MeasurementToJson(*line.measured);
  return json;
}

Json VerdictToJson(const DrillVerdict& verdict) {
  return {{"kind", ToString(verdict.kind)},
          {"reasons", verdict.reasons},
          {"comparisons", ListToJson(verdict.comparisons, ComparisonToJson)}};
}

Json MacsToJson(const std::map<std::string, MacAddress>& macs) {
  Json json = Json::object();
  for (const auto& [host, mac] : macs) json[host] = MacText(mac);
  return json;
}

}  // namespace

std::string_view ToString(DrillPhase phase) {
  switch (phase) {
    case DrillPhase::kPlanned:
      return "planned";
    case DrillPhase::kGated:
      return "gated";
    case DrillPhase::kArmed:
      return "armed";
    case DrillPhase::kInjected:
      return "injected";
    case DrillPhase::kUndone:
      return "undone";
    case DrillPhase::kJudged:
      return "judged";
  }
  return "?";
}

Result<DrillPhase> ParseDrillPhase(std::string_view word) {
  return ParseOneOf(word,
                    {DrillPhase::kPlanned, DrillPhase::kGated, DrillPhase::kArmed,
                     DrillPhase::kInjected, DrillPhase::kUndone, DrillPhase::kJudged},
                    "phase of a drill");
}

std::string EncodeJournal(const DrillJournal& journal) {
  const Json json = {{"version", journal.version},
                     {"drover_version", journal.drover_version},
                     {"id", journal.id},
                     {"phase", ToString(journal.phase)},
                     {"settings", SettingsToJson(journal.settings)},
                     {"playbook", journal.playbook},
                     {"inventory", journal.inventory},
                     {"user", journal.user},
                     {"control_host", journal.control_host},
                     {"trigger", journal.trigger},
                     {"target", journal.target},
                     {"peer", journal.peer},
                     {"prober", journal.prober},
                     {"instance", journal.instance},
                     {"nodes", journal.nodes},
                     {"service", journal.service},
                     {"vip", journal.vip.ToString()},
                     {"started_us", journal.started_us},
                     {"finished_us", journal.finished_us},
                     {"cluster", ClusterToJson(journal.cluster)},
                     {"probes", ProbesToJson(journal.probes)},
                     {"prediction", PredictionToJson(journal.prediction)},
                     {"gates", ListToJson(journal.gates, GateToJson)},
                     {"moments", ListToJson(journal.moments, MomentToJson)},
                     {"injected_us", TimeOrNull(journal.injected)},
                     {"undone_us", TimeOrNull(journal.undone)},
                     {"undone_by", journal.undone_by},
                     {"macs", MacsToJson(journal.macs)},
                     {"redundancy", ListToJson(journal.redundancy, SampleToJson)},
                     {"lag", ListToJson(journal.lag, LagToJson)},
                     {"measured", ListToJson(journal.measured, MeasurementToJson)},
                     {"facts", FactsToJson(journal.facts)},
                     {"verdict", VerdictToJson(journal.verdict)}};
  return Dump(json, 2) + "\n";
}

std::string EncodeSnapshots(const DrillSnapshots& snapshots) {
  Json json = Json::object();
  for (const auto& [host, pair] : snapshots) {
    json[host] = {{"before", SnapshotToJson(pair.before)}};
    if (pair.after) json[host]["after"] = SnapshotToJson(*pair.after);
  }
  return Dump(json, 2) + "\n";
}

}  // namespace drover
