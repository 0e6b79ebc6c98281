// Whether today is a day without drills: by the drill's own words, or by a schedule of the same
// playbook, whose blackouts hold for drills by hand as well.
//
// Reads the control host's file of schedules.
#pragma once

#include <string>

#include "orchestrator/drill/request.h"
#include "orchestrator/run/command_line.h"

namespace drover {

// The reason; empty: drills may be.
std::string BlackoutToday(const DrillRequest& request, const std::string& playbook,
                          const Environment& environment);

}  // namespace drover
