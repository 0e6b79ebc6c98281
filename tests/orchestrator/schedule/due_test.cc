// What is due, as a function of the schedule, of what became of its due times, and of now.

#include "orchestrator/schedule/due.h"

#include <gtest/gtest.h>

#include <set>

namespace drover {
namespace {

constexpr std::int64_t kUs = 1'000'000;
constexpr std::int64_t kHour = 3600 * kUs;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kDue = 1'769'824'800 * kUs;  // 2026-01-31 02:00:00 UTC

DrillSchedule Nightly() { return {.name = "nightly", .playbook = "site.yml", .at = "02:00 UTC"}; }

Occurrence Open(OccurrenceState state = OccurrenceState::kWaiting, std::int64_t due = kDue) {
  return {.schedule = "nightly", .due_us = due, .state = state};
}

DueDecision DecideOne(const DrillSchedule& schedule, std::int64_t now,
                      OccurrenceState state = OccurrenceState::kWaiting,
                      std::vector<std::int64_t> failures = {}) {
  const auto zone = TimeZone::Load("UTC");
  const auto decisions = DecideDue(
      schedule, *zone, {.open = {Open(state)}, .failures_us = std::move(failures), .now_us = now});
  EXPECT_EQ(decisions.size(), 1U);
  return decisions.front();
}

OccurrenceState StateOf(const DrillSchedule& schedule, std::int64_t now,
                        OccurrenceState state = OccurrenceState::kWaiting) {
  return DecideOne(schedule, now, state).occurrence.state;
}

TEST(DecideDue, DrivesWithinTheWindow) {
  const DueDecision decision = DecideOne(Nightly(), kDue);
  EXPECT_EQ(decision.occurrence.state, OccurrenceState::kRunning);
  EXPECT_TRUE(decision.changed);
  EXPECT_EQ(StateOf(Nightly(), kDue + 2 * kHour), OccurrenceState::kRunning);
}

TEST(DecideDue, MissesWhatNobodyLookedFor) {
  const DueDecision decision = DecideOne(Nightly(), kDue + 2 * kHour + kUs);
  EXPECT_EQ(decision.occurrence.state, OccurrenceState::kMissed);
  EXPECT_EQ(decision.occurrence.reason,
            "outside of its window, which ended at 2026-01-31 04:00:00 UTC");
}

TEST(DecideDue, MakesUpForItWhenItShall) {
  DrillSchedule schedule = Nightly();
  schedule.missed = MissedPolicy::kRun;
  EXPECT_EQ(StateOf(schedule, kDue + 10 * kHour), OccurrenceState::kRunning);
}

TEST(DecideDue, OfSeveralOnlyTheNewestIsDriven) {
  DrillSchedule schedule = Nightly();
  schedule.missed = MissedPolicy::kRun;
  const auto decisions = DecideDue(
      schedule, *TimeZone::Load("UTC"),
      {.open = {Open(), Open(OccurrenceState::kWaiting, kDue + kDay)}, .now_us = kDue + kDay});
  ASSERT_EQ(decisions.size(), 2U);
  EXPECT_EQ(decisions[0].occurrence.state, OccurrenceState::kMissed);
  EXPECT_EQ(decisions[1].occurrence.state, OccurrenceState::kRunning);
}

TEST(DecideDue, WaitsForItsJitter) {
  DrillSchedule schedule = Nightly();
  schedule.jitter = std::chrono::minutes(30);
  const auto jitter = JitterOf(schedule, kDue);
  ASSERT_GT(jitter.count(), 0);
  const DueDecision before = DecideOne(schedule, kDue + (jitter.count() - 1) * kUs);
  EXPECT_EQ(before.occurrence.state, OccurrenceState::kWaiting);
  EXPECT_FALSE(before.changed);
  EXPECT_EQ(StateOf(schedule, kDue + jitter.count() * kUs), OccurrenceState::kRunning);
  const auto now = DecideDue(schedule, *TimeZone::Load("UTC"),
                             {.open = {Open()}, .now_us = kDue, .without_jitter = true});
  EXPECT_EQ(now.front().occurrence.state, OccurrenceState::kRunning);
}

TEST(JitterOf, IsSpreadAndTheSameEveryTime) {
  DrillSchedule schedule = Nightly();
  schedule.jitter = std::chrono::minutes(30);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 50; ++i) {
    const auto jitter = JitterOf(schedule, kDue + i * kDay);
    EXPECT_GE(jitter.count(), 0);
    EXPECT_LE(jitter, schedule.jitter);
    EXPECT_EQ(jitter, JitterOf(schedule, kDue + i * kDay));
    seen.insert(jitter.count());
  }
  EXPECT_GT(seen.size(), 40U);
}

TEST(DecideDue, KeepsQuietInABlackout) {
  DrillSchedule schedule = Nightly();
  schedule.blackouts = {*ParseBlackout("2026-01-30..2026-01-31")};
  const DueDecision decision = DecideOne(schedule, kDue);
  EXPECT_EQ(decision.occurrence.state, OccurrenceState::kSkipped);
  EXPECT_EQ(decision.occurrence.reason, "blackout 2026-01-30..2026-01-31");
  schedule.blackouts = {*ParseBlackout("2026-01-30"), *ParseBlackout("2026-02-01")};
  EXPECT_EQ(StateOf(schedule, kDue), OccurrenceState::kRunning);
}

TEST(DecideDue, StopsWhenTheErrorBudgetIsUsedUp) {
  DrillSchedule schedule = Nightly();
  schedule.budget = ErrorBudget{2, 30};
  const auto with = [&](std::vector<std::int64_t> failures) {
    return DecideOne(schedule, kDue, OccurrenceState::kWaiting, std::move(failures)).occurrence;
  };
  EXPECT_EQ(with({kDue - kDay}).state, OccurrenceState::kRunning);
  EXPECT_EQ(with({kDue - kDay, kDue - 31 * kDay}).state, OccurrenceState::kRunning);
  const Occurrence stopped = with({kDue - kDay, kDue - 29 * kDay});
  EXPECT_EQ(stopped.state, OccurrenceState::kSkipped);
  EXPECT_EQ(stopped.reason, "error budget used up: 2 failed in 30 days, 2 may");
}

TEST(DecideDue, HoldsUntilSomebodyApproves) {
  DrillSchedule schedule = Nightly();
  schedule.hold = true;
  EXPECT_EQ(StateOf(schedule, kDue), OccurrenceState::kHeld);
  EXPECT_FALSE(DecideOne(schedule, kDue + kHour, OccurrenceState::kHeld).changed);
  EXPECT_EQ(StateOf(schedule, kDue + kHour, OccurrenceState::kApproved), OccurrenceState::kRunning);
  const DueDecision late = DecideOne(schedule, kDue + 3 * kHour, OccurrenceState::kHeld);
  EXPECT_EQ(late.occurrence.state, OccurrenceState::kMissed);
  EXPECT_TRUE(late.occurrence.reason.starts_with("held: nobody approved it until"));
}

TEST(DecideDue, NeverDrivesTwiceWhatDiedInTheMiddle) {
  DrillSchedule schedule = Nightly();
  schedule.missed = MissedPolicy::kRun;
  const DueDecision decision = DecideOne(schedule, kDue + kHour, OccurrenceState::kRunning);
  EXPECT_EQ(decision.occurrence.state, OccurrenceState::kInterrupted);
  EXPECT_TRUE(decision.changed);
}

TEST(NewDueTimes, AreThoseSinceTheLastLook) {
  const auto calendar = ParseCalendar("02:00 UTC");
  const auto zone = TimeZone::Load("UTC");
  const auto at = [](std::int64_t us) { return UtcSeconds(std::chrono::seconds(us / kUs)); };
  EXPECT_TRUE(NewDueTimes(*calendar, *zone, at(kDue), at(kDue + kHour)).empty());
  EXPECT_EQ(NewDueTimes(*calendar, *zone, at(kDue - kUs), at(kDue)).size(), 1U);
  EXPECT_EQ(NewDueTimes(*calendar, *zone, at(kDue), at(kDue + 3 * kDay)).size(), 3U);
  const auto year = NewDueTimes(*calendar, *zone, at(kDue), at(kDue + 365 * kDay));
  ASSERT_EQ(year.size(), kMostNewDueTimes);
  EXPECT_EQ(year.back(), at(kDue + 365 * kDay));
}

}  // namespace
}  // namespace drover
