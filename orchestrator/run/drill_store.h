// Drills that were driven, where their evidence lies: found, read, and given their pages.
//
// Touches the disk.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/drill/analysis.h"
#include "orchestrator/report/drill_html.h"
#include "orchestrator/run/command_line.h"

namespace drover {

// The whole evidence of a drill, with what today's code reads in it.
struct StoredDrill {
  std::string folder;
  DrillJournal journal;
  ProbeLog log;
  DrillAnalysis analysis;
  DrillSnapshots snapshots;
  std::vector<EvidenceFile> files;
};

// `word` is a folder, or the id of a drill in the folder of all drills or in the history.
Result<std::string> FindDrill(const std::string& word, const Environment& environment);
// A drill that ended before it was probed has no log; a journal there must be.
Result<StoredDrill> ReadDrill(const std::string& folder);

// junit.xml and report.html beside the evidence.
Status WriteDrillPages(const StoredDrill& drill);

// What every drill ends with: pages, and an entry in the history. What cannot be done is a warning
// on stderr.
void KeepDrill(const std::string& folder);

}  // namespace drover
