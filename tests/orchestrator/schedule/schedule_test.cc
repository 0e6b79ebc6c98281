// Schedules as values: what is allowed, and that they come back as they were written.

#include "orchestrator/schedule/schedule.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

DrillSchedule Full() {
  return {.name = "nightly-crash",
          .fault = Fault::kHandover,
          .playbook = "site.yml",
          .inventories = {"hosts.yml", "more/"},
          .options = {"--duration", "5s"},
          .folder = "/srv/cluster",
          .at = "Tue..Thu 02:00 Europe/Berlin",
          .window = std::chrono::hours(3),
          .jitter = std::chrono::minutes(30),
          .blackouts = {*ParseBlackout("2026-12-20..2027-01-03"), *ParseBlackout("2026-10-03")},
          .missed = MissedPolicy::kRun,
          .budget = ErrorBudget{2, 30},
          .hold = true,
          .before = "/usr/local/bin/announce \"to all\"",
          .after = "@/etc/drover/webhook",
          .created_us = 12};
}

TEST(DrillSchedule, ComesBackAsItWas) {
  const auto back = DecodeSchedule(EncodeSchedule(Full()));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, Full());
  const DrillSchedule plain{.name = "n", .playbook = "p", .at = "daily"};
  const auto small = DecodeSchedule(EncodeSchedule(plain));
  ASSERT_TRUE(small) << small.error().message;
  EXPECT_EQ(*small, plain);
}

TEST(DrillSchedule, RefusesWhatCannotBe) {
  const auto message = [](void (*change)(DrillSchedule&)) {
    DrillSchedule schedule = Full();
    change(schedule);
    const Status fine = ValidateSchedule(schedule);
    return fine ? std::string("fine") : fine.error().message;
  };
  EXPECT_EQ(message([](DrillSchedule&) {}), "fine");
  EXPECT_NE(message([](DrillSchedule& s) { s.name = "a b"; }).find("no name"), std::string::npos);
  EXPECT_NE(message([](DrillSchedule& s) { s.name = ""; }).find("no name"), std::string::npos);
  EXPECT_NE(message([](DrillSchedule& s) { s.at = "never"; }).find("--at: "), std::string::npos);
  EXPECT_NE(message([](DrillSchedule& s) { s.jitter = s.window; }).find("jitter"),
            std::string::npos);
  EXPECT_NE(message([](DrillSchedule& s) { s.window = std::chrono::seconds(5); }).find("window"),
            std::string::npos);
}

TEST(ParseBlackout, TakesADayOrARange) {
  EXPECT_EQ(BlackoutText(*ParseBlackout("2026-12-20..2027-01-03")), "2026-12-20..2027-01-03");
  EXPECT_EQ(BlackoutText(*ParseBlackout("2028-02-29")), "2028-02-29");
  for (const char* bad : {"", "2026-02-29", "2026-13-01", "2026-1-1", "2027-01-03..2026-12-20",
                          "2026-12-20..", "christmas", "2026-12-20-2027-01-03"}) {
    EXPECT_FALSE(ParseBlackout(bad)) << bad;
  }
}

TEST(ParseErrorBudget, IsFailuresPerDays) {
  EXPECT_EQ(*ParseErrorBudget("2/30d"), (ErrorBudget{2, 30}));
  EXPECT_EQ(ErrorBudgetText({1, 7}), "1/7d");
  for (const char* bad : {"", "2", "0/30d", "2/30", "2/0d", "x/30d", "2/30h", "2/99999d"}) {
    EXPECT_FALSE(ParseErrorBudget(bad)) << bad;
  }
}

TEST(OccurrenceState, HasAWordEach) {
  for (int i = 0; i <= static_cast<int>(OccurrenceState::kInterrupted); ++i) {
    const auto state = static_cast<OccurrenceState>(i);
    EXPECT_EQ(*ParseOccurrenceState(ToString(state)), state);
  }
  EXPECT_FALSE(ParseOccurrenceState("lost"));
}

}  // namespace
}  // namespace drover
