// Timing beside the protocol, trackers, strangers, and forms.

#include "node-helper/vrrp/schedule.h"

#include <gtest/gtest.h>

#include "node-helper/vrrp/form.h"
#include "node-helper/vrrp/rival.h"
#include "node-helper/vrrp/tracking.h"

namespace drover::vrrp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Time At(std::int64_t ms) { return Time(milliseconds(ms)); }

// When a schedule fires until `end`, in ms.
std::vector<std::int64_t> Fires(AnnounceSchedule& schedule, Time end) {
  std::vector<std::int64_t> fires;
  while (schedule.Deadline() && *schedule.Deadline() <= end) {
    const Time now = *schedule.Deadline();
    if (schedule.Due(now)) {
      fires.push_back(std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count());
    }
  }
  return fires;
}

TEST(VrrpAnnounce, ABurstAtTakeoverAndOneMoreAfterTheDelay) {
  AnnounceSchedule schedule;
  schedule.Begin({.count = 3, .delay = milliseconds(5000)}, At(1000));
  EXPECT_EQ(Fires(schedule, At(60000)),
            (std::vector<std::int64_t>{1000, 1020, 1040, 6000, 6020, 6040}));
  EXPECT_FALSE(schedule.Deadline());
}

TEST(VrrpAnnounce, RefreshGoesOnForEver) {
  AnnounceSchedule schedule;
  schedule.Begin({.count = 1, .delay = milliseconds(0), .refresh = seconds(10), .refresh_count = 2},
                 At(0));
  EXPECT_EQ(Fires(schedule, At(25000)), (std::vector<std::int64_t>{0, 10000, 10020, 20000, 20020}));
}

TEST(VrrpAnnounce, AgainIsAWholeBurstAndStopIsSilence) {
  AnnounceSchedule schedule;
  schedule.Begin({.count = 2, .delay = milliseconds(0)}, At(0));
  EXPECT_EQ(Fires(schedule, At(100)).size(), 2U);
  schedule.Again(At(500));
  EXPECT_EQ(Fires(schedule, At(1000)), (std::vector<std::int64_t>{500, 520}));
  schedule.Again(At(2000));
  schedule.Stop();
  EXPECT_FALSE(schedule.Deadline());
}

// The other one may stop at any moment, and the neighbours believe whom they heard last.
TEST(VrrpAnnounce, ASecondMasterIsAnsweredByABurstOnceASecondAndByTheLastWordAlways) {
  AnnounceSchedule schedule;
  schedule.Begin({.count = 2, .delay = milliseconds(0)}, At(0));
  EXPECT_EQ(Fires(schedule, At(1000)).size(), 2U);
  schedule.Answer(At(1000));
  schedule.Answer(At(1010));
  EXPECT_EQ(Fires(schedule, At(1050)), (std::vector<std::int64_t>{1000, 1020}))
      << "a burst that runs is answer enough";
  schedule.Answer(At(1060));
  schedule.Answer(At(1110));
  EXPECT_EQ(Fires(schedule, At(1500)), (std::vector<std::int64_t>{1120})) << "a single one, later";
  schedule.Answer(At(1700));
  EXPECT_EQ(Fires(schedule, At(1999)), (std::vector<std::int64_t>{1700}));
  schedule.Answer(At(2000));
  EXPECT_EQ(Fires(schedule, At(9000)), (std::vector<std::int64_t>{2000, 2020}));
}

TEST(VrrpLease, IsRefreshedFourTimesBeforeItRunsOut) {
  EXPECT_EQ(RefreshPeriod(milliseconds(1000)), Nanoseconds(milliseconds(250)));
  EXPECT_EQ(RefreshPeriod(milliseconds(0)), std::nullopt);
}

TEST(VrrpRepeating, MissedTimesAreNotMadeUpFor) {
  Repeating probe;
  probe.Begin(milliseconds(250), At(1000));
  EXPECT_FALSE(probe.Due(At(999)));
  EXPECT_TRUE(probe.Due(At(1010)));
  EXPECT_EQ(*probe.Deadline(), At(1250)) << "lateness does not add up";
  EXPECT_TRUE(probe.Due(At(2000)));
  EXPECT_FALSE(probe.Due(At(2000)));
  EXPECT_EQ(*probe.Deadline(), At(2250));
}

TEST(VrrpThaw, LateByTheLeaseOrByTheMasterDownIntervalIsTooLate) {
  struct Case {
    int late_ms;
    int lease_ms;
    int master_down_ms;
    bool want;
  };
  for (const Case& c :
       {Case{999, 1000, 3600, false}, Case{1000, 1000, 3600, true}, Case{1000, 0, 3600, false},
        Case{3600, 0, 3600, true}, Case{400, 1000, 360, true}, Case{-5, 1000, 360, false}}) {
    EXPECT_EQ(Overslept(milliseconds(c.late_ms), milliseconds(c.lease_ms),
                        milliseconds(c.master_down_ms)),
              c.want)
        << c.late_ms << " " << c.lease_ms << " " << c.master_down_ms;
  }
}

TEST(VrrpRival, EachStrangerIsReportedOnceInAWhileAndAnsweredOnceASecond) {
  RivalLog log;
  EXPECT_EQ(log.Hear("a", At(0)), (RivalLog::Advice{true, true}));
  EXPECT_EQ(log.Hear("a", At(500)), (RivalLog::Advice{false, false}));
  EXPECT_EQ(log.Hear("b", At(600)), (RivalLog::Advice{true, false}));
  EXPECT_EQ(log.Hear("a", At(1000)), (RivalLog::Advice{false, true}));
  EXPECT_EQ(log.Hear("a", At(10000)), (RivalLog::Advice{true, true}));
  EXPECT_EQ(log.count(), 5U);
}

TEST(VrrpRival, AFloodOfInventedStrangersIsCountedButNotReported) {
  RivalLog log;
  std::size_t reports = 0;
  for (int i = 0; i < 10000; ++i) {
    if (log.Hear(std::to_string(i), At(1)).report) ++reports;
  }
  EXPECT_EQ(reports, kMaxRivals);
  EXPECT_EQ(log.count(), 10000U);
  EXPECT_TRUE(log.Hear("another", At(20000)).report) << "old ones are forgotten";
}

TEST(VrrpTracking, WeightZeroDecidesAloneAndOtherWeightsMoveThePriority) {
  const std::vector<TrackerStatus> trackers = {
      {.name = "up", .up = true, .decided = true},
      {.name = "down", .decided = true, .reason = "exit 1"},
      {.name = "new"}};
  struct Case {
    std::vector<TrackedBy> uses;
    TrackedState want;
  };
  for (const Case& c : {Case{{}, {}}, Case{{{"up", 0}}, {}},
                        Case{{{"down", 0}}, {.fault = "tracker down is down: exit 1"}},
                        Case{{{"new", 0}}, {.fault = "tracker new has no verdict yet"}},
                        Case{{{"unknown", 0}}, {.fault = "tracker unknown has no verdict yet"}},
                        Case{{{"up", 20}, {"down", 30}, {"new", 40}}, {.weight = 20}},
                        Case{{{"up", -20}, {"down", -30}, {"new", -40}}, {.weight = -30}}}) {
    EXPECT_EQ(Judge(c.uses, trackers), c.want);
  }
}

// 5.2.4: 0 and 255 have meanings of their own.
TEST(VrrpTracking, PriorityStaysWithinItsLimitsAndAnOwnersStays) {
  EXPECT_EQ(EffectivePriority(100, 30), 130);
  EXPECT_EQ(EffectivePriority(100, -200), 1);
  EXPECT_EQ(EffectivePriority(100, 200), 254);
  EXPECT_EQ(EffectivePriority(255, -200), 255);
}

TEST(VrrpForm, ANewFormIsAcceptedAtOnceAndSentWhenSettled) {
  const Form old_form{.vrid = 51};
  const Form new_form{
      .version = Version::k2, .vrid = 51, .auth = AuthType::kPassword, .password = "x"};
  FormBook book(old_form);
  book.Change(new_form, /*understood=*/false);
  EXPECT_TRUE(book.two_phase());
  EXPECT_EQ(book.sent(), old_form);
  EXPECT_EQ(book.Accepted(At(0)), (std::vector<Form>{old_form, new_form}));
  EXPECT_TRUE(book.Settle(At(1000)));
  EXPECT_FALSE(book.Settle(At(1000))) << "there is nothing to settle any more";
  EXPECT_EQ(book.sent(), new_form);
  EXPECT_EQ(book.Accepted(At(1000)), (std::vector<Form>{new_form, old_form}));
}

TEST(VrrpForm, TheOldFormIsAcceptedWhileItIsHeard) {
  const Form old_form{.vrid = 51};
  const Form new_form{.vrid = 52};
  FormBook book(old_form);
  book.Change(new_form, /*understood=*/false);
  book.Settle(At(0));
  book.Heard(old_form, At(10000));
  EXPECT_EQ(book.Accepted(At(20000)).size(), 2U);
  EXPECT_EQ(book.Accepted(At(25000)).size(), 1U);
}

TEST(VrrpForm, AChangeThatPeersUnderstandNeedsNoSecondPhase) {
  FormBook book(Form{.interval = Centiseconds(100)});
  book.Change(Form{.interval = Centiseconds(10)}, /*understood=*/true);
  EXPECT_FALSE(book.two_phase());
  EXPECT_EQ(book.sent().interval, Centiseconds(10));
}

TEST(VrrpForm, TakingAChangeBackEndsIt) {
  const Form old_form{.vrid = 51};
  FormBook book(old_form);
  book.Change(Form{.vrid = 52}, /*understood=*/false);
  book.Change(old_form, /*understood=*/false);
  EXPECT_FALSE(book.two_phase());
}

}  // namespace
}  // namespace drover::vrrp
