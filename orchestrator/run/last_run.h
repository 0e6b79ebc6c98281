// The record of the last run where it lies: read for --rerun, written at the end of a run.
//
// Touches the disk.
#pragma once

#include "orchestrator/run/run_record.h"

namespace drover {

// The limit that --rerun stands for; the error says what is missing.
Result<std::string> LimitOfRerun(const CommandLine& line);

// Keeps what became of the hosts. A record that cannot be written is a warning on stderr.
void RememberRun(const CompiledRun& run, const CommandLine& line, const RunOutcome& outcome);

}  // namespace drover
