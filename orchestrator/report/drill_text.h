// A drill's outcome for people on a terminal: the verdict, why, prediction against measurement,
// what to do.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/drill/analysis.h"

namespace drover {

struct DrillTextLook {
  int columns = 0;  // of the terminal; 0: a pipe, lines are as long as they are
  bool colours = false;
};

std::string DrillText(const DrillJournal& journal, const DrillAnalysis& analysis,
                      const DrillTextLook& look);
// One JSON document with a newline: verdict, reasons, comparisons, gates, residue, advice.
std::string DrillJson(const DrillJournal& journal, const DrillAnalysis& analysis);

}  // namespace drover
