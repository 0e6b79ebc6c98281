// Where schedules and what became of their due times are kept. Each method is one transaction.
#pragma once

#include <memory>
#include <vector>

#include "orchestrator/schedule/schedule.h"

namespace drover {

struct StoredSchedule {
  DrillSchedule schedule;
  std::int64_t handled_until_us = 0;  // due times until then are occurrences
};

class ScheduleStore {
 public:
  virtual ~ScheduleStore() = default;
  // kExists when the name is taken. What is due counts from `now_us`.
  virtual Status Add(const DrillSchedule& schedule, std::int64_t now_us) = 0;
  // Also forgets its occurrences. kNotFound.
  virtual Status Remove(const std::string& name) = 0;
  // By name.
  virtual Result<std::vector<StoredSchedule>> Schedules() = 0;
  // New ones, and that everything until `handled_until_us` is known.
  virtual Status TakeUp(const std::string& name, const std::vector<Occurrence>& occurrences,
                        std::int64_t handled_until_us) = 0;
  // Changes one that is there and still in `from`; kExists when somebody was faster.
  virtual Status Change(const Occurrence& occurrence, OccurrenceState from) = 0;
  // The oldest first.
  virtual Result<std::vector<Occurrence>> Occurrences(const std::string& name) = 0;
};

}  // namespace drover
