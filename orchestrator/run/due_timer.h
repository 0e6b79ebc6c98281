// What carries schedules out: a timer of systemd where this host runs systemd, else a line for cron
// that somebody has to enter.
//
// Touches the disk and starts systemctl.
#pragma once

#include <string>

#include "orchestrator/run/command_line.h"

namespace drover {

// What was done, or is left to do, as a text for people.
std::string SetUpDueTimer(const Environment& environment);
// Behind the last schedule.
std::string TakeDownDueTimer(const Environment& environment);

}  // namespace drover
