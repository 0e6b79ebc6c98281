// A drill's outcome for people on a terminal: the verdict, why, prediction against measurement,
// what to do.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/drill/analysis.h"
#include "orchestrator/report/terminal.h"

namespace drover {

struct DrillTextLook {
  int columns = 0;  // of the terminal; 0: a pipe, lines are as long as they are
  bool colours = false;
};

// In which a verdict is painted.
Colour ColourOf(VerdictKind kind);

std::string DrillText(const DrillJournal& journal, const DrillAnalysis& analysis,
                      const DrillTextLook& look);
// How a drill that was judged again differs from what was stored.
struct JudgedAgain {
  VerdictKind stored = VerdictKind::kInconclusive;
  std::vector<std::string> differences;
};
std::string JudgedAgainText(const JudgedAgain& again);
// One JSON document with a newline: verdict, reasons, comparisons, gates, residue, advice; `again`
// may be null.
std::string DrillJson(const DrillJournal& journal, const DrillAnalysis& analysis,
                      const JudgedAgain* again = nullptr);

}  // namespace drover
