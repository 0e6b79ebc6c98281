#include "orchestrator/drill/prediction.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "orchestrator/drill/prediction_writer.h"

namespace drover {
namespace {

std::string Decimal(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

bool NeedsBackup(Fault fault) {
  return fault <= Fault::kFailback || fault == Fault::kReboot || fault == Fault::kCpuStarved;
}

bool NeedsRealServer(Fault fault) {
  return fault >= Fault::kRealServerStop && fault <= Fault::kRealServerIsolated;
}

const VrrpInstance& SuccessorOf(const ClusterFacts& cluster) {
  if (cluster.backups.empty()) return cluster.master;
  return *std::max_element(
      cluster.backups.begin(), cluster.backups.end(),
      [](const VrrpInstance& a, const VrrpInstance& b) { return a.priority < b.priority; });
}

Status ValidateFacts(Fault fault, const ClusterFacts& cluster, const ProbeFacts& probes,
                     const FaultSettings& settings) {
  const std::string name(ToString(fault));
  if (NeedsBackup(fault) && cluster.backups.empty()) {
    return Fail(ErrorCode::kInvalid, name + ": there is no second director");
  }
  if (NeedsRealServer(fault) && cluster.real_servers == 0) {
    return Fail(ErrorCode::kInvalid, name + ": there is no real server");
  }
  if (probes.path_period <= ProbeTime(0) || probes.connections_per_second < 0) {
    return Fail(ErrorCode::kInvalid, name + ": the rates of the probes are not positive");
  }
  if (settings.duration.count() <= 0) {
    return Fail(ErrorCode::kInvalid, name + ": it lasts no time");
  }
  if (fault == Fault::kVrrpLoss && !(settings.loss > 0 && settings.loss < 1)) {
    return Fail(ErrorCode::kInvalid, name + ": the loss is not between 0 and 1");
  }
  return {};
}

}  // namespace

std::string_view ToString(Quantity quantity) {
  switch (quantity) {
    case Quantity::kOutage:
      return "outage";
    case Quantity::kBadProbes:
      return "bad probes";
    case Quantity::kFailedConnections:
      return "failed connections";
    case Quantity::kResets:
      return "resets";
    case Quantity::kSurvival:
      return "survival";
    case Quantity::kConnectStall:
      return "stall of new connections";
    case Quantity::kEstablishedStall:
      return "stall of established connections";
    case Quantity::kDoubleOwner:
      return "double owner";
    case Quantity::kTakeovers:
      return "takeovers";
    case Quantity::kDetection:
      return "detection";
    case Quantity::kRepair:
      return "repair";
    case Quantity::kQuiesce:
      return "time to quiesce";
    case Quantity::kReturn:
      return "return";
    case Quantity::kHandover:
      return "handover";
    case Quantity::kRedundancy:
      return "time to redundancy";
  }
  return "?";
}

std::string_view UnitOf(Quantity quantity) {
  switch (quantity) {
    case Quantity::kBadProbes:
    case Quantity::kFailedConnections:
    case Quantity::kResets:
    case Quantity::kTakeovers:
      return "";
    case Quantity::kSurvival:
      return "%";
    case Quantity::kOutage:
    case Quantity::kConnectStall:
    case Quantity::kEstablishedStall:
    case Quantity::kDoubleOwner:
    case Quantity::kDetection:
    case Quantity::kRepair:
    case Quantity::kQuiesce:
    case Quantity::kReturn:
    case Quantity::kHandover:
    case Quantity::kRedundancy:
      return "ms";
  }
  return "";
}

std::string MillisecondsText(Milliseconds time) {
  const double value = time.count();
  const bool whole = std::abs(value) >= 10 || value == std::floor(value);
  return Decimal(value, whole ? 0 : 1) + " ms";
}

std::string QuantityText(Quantity quantity, double value) {
  const std::string_view unit = UnitOf(quantity);
  if (unit == "ms") return MillisecondsText(Milliseconds(value));
  if (unit == "%") return Decimal(value * 100, value == 1 || value == 0 ? 0 : 1) + " %";
  return Decimal(value, value == std::floor(value) ? 0 : 1);
}

std::optional<double> AbortAbove(const Envelope& envelope) {
  if (!envelope.most) return std::nullopt;
  switch (envelope.quantity) {
    case Quantity::kOutage:
      return *envelope.most * 2;
    case Quantity::kBadProbes:
    case Quantity::kFailedConnections:
    case Quantity::kResets:
      // Where some failures are predicted, how many is a matter of the whole run.
      return *envelope.most == 0 ? envelope.most : std::nullopt;
    case Quantity::kDoubleOwner:
    case Quantity::kTakeovers:
      return envelope.most;
    case Quantity::kSurvival:
    case Quantity::kConnectStall:
    case Quantity::kEstablishedStall:
    case Quantity::kDetection:
    case Quantity::kRepair:
    case Quantity::kQuiesce:
    case Quantity::kReturn:
    case Quantity::kHandover:
    case Quantity::kRedundancy:
      return std::nullopt;
  }
  return std::nullopt;
}

const Envelope* Prediction::Find(Quantity quantity) const {
  for (const Envelope& envelope : envelopes) {
    if (envelope.quantity == quantity) return &envelope;
  }
  return nullptr;
}

PredictionWriter::PredictionWriter(Fault fault, const ClusterFacts& facts,
                                   const ProbeFacts& probe_facts,
                                   const FaultSettings& fault_settings)
    : cluster(facts),
      probes(probe_facts),
      settings(fault_settings),
      timers(TimersOf(facts.master, SuccessorOf(facts))) {
  prediction_.fault = fault;
}

void PredictionWriter::AtMost(Quantity quantity, double most, std::string formula,
                              std::string worked) {
  Add({.quantity = quantity,
       .most = most,
       .formula = std::move(formula),
       .worked = std::move(worked)});
}

void PredictionWriter::Exactly(Quantity quantity, double value, std::string formula) {
  Add({.quantity = quantity,
       .least = value,
       .most = value,
       .formula = std::move(formula),
       .worked = QuantityText(quantity, value)});
}

void PredictionWriter::Unbounded(Quantity quantity, std::string why) {
  Add({.quantity = quantity, .formula = std::move(why), .worked = "no bound"});
}

void PredictionWriter::NothingIsLost(std::string why) {
  for (const Quantity quantity : {Quantity::kOutage, Quantity::kBadProbes}) {
    Exactly(quantity, 0, why);
  }
  if (probes.connections_per_second > 0) Exactly(Quantity::kFailedConnections, 0, why);
  if (probes.long_lived > 0) {
    Exactly(Quantity::kResets, 0, why);
    Exactly(Quantity::kSurvival, 1, why);
  }
}

void PredictionWriter::NoTakeover() {
  Exactly(Quantity::kTakeovers, 0, "the master goes on sending adverts in time");
}

void PredictionWriter::Outage(Milliseconds least, Milliseconds most, bool least_is_law,
                              std::string formula, std::string worked) {
  Add({.quantity = Quantity::kOutage,
       .least = least.count(),
       .most = most.count(),
       .least_is_law = least_is_law,
       .formula = std::move(formula),
       .worked = std::move(worked)});
  const double probes_lost = std::ceil(most / Milliseconds(probes.path_period)) + 1;
  AtMost(Quantity::kBadProbes, probes_lost, "outage / period of the path probes + 1",
         MillisecondsText(most) + " / " + MillisecondsText(probes.path_period) +
             " + 1 = " + QuantityText(Quantity::kBadProbes, probes_lost));
  if (probes.connections_per_second > 0) {
    const double failed =
        std::ceil(most / Milliseconds(std::chrono::seconds(1)) * probes.connections_per_second) + 1;
    AtMost(Quantity::kFailedConnections, failed, "outage * new connections per second + 1",
           MillisecondsText(most) + " * " + Decimal(probes.connections_per_second, 0) +
               "/s + 1 = " + QuantityText(Quantity::kFailedConnections, failed));
    const Milliseconds stall =
        FirstRepetitionAfter(most, kFirstSynRto) * (1 + kRepetitionSlack) + kNetworkAllowance;
    AtMost(Quantity::kConnectStall, stall.count(),
           "first repetition of a SYN (after 1 s, doubling) behind the outage, + 15 % + network",
           MillisecondsText(FirstRepetitionAfter(most, kFirstSynRto)) + " -> " +
               MillisecondsText(stall));
  }
  const bool known = cluster.sync.running || cluster.sync.stateless;
  if (probes.long_lived > 0 && known) {
    const Milliseconds stall =
        FirstRepetitionAfter(most, kFirstRto) * (1 + kRepetitionSlack) + kNetworkAllowance;
    AtMost(
        Quantity::kEstablishedStall, stall.count(),
        "first repetition of a segment (after 200 ms, doubling) behind the outage, + 15 % + "
        "network",
        MillisecondsText(FirstRepetitionAfter(most, kFirstRto)) + " -> " + MillisecondsText(stall));
  }
}

void PredictionWriter::CrashSurvival() {
  if (probes.long_lived == 0) return;
  const SyncFacts& sync = cluster.sync;
  if (sync.stateless) {
    Add({.quantity = Quantity::kSurvival,
         .least = kCrashSurvival,
         .most = 1,
         .formula = "mh and sloppy_tcp: the new director picks the same real server",
         .worked = "99.9 % or more"});
    return;
  }
  if (!sync.running) {
    Note(
        "Without connection sync the new director does not know the established connections: "
        "expect them to be reset, except those that its scheduler sends to the same real server "
        "by chance.");
    return;
  }
  const Milliseconds lag = SyncLag(probes.connections_per_second);
  Add({.quantity = Quantity::kSurvival,
       .least = kCrashSurvival,
       .most = 1,
       .formula = "synchronised connections live on: all that are older than the sync lag",
       .worked = "99.9 % or more"});
  Note("Connections younger than the sync lag of " + MillisecondsText(lag) + " (" +
       Decimal(probes.connections_per_second, 0) + " new ones per second) are lost.");
  if (sync.period > 0 || sync.refresh.count() == 0) {
    Note("sync_threshold \"" + std::to_string(sync.threshold) + " " + std::to_string(sync.period) +
         "\": a connection of fewer than " + std::to_string(sync.threshold) +
         " packets is not synchronised, and a slow one is forgotten by the backup when it does "
         "not send " +
         std::to_string(sync.period) +
         " packets within its timeout; \"3 0\" with sync_refresh_period 10 would keep both.");
  }
}

Result<Prediction> Predict(Fault fault, const ClusterFacts& cluster, const ProbeFacts& probes,
                           const FaultSettings& settings) {
  if (const Status fine = ValidateFacts(fault, cluster, probes, settings); !fine) {
    return Fail(fine.error());
  }
  PredictionWriter writer(fault, cluster, probes, settings);
  if (fault <= Fault::kFailback || fault == Fault::kReboot) {
    PredictDirectorFault(fault, writer);
  } else if (NeedsRealServer(fault)) {
    PredictRealServerFault(fault, writer);
  } else {
    PredictNodeFault(fault, writer);
  }
  return writer.Take();
}

std::string PredictionText(const Prediction& prediction) {
  const FaultText& fault = TextOf(prediction.fault);
  std::string text = std::string(ToString(fault.fault)) + ": " + std::string(fault.what) +
                     "\n  should: " + std::string(fault.should) + "\n";
  for (const Envelope& envelope : prediction.envelopes) {
    const std::string least = QuantityText(envelope.quantity, envelope.least);
    std::string range = "any";
    if (envelope.most) {
      const std::string most = QuantityText(envelope.quantity, *envelope.most);
      range = least == most ? most : least + " to " + most;
    } else if (envelope.least > 0) {
      range = "from " + least;
    }
    text += "  " + std::string(ToString(envelope.quantity)) + ": " + range +
            "\n    = " + envelope.formula + "\n";
    if (envelope.worked != range) text += "    = " + envelope.worked + "\n";
  }
  for (const std::string& note : prediction.notes) text += "  note: " + note + "\n";
  return text;
}

}  // namespace drover
