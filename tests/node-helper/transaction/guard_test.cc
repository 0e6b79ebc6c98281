// What a guard decides, and what the daemon tells of runs.
#include "node-helper/transaction/guard.h"

#include <gtest/gtest.h>

#include "node-helper/transaction/run_watch.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using Kind = GuardDuty::Kind;

Pending PendingOf(const std::string& run) {
  Pending pending;
  pending.run.run_id = run;
  pending.run.owner = "web";
  pending.run.user = "ann";
  pending.run.control_host = "ctl";
  pending.run.command = "rollout";
  return pending;
}

TEST(GuardDuty, WaitsForTheDeadlineOfARunThatIsPending) {
  EXPECT_EQ(DutyOf(std::nullopt, milliseconds{0}).kind, Kind::kNothing);
  EXPECT_EQ(DutyOf(PendingOf("one"), milliseconds{1}).kind, Kind::kWait);
  EXPECT_EQ(DutyOf(PendingOf("one"), milliseconds{0}).kind, Kind::kGoBack);
  EXPECT_EQ(DutyOf(PendingOf("one"), std::nullopt).kind, Kind::kGoBack);
}

TEST(GuardDuty, NothingStopsAGoingBackThatHasBegun) {
  Pending pending = PendingOf("one");
  pending.going_back = true;
  pending.reason = "asked for";
  EXPECT_EQ(DutyOf(pending, milliseconds{30000}), (GuardDuty{Kind::kGoBack, "asked for"}));
}

TEST(GuardDuty, TriesAgainEverMoreSeldomButForEver) {
  EXPECT_EQ(RetryPause(0), milliseconds{1000});
  EXPECT_EQ(RetryPause(3), milliseconds{8000});
  EXPECT_EQ(RetryPause(1000000), milliseconds{60000});
}

TEST(RunWatch, TellsWhatBecomesOfARun) {
  RunWatch watch;
  EXPECT_EQ(watch.Look(std::nullopt, false), "");
  EXPECT_EQ(
      watch.Look(PendingOf("one"), false),
      "the run of ann on ctl (rollout) changes this node; it goes back unless that is confirmed");
  EXPECT_EQ(watch.Look(PendingOf("one"), false), "");
  EXPECT_EQ(watch.Look(std::nullopt, true), "the run of ann on ctl (rollout) is confirmed");
  EXPECT_EQ(watch.Look(std::nullopt, true), "");
  EXPECT_NE(watch.Look(PendingOf("two"), false), "");
  Pending back = PendingOf("two");
  back.going_back = true;
  back.reason = "nothing was heard";
  EXPECT_NE(watch.Look(back, false).find("goes back"), std::string::npos);
  back.left = {"firewall: no tool"};
  EXPECT_NE(watch.Look(back, false).find("firewall: no tool"), std::string::npos);
  EXPECT_NE(watch.Look(std::nullopt, false).find("is again what it was"), std::string::npos);
}

TEST(PendingJournal, KeepsAnyBytes) {
  const TempFolder folder;
  const PendingJournal journal(folder.path());
  EXPECT_FALSE(journal.exists());
  EXPECT_FALSE(journal.Load().value());
  Pending pending = PendingOf("one");
  pending.since = 5;
  pending.previous = OwnerRecord{};
  pending.previous->owner = "web";
  pending.had_service = false;
  const std::string bytes("\0\xff\n text", 8);
  ASSERT_TRUE(journal.Reserve(pending));
  ASSERT_TRUE(journal.Capture(pending, "file", "/etc/\xff", bytes));
  EXPECT_FALSE(journal.exists());  // not before it is saved
  ASSERT_TRUE(journal.Save(pending));
  EXPECT_EQ(journal.Load().value(), pending);
  EXPECT_EQ(journal.TextOf(pending.captured[0]).value(), bytes);
  ASSERT_TRUE(journal.Drop());
  EXPECT_FALSE(journal.exists());
  ASSERT_TRUE(journal.Drop());
}

}  // namespace
}  // namespace drover
