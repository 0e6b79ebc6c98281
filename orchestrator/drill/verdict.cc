#include "orchestrator/drill/verdict.h"

#include "protocol/words.h"

namespace drover {
namespace {

// A probe may meet the last advert a little late, and an advert may have been late itself.
constexpr double kLawTolerance = 0.05;

Fit FitOf(const Envelope& predicted, const Measurement& measured) {
  if (predicted.most && measured.value > *predicted.most + measured.uncertainty) {
    return Fit::kAbove;
  }
  if (measured.at_least && predicted.most) return Fit::kUnmeasured;
  if (measured.value + measured.uncertainty >= predicted.least) return Fit::kWithin;
  if (!predicted.least_is_law) return Fit::kBelow;
  const bool near = measured.value + measured.uncertainty >= predicted.least * (1 - kLawTolerance);
  return near ? Fit::kWithin : Fit::kBelow;
}

std::string RangeText(const Envelope& predicted) {
  const std::string least = QuantityText(predicted.quantity, predicted.least);
  if (!predicted.most) return "from " + least;
  const std::string most = QuantityText(predicted.quantity, *predicted.most);
  return least == most ? most : least + " to " + most;
}

std::string ReasonOf(const Comparison& line) {
  const Envelope& predicted = line.predicted;
  const std::string name(ToString(predicted.quantity));
  if (!line.measured) return name + " was not measured";
  const std::string value = QuantityText(predicted.quantity, line.measured->value);
  const std::string range = RangeText(predicted);
  if (line.fit == Fit::kUnmeasured) {
    return name + " is at least " + value + "; its end was not seen (predicted " + range + ")";
  }
  if (line.fit == Fit::kBelow && predicted.least_is_law) {
    return name + " " + value + " is less than the protocol allows (" + range +
           "): the fault did not act or was measured wrongly";
  }
  return name + " " + value + ", predicted " + range + " (" + predicted.formula + ")";
}

void AddAll(std::vector<std::string>& reasons, const std::vector<std::string>& more,
            const std::string& before) {
  for (const std::string& text : more) reasons.push_back(before + text);
}

// Why nothing can be said about the cluster; empty when something can.
std::vector<std::string> DoubtsOf(const DrillFacts& facts,
                                  const std::vector<Comparison>& comparisons) {
  std::vector<std::string> doubts;
  if (!facts.control_probe_clean) {
    doubts.emplace_back("the control probe, which does not pass the cluster, was not clean either");
  }
  AddAll(doubts, facts.voids, "void: ");
  AddAll(doubts, facts.gates, "gate: ");
  for (const Comparison& line : comparisons) {
    const bool law = line.fit == Fit::kBelow && line.predicted.least_is_law;
    if (line.fit == Fit::kUnmeasured || law) doubts.push_back(ReasonOf(line));
  }
  return doubts;
}

DrillVerdict JudgeAborted(const DrillFacts& facts) {
  DrillVerdict verdict{.kind = VerdictKind::kAbortedClean};
  if (!facts.residue.empty() || !facts.snapshots_compared) {
    verdict.kind = VerdictKind::kAbortedResidue;
    if (!facts.snapshots_compared) {
      verdict.reasons.emplace_back("whether anything is left is not known: no snapshot after it");
    }
  } else if (!facts.control_probe_clean) {
    // Reality left the prediction, but not only by way of the cluster.
    verdict.kind = VerdictKind::kInconclusive;
    verdict.reasons.emplace_back("the control probe was not clean either");
  }
  AddAll(verdict.reasons, facts.residue, "left behind: ");
  verdict.reasons.push_back("aborted: " + *facts.aborted);
  return verdict;
}

DrillVerdict JudgeFinished(const DrillFacts& facts, const std::vector<Comparison>& comparisons) {
  DrillVerdict verdict{.kind = VerdictKind::kPass};
  if (!facts.residue.empty()) {
    verdict.kind = VerdictKind::kFail;
    AddAll(verdict.reasons, facts.residue, "left behind: ");
  }
  std::vector<std::string> doubts = DoubtsOf(facts, comparisons);
  if (!facts.snapshots_compared) {
    doubts.emplace_back("whether anything is left is not known: no snapshot after it");
  }
  if (!doubts.empty() && verdict.kind == VerdictKind::kPass) {
    verdict.kind = VerdictKind::kInconclusive;
  }
  AddAll(verdict.reasons, doubts, "");
  for (const Comparison& line : comparisons) {
    const bool misfit =
        line.fit == Fit::kAbove || (line.fit == Fit::kBelow && !line.predicted.least_is_law);
    if (!misfit) continue;
    if (verdict.kind == VerdictKind::kPass) verdict.kind = VerdictKind::kFail;
    verdict.reasons.push_back(ReasonOf(line));
  }
  return verdict;
}

}  // namespace

std::string_view ToString(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass:
      return "pass";
    case VerdictKind::kFail:
      return "fail";
    case VerdictKind::kInconclusive:
      return "inconclusive";
    case VerdictKind::kAbortedClean:
      return "aborted-clean";
    case VerdictKind::kAbortedResidue:
      return "aborted-residue";
  }
  return "?";
}

Result<VerdictKind> ParseVerdictKind(std::string_view word) {
  return ParseOneOf(word,
                    {VerdictKind::kPass, VerdictKind::kFail, VerdictKind::kInconclusive,
                     VerdictKind::kAbortedClean, VerdictKind::kAbortedResidue},
                    "verdict");
}

int ExitCodeOf(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass:
      return 0;
    case VerdictKind::kFail:
      return 2;
    case VerdictKind::kInconclusive:
      return 3;
    case VerdictKind::kAbortedClean:
      return 5;
    case VerdictKind::kAbortedResidue:
      return 6;
  }
  return 1;
}

std::string_view ToString(Fit fit) {
  switch (fit) {
    case Fit::kWithin:
      return "within";
    case Fit::kAbove:
      return "above";
    case Fit::kBelow:
      return "below";
    case Fit::kUnmeasured:
      return "unmeasured";
  }
  return "?";
}

Comparison Compare(const Envelope& predicted, const std::vector<Measurement>& measured) {
  Comparison line{.predicted = predicted};
  for (const Measurement& measurement : measured) {
    if (measurement.quantity != predicted.quantity) continue;
    line.measured = measurement;
    line.fit = FitOf(predicted, measurement);
  }
  return line;
}

DrillVerdict JudgeDrill(const Prediction& prediction, const std::vector<Measurement>& measured,
                        const DrillFacts& facts) {
  std::vector<Comparison> comparisons;
  for (const Envelope& envelope : prediction.envelopes) {
    comparisons.push_back(Compare(envelope, measured));
  }
  DrillVerdict verdict = facts.aborted ? JudgeAborted(facts) : JudgeFinished(facts, comparisons);
  verdict.comparisons = std::move(comparisons);
  return verdict;
}

}  // namespace drover
