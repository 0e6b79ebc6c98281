#include "orchestrator/report/drill_text.h"

#include <nlohmann/json.hpp>

#include "orchestrator/report/drill_advice.h"
#include "orchestrator/report/drill_charts.h"
#include "orchestrator/report/drill_html.h"
#include "orchestrator/report/generations_text.h"
#include "orchestrator/report/table.h"
#include "protocol/json_reader.h"

namespace drover {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;

Colour ColourOf(Fit fit) {
  switch (fit) {
    case Fit::kWithin:
      return Colour::kOk;
    case Fit::kUnmeasured:
      return Colour::kChanged;
    case Fit::kAbove:
    case Fit::kBelow:
      return Colour::kError;
  }
  return Colour::kError;
}

std::string Bullets(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += "  - " + Printable(text) + "\n";
  return all;
}

std::string ResidueText(const DrillFacts& facts) {
  if (!facts.residue.empty()) return "Left behind:\n" + Bullets(facts.residue);
  return facts.snapshots_compared ? "Nothing is left behind.\n"
                                  : "Whether anything is left is not known.\n";
}

std::string OwnersText(const DrillAnalysis& analysis) {
  if (analysis.shared.empty()) return "";
  ProbeTime shared{0};
  for (const TimeSpan& span : analysis.shared) shared += span.to - span.from;
  return "Two hosts owned the VIP for " + SpanText(shared) + ".\n";
}

std::string PhasesText(const Waterfall& waterfall) {
  std::string text;
  for (const Milestone& milestone : waterfall.milestones) {
    if (!milestone.at) continue;
    text += "  " + PadTo(SpanText(*milestone.at), 10) + " " + Printable(milestone.name) +
            (milestone.took.count() > 0 ? " (" + SpanText(milestone.took) + ")" : "") + "\n";
  }
  return text.empty() ? "" : "\nPhases, since the injection:\n" + text;
}

}  // namespace

Colour ColourOf(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass:
      return Colour::kOk;
    case VerdictKind::kFail:
    case VerdictKind::kAbortedResidue:
      return Colour::kError;
    case VerdictKind::kInconclusive:
    case VerdictKind::kAbortedClean:
      return Colour::kChanged;
  }
  return Colour::kError;
}

std::string DrillText(const DrillJournal& journal, const DrillAnalysis& analysis,
                      const DrillTextLook& look) {
  const DrillVerdict& verdict = journal.verdict;
  std::string text = Printable(std::string(ToString(journal.prediction.fault)) +
                               (journal.target.empty() ? "" : " on " + journal.target) + ", " +
                               TimeText(journal.started_us / kMicroseconds) + " UTC: ") +
                     Paint(ToString(verdict.kind), ColourOf(verdict.kind), look.colours) + "\n" +
                     Bullets(verdict.reasons);
  if (!verdict.comparisons.empty()) {
    Table table({"QUANTITY", "PREDICTED", "MEASURED", "FIT"});
    for (const Comparison& line : verdict.comparisons) {
      table.Add({{std::string(ToString(line.predicted.quantity))},
                 {PredictedText(line.predicted)},
                 {MeasuredText(line)},
                 {std::string(ToString(line.fit)), ColourOf(line.fit)}});
    }
    text += "\n" + table.Text(look.columns, look.colours);
  }
  text += PhasesText(analysis.waterfall) + "\n" + OwnersText(analysis) + ResidueText(journal.facts);
  for (const Gate& gate : journal.gates) {
    if (gate.green) continue;
    text += Printable("Red gate: " + gate.name + ": " + gate.text +
                      (gate.forced.empty() ? "" : " (gone through: " + gate.forced + ")")) +
            "\n";
  }
  return text + "\nWhat to do:\n" + Bullets(AdviceFor(journal, analysis));
}

std::string JudgedAgainText(const JudgedAgain& again) {
  if (again.differences.empty()) return "\nJudged again by today's rules: nothing differs.\n";
  return "\nJudged again by today's rules, it differs from what was stored (" +
         std::string(ToString(again.stored)) + "):\n" + Bullets(again.differences);
}

std::string DrillJson(const DrillJournal& journal, const DrillAnalysis& analysis,
                      const JudgedAgain* again) {
  Json comparisons = Json::array();
  for (const Comparison& line : journal.verdict.comparisons) {
    Json one = {{"quantity", ToString(line.predicted.quantity)},
                {"unit", UnitOf(line.predicted.quantity)},
                {"predicted_least", line.predicted.least},
                {"predicted_most", nullptr},
                {"formula", line.predicted.formula},
                {"measured", nullptr},
                {"fit", ToString(line.fit)}};
    if (line.predicted.most) one["predicted_most"] = *line.predicted.most;
    if (line.measured) {
      one["measured"] = {{"value", line.measured->value},
                         {"uncertainty", line.measured->uncertainty},
                         {"at_least", line.measured->at_least}};
    }
    comparisons.push_back(std::move(one));
  }
  Json gates = Json::array();
  for (const Gate& gate : journal.gates) {
    gates.push_back(
        {{"name", gate.name}, {"green", gate.green}, {"text", gate.text}, {"forced", gate.forced}});
  }
  Json document = {{"id", journal.id},
                   {"fault", ToString(journal.prediction.fault)},
                   {"target", journal.target},
                   {"playbook", journal.playbook},
                   {"inventory", journal.inventory},
                   {"service", journal.service},
                   {"trigger", journal.trigger},
                   {"started", TimeText(journal.started_us / kMicroseconds)},
                   {"verdict", ToString(journal.verdict.kind)},
                   {"reasons", journal.verdict.reasons},
                   {"comparisons", comparisons},
                   {"gates", gates},
                   {"snapshots_compared", journal.facts.snapshots_compared},
                   {"residue", journal.facts.residue},
                   {"advice", AdviceFor(journal, analysis)}};
  if (again != nullptr) {
    document["stored_verdict"] = ToString(again->stored);
    document["differences"] = again->differences;
  }
  return Dump(document, 2) + "\n";
}

}  // namespace drover
