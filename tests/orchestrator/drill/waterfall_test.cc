// The phases of a failover from the times of a capture.

#include "orchestrator/drill/waterfall.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr MacAddress kOld = {2, 0, 0, 0, 0, 1};
constexpr MacAddress kNew = {2, 0, 0, 0, 0, 2};

FrameSighting Frame(int at, FrameKind kind, const MacAddress& mac) {
  return {milliseconds(at), kind, mac};
}

FailoverCapture Crash() {
  return {.injection = milliseconds(1000),
          .old_director = kOld,
          .frames = {Frame(850, FrameKind::kAdvert, kOld), Frame(950, FrameKind::kAdvert, kOld),
                     Frame(990, FrameKind::kData, kOld), Frame(1300, FrameKind::kAdvert, kNew),
                     Frame(1302, FrameKind::kAnnouncement, kNew),
                     Frame(1310, FrameKind::kData, kNew), Frame(1400, FrameKind::kAdvert, kNew)},
          .clients = {{"far", milliseconds(1340)}, {"near", milliseconds(1311)}},
          .last_resumed = milliseconds(1650)};
}

TEST(Waterfall, NamesEachPhaseWithItsTime) {
  const Waterfall waterfall = WaterfallOf(Crash());
  EXPECT_EQ(waterfall.new_director, kNew);
  const std::vector<Milestone> want = {
      {"last advert of old", milliseconds(-50), milliseconds(0)},
      {"first advert of new", milliseconds(300), milliseconds(300)},
      {"first announcement", milliseconds(302), milliseconds(2)},
      {"first data frame via new director", milliseconds(310), milliseconds(8)},
      {"first success of near", milliseconds(311), milliseconds(1)},
      {"first success of far", milliseconds(340), milliseconds(29)},
      {"last stalled connection resumed", milliseconds(650), milliseconds(310)},
  };
  EXPECT_EQ(waterfall.milestones, want);
}

TEST(Waterfall, PhasesAddUpToTheWhole) {
  FailoverCapture capture = Crash();
  // Make before break: data flows by the new director before its second announcement is seen.
  capture.frames[4].at = milliseconds(1320);
  ProbeTime sum{0};
  ProbeTime last{0};
  for (const Milestone& milestone : WaterfallOf(capture).milestones) {
    sum += milestone.took;
    last = std::max(last, milestone.at.value_or(ProbeTime(0)));
  }
  EXPECT_EQ(sum, last);
}

TEST(Waterfall, WithoutANewMasterHasOnlyTheEndOfTheOld) {
  FailoverCapture capture = Crash();
  capture.frames.resize(3);
  capture.clients.clear();
  capture.last_resumed.reset();
  const Waterfall waterfall = WaterfallOf(capture);
  EXPECT_FALSE(waterfall.new_director.has_value());
  ASSERT_EQ(waterfall.milestones.size(), 5U);
  EXPECT_EQ(waterfall.milestones[0].at, milliseconds(-50));
  for (std::size_t i = 1; i < 5; ++i) EXPECT_FALSE(waterfall.milestones[i].at.has_value()) << i;
}

TEST(Waterfall, AnOldMasterThatComesBackIsNotItsLastAdvert) {
  FailoverCapture capture = Crash();
  capture.frames.push_back(Frame(9000, FrameKind::kAdvert, kOld));
  EXPECT_EQ(WaterfallOf(capture).milestones[0].at, milliseconds(-50));
}

TEST(Waterfall, AnOldBackupsAdvertBeforeTheInjectionIsNoTakeover) {
  FailoverCapture capture = Crash();
  capture.frames.push_back(Frame(200, FrameKind::kAdvert, kNew));
  EXPECT_EQ(WaterfallOf(capture).milestones[1].at, milliseconds(300));
}

}  // namespace
}  // namespace drover
