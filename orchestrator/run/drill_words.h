// The words behind `drover drill`.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/drill/request.h"
#include "orchestrator/run/drill_run.h"

namespace drover {

// Set for a drill that nobody started by hand: by whom, for its journal.
inline constexpr const char* kTriggerVariable = "DROVER_DRILL_TRIGGER";

int DrillRunCommand(const std::vector<std::string>& arguments);
int DrillListCommand(const std::vector<std::string>& arguments);
int DrillReportCommand(const std::vector<std::string>& arguments);
int DrillHistoryCommand(const std::vector<std::string>& arguments);
int DrillScheduleCommand(const std::vector<std::string>& arguments);
int DrillDueCommand(const std::vector<std::string>& arguments);

// Runs one drill and shows it as the command line says; the status for the shell.
DrillEnd CarryOutDrill(const Prepared& prepared, const CommandLine& line,
                       const DrillRequest& request, bool asks);

}  // namespace drover
