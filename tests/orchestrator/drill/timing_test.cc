// The laws of time behind predictions.

#include "orchestrator/drill/timing.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using std::chrono::milliseconds;

VrrpInstance Instance(int version, milliseconds interval, int priority) {
  VrrpInstance instance;
  instance.version = version;
  instance.advert_interval = interval;
  instance.priority = static_cast<std::uint8_t>(priority);
  return instance;
}

TEST(VrrpTimers, GiveTheKnownBoundsOfACrash) {
  struct Case {
    int version;
    int interval;
    int priority;  // of the backup
    double least, most, resign;
  };
  const std::vector<Case> cases = {
      {3, 1000, 100, 2609.4, 3609.4, 609.4},
      {3, 1000, 254, 2007.8, 3007.8, 7.8},
      {3, 100, 100, 260.9, 360.9, 60.9},
      {3, 100, 254, 200.8, 300.8, 0.8},
      {3, 50, 254, 100.4, 150.4, 0.4},
      {3, 30, 254, 60.2, 90.2, 0.23},
      {3, 10, 254, 20.08, 30.08, 0.08},
      {3, 10, 100, 26.1, 36.1, 6.1},
      // Version 2 counts the skew in seconds.
      {2, 100, 100, 809.4, 909.4, 609.4},
      {2, 1000, 100, 2609.4, 3609.4, 609.4},
  };
  for (const Case& c : cases) {
    const VrrpInstance backup = Instance(c.version, milliseconds(c.interval), c.priority);
    const VrrpTimers timers = TimersOf(Instance(c.version, milliseconds(c.interval), 200), backup);
    EXPECT_NEAR(timers.least().count(), c.least, 0.05) << c.interval << "/" << c.priority;
    EXPECT_NEAR(timers.most().count(), c.most, 0.05) << c.interval << "/" << c.priority;
    EXPECT_NEAR(timers.skew.count(), c.resign, 0.05) << c.interval << "/" << c.priority;
  }
}

TEST(VrrpTimers, ABackupLearnsTheMastersIntervalInVersionThree) {
  const VrrpInstance backup3 = Instance(3, milliseconds(1000), 100);
  EXPECT_NEAR(TimersOf(Instance(3, milliseconds(100), 200), backup3).most().count(), 360.9, 0.05);
  const VrrpInstance backup2 = Instance(2, milliseconds(1000), 100);
  EXPECT_NEAR(TimersOf(Instance(2, milliseconds(2000), 200), backup2).most().count(), 3609.4, 0.05);
}

TEST(VrrpTimers, CountAsManyMissedAdvertsAsTheBackupDoes) {
  VrrpInstance backup = Instance(3, milliseconds(10), 254);
  backup.down_adverts = 10;
  const VrrpTimers timers = TimersOf(Instance(3, milliseconds(10), 255), backup);
  EXPECT_NEAR(timers.least().count(), 90.08, 0.01);
  EXPECT_NEAR(timers.most().count(), 100.08, 0.01);
}

TEST(TcpRepetition, CostsWhatIsKnown) {
  struct Case {
    double gap, established, fresh;
  };
  for (const Case& c : std::vector<Case>{{0, 0, 0},
                                         {30, 200, 1000},
                                         {200, 200, 1000},
                                         {201, 600, 1000},
                                         {300, 600, 1000},
                                         {1000, 1400, 1000},
                                         {3100, 6200, 7000},
                                         {3600, 6200, 7000}}) {
    EXPECT_EQ(FirstRepetitionAfter(Milliseconds(c.gap), kFirstRto).count(), c.established) << c.gap;
    EXPECT_EQ(FirstRepetitionAfter(Milliseconds(c.gap), kFirstSynRto).count(), c.fresh) << c.gap;
  }
}

TEST(CheckTiming, IsTheWorstCaseOfTheSettings) {
  CheckSettings check;
  check.interval = milliseconds(2000);
  check.timeout = milliseconds(1000);
  check.fall = 3;
  check.rise = 2;
  check.jitter_percent = 0;
  EXPECT_EQ(WorstDetection(check).count(), 7000);
  EXPECT_EQ(WorstReturn(check).count(), 5000);
  check.fast_interval = milliseconds(200);
  EXPECT_EQ(WorstDetection(check).count(), 3400);
  check.jitter_percent = 10;
  EXPECT_NEAR(WorstDetection(check).count(), 2400 * 1.1 + 1000, 1e-9);
}

TEST(SyncLagLaw, IsABufferOrThreeSeconds) {
  EXPECT_NEAR(SyncLag(1000).count(), 60, 1e-9);
  EXPECT_NEAR(SyncLag(40).count(), 1020, 1e-9);
  EXPECT_EQ(SyncLag(5).count(), 3000);
  EXPECT_EQ(SyncLag(0).count(), 3000);
}

}  // namespace
}  // namespace drover
