// What is due: which of a schedule's due times is to be driven now, and why the others are not.
//
// Pure: schedule, what became of its due times, the failures of the past, and now.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/schedule/schedule.h"

namespace drover {

// At most so many due times are taken up at once: a host that was off for a year has missed them.
inline constexpr std::size_t kMostNewDueTimes = 100;

// Due times after `handled_until` and not after `now`, ascending; the newest ones.
std::vector<UtcSeconds> NewDueTimes(const Calendar& calendar, const TimeZone& zone,
                                    UtcSeconds handled_until, UtcSeconds now);

// How long after its due time an occurrence begins: the same every time it is asked, another for
// every due time.
std::chrono::seconds JitterOf(const DrillSchedule& schedule, std::int64_t due_us);

// The days of these that today is one of; null: none.
const Blackout* BlackoutAt(const std::vector<Blackout>& blackouts, const TimeZone& zone,
                           std::int64_t now_us);

struct DueFacts {
  std::vector<Occurrence> open;           // not over, ascending by due time
  std::vector<std::int64_t> failures_us;  // when drills with the playbook failed
  std::int64_t now_us = 0;
  bool without_jitter = false;
};

// An open occurrence is now in this state. kRunning: it is to be driven.
struct DueDecision {
  Occurrence occurrence;
  bool changed = false;
};
// For each open one, in order; at most one is kRunning in the end. Whoever asks is the only one
// that drives, so that one which is running already belongs to a process that died.
std::vector<DueDecision> DecideDue(const DrillSchedule& schedule, const TimeZone& zone,
                                   const DueFacts& facts);

}  // namespace drover
