#include "orchestrator/report/drill_junit.h"

#include "orchestrator/report/drill_html.h"
#include "orchestrator/report/generations_text.h"
#include "orchestrator/report/junit.h"

namespace drover {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;

std::string Lines(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + "\n";
  return all;
}

JunitCase CaseOf(const Comparison& line, const std::string& classname) {
  JunitCase one{.classname = classname, .name = std::string(ToString(line.predicted.quantity))};
  one.text = "predicted " + PredictedText(line.predicted) + ", measured " + MeasuredText(line) +
             " (" + line.predicted.formula + ")";
  if (line.fit == Fit::kWithin) return one;
  const bool law = line.fit == Fit::kBelow && line.predicted.least_is_law;
  one.outcome = line.fit == Fit::kUnmeasured || law ? JunitOutcome::kError : JunitOutcome::kFailed;
  one.message = std::string(ToString(line.fit)) + ": " + MeasuredText(line) + ", predicted " +
                PredictedText(line.predicted);
  return one;
}

JunitCase CaseOf(const Gate& gate, const std::string& classname) {
  JunitCase one{.classname = classname, .name = "gate: " + gate.name, .text = gate.text};
  if (gate.green) return one;
  // A gate that was gone through on purpose is no error of the drill.
  one.outcome = gate.forced.empty() ? JunitOutcome::kError : JunitOutcome::kSkipped;
  one.message = gate.forced.empty() ? gate.text : "gone through: " + gate.forced;
  return one;
}

JunitCase ResidueCase(const DrillJournal& journal, const std::string& classname) {
  JunitCase one{.classname = classname, .name = "nothing is left"};
  if (!journal.facts.residue.empty()) {
    one.outcome = JunitOutcome::kFailed;
    one.message = std::to_string(journal.facts.residue.size()) + " left behind";
    one.text = Lines(journal.facts.residue);
  } else if (!journal.facts.snapshots_compared) {
    one.outcome = JunitOutcome::kError;
    one.message = "not known: no snapshot after it";
  }
  return one;
}

JunitCase VerdictCase(const DrillJournal& journal, const std::string& classname) {
  JunitCase one{.classname = classname, .name = "verdict"};
  if (journal.finished_us > journal.started_us) {
    one.seconds = static_cast<double>(journal.finished_us - journal.started_us) / kMicroseconds;
  }
  one.message = std::string(ToString(journal.verdict.kind));
  one.text = Lines(journal.verdict.reasons);
  switch (journal.verdict.kind) {
    case VerdictKind::kPass:
      break;
    case VerdictKind::kFail:
    case VerdictKind::kAbortedResidue:
      one.outcome = JunitOutcome::kFailed;
      break;
    case VerdictKind::kInconclusive:
    case VerdictKind::kAbortedClean:
      one.outcome = JunitOutcome::kError;
      break;
  }
  return one;
}

}  // namespace

std::string DrillJunit(const DrillJournal& journal) {
  const std::string classname = "drill." + std::string(ToString(journal.prediction.fault));
  JunitSuite suite{.name = journal.id, .hostname = journal.control_host};
  if (journal.started_us > 0) {
    suite.timestamp = TimeText(journal.started_us / kMicroseconds);
    suite.timestamp[suite.timestamp.find(' ')] = 'T';
  }
  suite.cases.push_back(VerdictCase(journal, classname));
  for (const Comparison& line : journal.verdict.comparisons) {
    suite.cases.push_back(CaseOf(line, classname));
  }
  for (const Gate& gate : journal.gates) suite.cases.push_back(CaseOf(gate, classname));
  suite.cases.push_back(ResidueCase(journal, classname));
  return JunitText({suite});
}

}  // namespace drover
