// How the predictions of the fault classes are written: one class collects envelopes and knows the
// facts.
//
// Pure; only for prediction*.cc.
#pragma once

#include <string>
#include <utility>

#include "orchestrator/drill/prediction.h"

namespace drover {

// "310 ms", "7.8 ms", "0 ms".
std::string MillisecondsText(Milliseconds time);

class PredictionWriter {
 public:
  PredictionWriter(Fault fault, const ClusterFacts& facts, const ProbeFacts& probe_facts,
                   const FaultSettings& fault_settings);

  void Add(Envelope envelope) { prediction_.envelopes.push_back(std::move(envelope)); }
  // At most `most`.
  void AtMost(Quantity quantity, double most, std::string formula, std::string worked);
  void Exactly(Quantity quantity, double value, std::string formula);
  // Not bounded by anything.
  void Unbounded(Quantity quantity, std::string why);
  void Note(std::string text) { prediction_.notes.push_back(std::move(text)); }
  Prediction Take() { return std::move(prediction_); }

  // Shared by many faults.
  void NothingIsLost(std::string why);  // no outage, no bad probe, no failed connection, no reset
  void NoTakeover();
  // An outage and what it costs probes and TCP; `why` is its formula.
  void Outage(Milliseconds least, Milliseconds most, bool least_is_law, std::string formula,
              std::string worked);
  void CrashSurvival();

  const ClusterFacts& cluster;
  const ProbeFacts& probes;
  const FaultSettings& settings;
  const VrrpTimers timers;

 private:
  Prediction prediction_;
};

// Each adds what its fault is predicted to do.
void PredictDirectorFault(Fault fault, PredictionWriter& writer);
void PredictRealServerFault(Fault fault, PredictionWriter& writer);
void PredictNodeFault(Fault fault, PredictionWriter& writer);

}  // namespace drover
