// A drill judged again from its raw evidence by today's rules, and where that comes to something
// else than was stored.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/drill/analysis.h"

namespace drover {

// `stored` with prediction, measurements, facts and verdict worked out anew. What the evidence does
// not tell (gates, why it was aborted, what the nodes could not undo) is taken from the journal.
DrillJournal Rejudge(const DrillJournal& stored, const DrillAnalysis& analysis,
                     const DrillSnapshots& snapshots);

// Sentences; none when both say the same.
std::vector<std::string> VerdictDifferences(const DrillVerdict& stored, const DrillVerdict& fresh);

}  // namespace drover
