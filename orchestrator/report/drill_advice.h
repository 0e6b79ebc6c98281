// What to do about a drill's outcome: which term of a prediction is off, and the setting or the
// place that it hangs on.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/drill/analysis.h"

namespace drover {

// Sentences, the weightiest first; never empty.
std::vector<std::string> AdviceFor(const DrillJournal& journal, const DrillAnalysis& analysis);

}  // namespace drover
