// The course of a drill, told by its events: what it does about each, and that an injected fault is
// always undone.

#include "orchestrator/drill/course.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using std::chrono::milliseconds;
using Actions = std::vector<CourseAction>;

Prediction Zero() {
  return {.envelopes = {{.quantity = Quantity::kOutage, .most = 0},
                        {.quantity = Quantity::kBadProbes, .most = 0},
                        {.quantity = Quantity::kDoubleOwner, .most = 0}}};
}
Prediction Crash() {
  return {.envelopes = {{.quantity = Quantity::kOutage, .least = 500, .most = 700},
                        {.quantity = Quantity::kBadProbes, .most = 700},
                        {.quantity = Quantity::kDoubleOwner, .most = 200}}};
}

// A drill whose time goes on by hand, with a path series and a control series.
class Story {
 public:
  explicit Story(Prediction prediction, bool arms = true)
      : course_({.prediction = std::move(prediction),
                 .arms = arms,
                 .phase = milliseconds(70),
                 .series = {CourseSettings::Role::kGap, CourseSettings::Role::kControl}},
                now_) {}

  Actions Step(const CourseEvent& event) { return course_.Step(event, now_); }
  // Probes report every 100 ms for so long; what the course did meanwhile, without its looks.
  Actions Probe(milliseconds span, std::uint64_t bad = 0, std::uint64_t ok = 10,
                std::uint64_t control_bad = 0, std::size_t owners = 1) {
    Actions done;
    for (milliseconds spent{0}; spent < span; spent += milliseconds(100)) {
      now_ += milliseconds(100);
      at_ += milliseconds(100);
      ProbeProgress progress{.at = at_, .fates = {{ok, bad}, {10, control_bad}}};
      progress.owners.resize(owners);
      for (const CourseAction action : Step(ProbesSaid{progress})) {
        if (action != CourseAction::kLook) done.push_back(action);
      }
    }
    return done;
  }
  // Up to the fault.
  Story& Inject() {
    EXPECT_EQ(Probe(milliseconds(3200)), Actions{CourseAction::kArm});
    EXPECT_EQ(Step(OrderDone{}), Actions{});
    EXPECT_EQ(Probe(milliseconds(100)), Actions{CourseAction::kInject});
    EXPECT_EQ(Step(OrderDone{}), Actions{});
    EXPECT_EQ(course_.state(), CourseState::kFaulty);
    return *this;
  }
  Actions See(bool redundant, bool home) {
    return Step(
        ClusterSeen{{.directors_healthy = redundant, .synced = true, .gate_green = true}, home});
  }
  [[nodiscard]] const DrillCourse& course() const { return course_; }

 private:
  DrillCourse::Time now_{std::chrono::hours(1)};
  ProbeTime at_{0};
  DrillCourse course_;
};

TEST(DrillCourse, GoesFromACleanBaselineToTheLastProbe) {
  Story story(Crash());
  story.Inject();
  EXPECT_EQ(story.Probe(milliseconds(600), 10, 0), Actions{});  // the outage that was predicted
  EXPECT_EQ(story.Probe(milliseconds(9400)), Actions{CourseAction::kUndo});
  EXPECT_EQ(story.Step(OrderDone{}), Actions{});
  story.See(true, true);
  story.Probe(milliseconds(1000));
  story.See(true, true);
  EXPECT_EQ(story.course().state(), CourseState::kTail);
  EXPECT_EQ(story.Probe(milliseconds(2100)), Actions{CourseAction::kEndProbes});
  story.Step(ProbesEnded{});
  EXPECT_EQ(story.course().state(), CourseState::kOver);
  EXPECT_FALSE(story.course().aborted());
  EXPECT_TRUE(story.course().unhealed().empty());
}

TEST(DrillCourse, BeginsWithNothingThatIsNotClean) {
  Story story(Crash());
  const Actions done = story.Probe(milliseconds(16000), 1);
  EXPECT_EQ(done, Actions{CourseAction::kEndProbes});
  EXPECT_TRUE(story.course().aborted());
  EXPECT_FALSE(story.course().injected());
}

TEST(DrillCourse, StopsWhenRealityLeavesThePrediction) {
  struct Case {
    const char* name;
    Prediction prediction;
    milliseconds span;
    std::uint64_t bad;
    std::uint64_t ok;
    std::uint64_t control_bad;
    std::size_t owners;
  };
  const std::vector<Case> cases = {
      {"a probe is lost where none was to be", Zero(), milliseconds(100), 1, 9, 0, 1},
      {"an outage of more than twice its bound", Crash(), milliseconds(2100), 10, 0, 0, 1},
      {"two owners for too long", Crash(), milliseconds(900), 0, 10, 0, 2},
      {"the control probe fails too", Crash(), milliseconds(300), 0, 10, 1, 1},
  };
  for (const Case& one : cases) {
    Story story(one.prediction);
    story.Inject();
    EXPECT_EQ(story.Probe(one.span, one.bad, one.ok, one.control_bad, one.owners),
              Actions{CourseAction::kUndo})
        << one.name;
    EXPECT_TRUE(story.course().aborted()) << one.name;
  }
}

TEST(DrillCourse, TheOutageThatWasPredictedIsNoReasonToStop) {
  Story story(Crash());
  story.Inject();
  EXPECT_EQ(story.Probe(milliseconds(1300), 10, 0), Actions{});
}

TEST(DrillCourse, StoppingUndoesWhatIsArmedOrInjected) {
  Story armed(Crash());
  armed.Probe(milliseconds(3200));
  EXPECT_EQ(armed.Step(DrillStopped{"operator"}), Actions{CourseAction::kUndo});
  Story injected(Crash());
  injected.Inject();
  EXPECT_EQ(injected.Step(DrillStopped{"operator"}), Actions{CourseAction::kUndo});
  EXPECT_EQ(injected.Step(DrillStopped{"again"}), Actions{});
  EXPECT_EQ(injected.course().aborted(), "operator");
}

TEST(DrillCourse, AFaultThatCannotBeArmedIsNotInjected) {
  Story story(Crash());
  story.Probe(milliseconds(3200));
  EXPECT_EQ(story.Step(OrderFailed{"the disk is full"}), Actions{CourseAction::kUndo});
  EXPECT_FALSE(story.course().injected());
  EXPECT_EQ(story.course().aborted(), "the disk is full");
}

TEST(DrillCourse, AsksForTheUndoUntilTheNodeMustHaveDoneItByItself) {
  Story story(Crash());
  story.Inject();
  story.Probe(milliseconds(10000));
  ASSERT_EQ(story.course().state(), CourseState::kUndoing);
  int asked = 0;
  while (story.course().state() == CourseState::kUndoing && asked < 100) {
    story.Step(OrderFailed{"no answer"});
    for (const CourseAction action : story.Probe(milliseconds(1100))) {
      asked += action == CourseAction::kUndo ? 1 : 0;
    }
  }
  EXPECT_GT(asked, 5);
  EXPECT_EQ(story.course().state(), CourseState::kHealing);
  ASSERT_EQ(story.course().unhealed().size(), 1U);
}

TEST(DrillCourse, AnInjectionWhoseAnswerDoesNotComeCounts) {
  Story story(Crash());
  story.Probe(milliseconds(3200));
  story.Step(OrderDone{});
  story.Probe(milliseconds(100));
  story.Probe(milliseconds(5200));
  EXPECT_EQ(story.course().state(), CourseState::kFaulty);
}

TEST(DrillCourse, BringsTheVipHomeOnceWhenItsSettingsDoNot) {
  Story story(Crash());
  story.Inject();
  story.Probe(milliseconds(10000));
  story.Step(OrderDone{});
  Actions done;
  for (int i = 0; i < 50; ++i) {
    for (const CourseAction action : story.See(true, false)) done.push_back(action);
    story.Probe(milliseconds(200));
  }
  EXPECT_EQ(done, Actions{CourseAction::kBringHome});
}

TEST(DrillCourse, AClusterThatStaysBrokenIsSaidToBe) {
  Story story(Crash());
  story.Inject();
  story.Probe(milliseconds(10000));
  story.Step(OrderDone{});
  EXPECT_EQ(story.Probe(milliseconds(63000)), Actions{CourseAction::kEndProbes});
  ASSERT_EQ(story.course().unhealed().size(), 1U);
  EXPECT_EQ(story.course().unhealed().front(), "the cluster was not as before within 60 s");
}

TEST(DrillCourse, AProberThatEndsEarlyStopsTheDrill) {
  Story story(Crash());
  story.Inject();
  EXPECT_EQ(story.Step(ProbesEnded{"killed"}), Actions{CourseAction::kUndo});
  EXPECT_EQ(story.course().aborted(), "the probes ended too early: killed");
}

}  // namespace
}  // namespace drover
