// The judgement of a drill: measured against predicted, in the light of whether one could measure
// at all, and of whether everything was undone.
//
// Pure, so that stored evidence can be judged again by newer rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/drill/prediction.h"

namespace drover {

enum class VerdictKind : std::uint8_t {
  kPass,
  kFail,
  kInconclusive,    // the probe or a gate was bad: nothing is said about the cluster
  kAbortedClean,    // stopped before its end, everything undone
  kAbortedResidue,  // stopped before its end, and something is left
};
// "pass", "fail", "inconclusive", "aborted-clean", "aborted-residue"
std::string_view ToString(VerdictKind kind);
Result<VerdictKind> ParseVerdictKind(std::string_view word);
// 0, 2, 3, 5, 6; 1 and 4 keep their meaning of errors and unreachable hosts.
int ExitCodeOf(VerdictKind kind);

// What was measured of one quantity.
struct Measurement {
  Quantity quantity = Quantity::kOutage;
  double value = 0;
  double uncertainty = 0;  // the truth is within value +- uncertainty
  bool at_least = false;   // the truth is `value` or more: its end was not seen
  bool operator==(const Measurement&) const = default;
};

enum class Fit : std::uint8_t {
  kWithin,
  kAbove,
  kBelow,       // of a law: nothing can be that fast, so the measurement is wrong
  kUnmeasured,  // or its end was not seen
};
std::string_view ToString(Fit fit);  // "within", "above", "below", "unmeasured"

// One line of the comparison.
struct Comparison {
  Envelope predicted;
  std::optional<Measurement> measured;
  Fit fit = Fit::kUnmeasured;
};

// What else a verdict needs to know about a drill.
struct DrillFacts {
  std::vector<std::string> gates;      // that were not green before, or were lost on the way
  std::vector<std::string> voids;      // why the prober could not drive the run
  bool control_probe_clean = true;     // a probe that does not go by way of the cluster
  std::optional<std::string> aborted;  // why it was stopped
  bool snapshots_compared = false;     // before and after
  std::vector<std::string> residue;    // their differences
};

struct DrillVerdict {
  VerdictKind kind = VerdictKind::kInconclusive;
  std::vector<std::string> reasons;     // the weightiest first; a pass has none
  std::vector<Comparison> comparisons;  // in the order of the prediction
};

Comparison Compare(const Envelope& predicted, const std::vector<Measurement>& measured);
DrillVerdict JudgeDrill(const Prediction& prediction, const std::vector<Measurement>& measured,
                        const DrillFacts& facts);

}  // namespace drover
