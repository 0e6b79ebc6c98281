#include "orchestrator/schedule/due.h"

#include <algorithm>

namespace drover {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr std::int64_t kDayUs = 86'400 * kMicroseconds;

UtcSeconds SecondsOf(std::int64_t us) {
  return UtcSeconds(std::chrono::seconds(us / kMicroseconds));
}

std::int64_t Us(std::chrono::seconds span) { return span.count() * kMicroseconds; }

std::size_t FailuresWithin(const DrillSchedule& schedule, const DueFacts& facts) {
  const std::int64_t since = facts.now_us - schedule.budget->days * kDayUs;
  return static_cast<std::size_t>(
      std::count_if(facts.failures_us.begin(), facts.failures_us.end(),
                    [&](std::int64_t at) { return at >= since && at <= facts.now_us; }));
}

// What becomes of the newest open occurrence.
struct Next {
  OccurrenceState state;
  std::string reason;
};

Next Decide(const DrillSchedule& schedule, const TimeZone& zone, const DueFacts& facts,
            const Occurrence& one) {
  const auto jitter =
      facts.without_jitter ? std::chrono::seconds(0) : JitterOf(schedule, one.due_us);
  const std::int64_t end = one.due_us + Us(schedule.window);
  if (facts.now_us < one.due_us + Us(jitter)) return {one.state, one.reason};
  const bool approved = one.state == OccurrenceState::kApproved;
  if (facts.now_us > end) {
    const std::string until = LocalText(zone, SecondsOf(end));
    if (schedule.hold && !approved) {
      return {OccurrenceState::kMissed, "held: nobody approved it until " + until};
    }
    if (schedule.missed == MissedPolicy::kSkip) {
      return {OccurrenceState::kMissed, "outside of its window, which ended at " + until};
    }
  }
  if (const Blackout* blackout = BlackoutAt(schedule.blackouts, zone, facts.now_us)) {
    return {OccurrenceState::kSkipped, "blackout " + BlackoutText(*blackout)};
  }
  if (schedule.budget) {
    const std::size_t failures = FailuresWithin(schedule, facts);
    if (failures >= schedule.budget->failures) {
      return {OccurrenceState::kSkipped, "error budget used up: " + std::to_string(failures) +
                                             " failed in " + std::to_string(schedule.budget->days) +
                                             " days, " + std::to_string(schedule.budget->failures) +
                                             " may"};
    }
  }
  if (schedule.hold && !approved) {
    return {OccurrenceState::kHeld, "waits for: drover drill schedule approve " + schedule.name};
  }
  return {OccurrenceState::kRunning, ""};
}

}  // namespace

const Blackout* BlackoutAt(const std::vector<Blackout>& blackouts, const TimeZone& zone,
                           std::int64_t now_us) {
  const CivilTime now = zone.LocalOf(SecondsOf(now_us));
  const CivilTime today{now.year, now.month, now.day};
  const auto found = std::find_if(
      blackouts.begin(), blackouts.end(),
      [&](const Blackout& blackout) { return today >= blackout.first && today <= blackout.last; });
  return found == blackouts.end() ? nullptr : &*found;
}

std::vector<UtcSeconds> NewDueTimes(const Calendar& calendar, const TimeZone& zone,
                                    UtcSeconds handled_until, UtcSeconds now) {
  std::vector<UtcSeconds> times;
  for (auto next = NextAfter(calendar, zone, handled_until); next && *next <= now;
       next = NextAfter(calendar, zone, *next)) {
    if (times.size() == kMostNewDueTimes) times.erase(times.begin());
    times.push_back(*next);
  }
  return times;
}

std::chrono::seconds JitterOf(const DrillSchedule& schedule, std::int64_t due_us) {
  if (schedule.jitter.count() <= 0) return std::chrono::seconds(0);
  // FNV-1a: the same on every host and in every version, unlike std::hash.
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : schedule.name + "@" + std::to_string(due_us)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  }
  hash ^= hash >> 32U;
  return std::chrono::seconds(hash % static_cast<std::uint64_t>(schedule.jitter.count() + 1));
}

std::vector<DueDecision> DecideDue(const DrillSchedule& schedule, const TimeZone& zone,
                                   const DueFacts& facts) {
  std::vector<DueDecision> decisions;
  for (std::size_t i = 0; i < facts.open.size(); ++i) {
    Occurrence one = facts.open[i];
    Next next{one.state, one.reason};
    if (one.state == OccurrenceState::kRunning) {
      next = {OccurrenceState::kInterrupted,
              "the process that drove it died; it is not driven again by itself"};
    } else if (i + 1 < facts.open.size()) {
      next = {OccurrenceState::kMissed, "the next due time came before it was driven"};
    } else {
      next = Decide(schedule, zone, facts, one);
    }
    const bool changed = next.state != one.state;
    one.state = next.state;
    one.reason = std::move(next.reason);
    if (changed) one.changed_us = facts.now_us;
    decisions.push_back({std::move(one), changed});
  }
  return decisions;
}

}  // namespace drover
