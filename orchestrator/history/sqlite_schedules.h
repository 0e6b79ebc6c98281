// Schedules in the history's file.
//
// Touches the disk.
#pragma once

#include "orchestrator/schedule/store.h"

namespace drover {

Result<std::unique_ptr<ScheduleStore>> OpenSqliteSchedules(const std::string& path);

}  // namespace drover
