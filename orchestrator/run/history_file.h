// The history where it lies on the control host: <state>/drover/history.sqlite. What is remembered
// there is never worth a failed run: a history that cannot be written is a warning on stderr.
//
// Touches the disk.
#pragma once

#include <memory>
#include <string>

#include "orchestrator/drill/journal.h"
#include "orchestrator/history/store.h"
#include "orchestrator/run/command_line.h"

namespace drover {

// Empty without a home.
std::string HistoryPath(const Environment& environment);
// Makes the file and its folder when they are not there.
Result<std::unique_ptr<HistoryStore>> OpenHistory(const Environment& environment);

// `folder` is where the drill's evidence lies.
void RecordDrill(const DrillJournal& journal, const std::string& folder);
// One from RecordOf; who, with which files and when is filled in.
void RecordVerification(const CommandLine& line, VerificationRecord record);

}  // namespace drover
