// A drill that is to be driven again and again, and what became of its due times.
//
// Values and their checks; when something is due is due.h's, keeping them sqlite_schedules.h's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/schedule/calendar.h"
#include "protocol/fault.h"

namespace drover {

// Days on which nothing is driven, both included; local.
struct Blackout {
  CivilTime first;
  CivilTime last;
  bool operator==(const Blackout&) const = default;
};
// "2026-12-20..2027-01-03" or one day.
Result<Blackout> ParseBlackout(std::string_view text);
std::string BlackoutText(const Blackout& blackout);

// No more drills after so many that failed within so many days.
struct ErrorBudget {
  std::uint32_t failures = 0;
  std::uint32_t days = 30;
  bool operator==(const ErrorBudget&) const = default;
};
// "2/30d".
Result<ErrorBudget> ParseErrorBudget(std::string_view text);
std::string ErrorBudgetText(const ErrorBudget& budget);

// What becomes of a due time whose window went by while nobody looked.
enum class MissedPolicy : std::uint8_t { kSkip, kRun };
std::string_view ToString(MissedPolicy policy);  // "skip", "run"
Result<MissedPolicy> ParseMissedPolicy(std::string_view word);

struct DrillSchedule {
  std::string name;  // 1 to 64 of a-z A-Z 0-9 . _ -
  Fault fault = Fault::kDirectorCrash;
  std::string playbook;
  std::vector<std::string> inventories;
  std::vector<std::string> options;  // further words for drill run
  std::string folder;                // in which these names were given
  std::string at;                    // ParseCalendar
  std::chrono::seconds window{7200};
  std::chrono::seconds jitter{0};
  std::vector<Blackout> blackouts;
  MissedPolicy missed = MissedPolicy::kSkip;
  std::optional<ErrorBudget> budget;
  bool hold = false;   // each waits for somebody's approval
  std::string before;  // command, or URL; "@FILE": what stands in the file
  std::string after;
  std::int64_t created_us = 0;
  bool operator==(const DrillSchedule&) const = default;
};
Status ValidateSchedule(const DrillSchedule& schedule);

std::string EncodeSchedule(const DrillSchedule& schedule);
Result<DrillSchedule> DecodeSchedule(std::string_view text);

// What became of a due time.
enum class OccurrenceState : std::uint8_t {
  kWaiting,      // for its moment in the window
  kHeld,         // for approval
  kApproved,     // and not driven yet
  kRunning,      // a process drives it
  kDone,         // the drill has a verdict
  kSkipped,      // a rule forbade it
  kMissed,       // its window went by
  kInterrupted,  // the process that drove it died
};
std::string_view ToString(OccurrenceState state);  // "waiting", "held", …
Result<OccurrenceState> ParseOccurrenceState(std::string_view word);
// Nothing more will become of it.
bool IsOver(OccurrenceState state);

struct Occurrence {
  std::string schedule;
  std::int64_t due_us = 0;
  OccurrenceState state = OccurrenceState::kWaiting;
  std::string reason;  // why it was not driven, or the verdict
  std::string drill;   // id
  std::int64_t changed_us = 0;
  bool operator==(const Occurrence&) const = default;
};

}  // namespace drover
