// Schedules where they lie on the control host, and their due times taken up: one lock sees to it
// that only one process decides and drives at a time.
//
// Touches the disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/run/command_line.h"
#include "orchestrator/schedule/due.h"
#include "orchestrator/schedule/store.h"

namespace drover {

// In the history's file.
Result<std::unique_ptr<ScheduleStore>> OpenSchedules(const Environment& environment);

// Held as long as the object lives, and by the drill that is started meanwhile: while that one
// runs nobody takes its due time for abandoned, even when the process that started it has died.
class DueLock {
 public:
  // kExists when somebody has it.
  static Result<std::unique_ptr<DueLock>> Take(const Environment& environment);
  ~DueLock();
  DueLock(const DueLock&) = delete;
  DueLock& operator=(const DueLock&) = delete;

 private:
  explicit DueLock(int fd) : fd_(fd) {}
  int fd_;
};

std::int64_t WallNowUs();
// The zone of the schedule's expression, else the host's.
Result<TimeZone> ZoneOf(const DrillSchedule& schedule);
UtcSeconds MomentOf(std::int64_t us);

// Makes occurrences of what has come due since the last look.
Status TakeUpDue(ScheduleStore& store, const StoredSchedule& stored, std::int64_t now_us);
// Those that are not over, ascending.
Result<std::vector<Occurrence>> OpenOccurrences(ScheduleStore& store, const std::string& name);

}  // namespace drover
