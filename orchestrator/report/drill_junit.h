// A drill as JUnit's XML: a test case for each comparison and gate, for what is left behind, and
// for the verdict itself.
//
// Pure.
#pragma once

#include <string>

#include "orchestrator/drill/journal.h"

namespace drover {

std::string DrillJunit(const DrillJournal& journal);

}  // namespace drover
