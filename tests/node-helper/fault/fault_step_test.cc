// Steps of faults and journals as text, and the order of undoing.

#include "node-helper/fault/fault_step.h"

#include <gtest/gtest.h>

#include "node-helper/fault/drill_journal.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

FaultStep Step(StepKind kind) { return {.kind = kind, .text = "", .items = {}, .number = 0}; }

DrillJournal Sample() {
  DrillJournal journal;
  journal.boot_id = "b1";
  journal.task.order.drill_id = "drill-1";
  journal.task.order.fault = Fault::kDirectorCrash;
  journal.task.order.interfaces = {"eth0"};
  journal.task.order.vips = {IpAddress::V4({10, 0, 0, 100})};
  journal.task.lease = std::chrono::milliseconds(2500);
  journal.guards = {"guardian", "watchman"};
  journal.steps = {{.kind = StepKind::kFilter,
                    .text = "table netdev x {\n}\n",
                    .items = {{.name = "netdev"}},
                    .number = 0},
                   {.kind = StepKind::kSysctls,
                    .text = "",
                    .items = {{.name = "net/ipv4/ip_forward", .before = "1", .during = "0"}},
                    .number = 0},
                   {.kind = StepKind::kClock,
                    .text = "",
                    .items = {{.name = "wall clock", .number = 1'700'000'000'000'000}},
                    .number = -3600}};
  return journal;
}

TEST(FaultStep, EveryKindHasAWordThatIsReadBack) {
  for (int i = 0; i <= static_cast<int>(StepKind::kYield); ++i) {
    const auto kind = static_cast<StepKind>(i);
    EXPECT_EQ(ParseStepKind(ToString(kind)), kind);
  }
  EXPECT_FALSE(ParseStepKind("explode").has_value());
}

TEST(FaultStep, StepsSurviveTheirText) {
  const auto steps = Sample().steps;
  EXPECT_EQ(DecodeSteps(EncodeSteps(steps)), steps);
  EXPECT_FALSE(DecodeSteps(R"({"steps":[{"kind":"filter"}]})").has_value());
  EXPECT_FALSE(DecodeSteps("{").has_value());
}

TEST(FaultStep, WhatKeepsPacketsAwayIsUndoneFirstAndTheRestFromTheLast) {
  const auto order = UndoOrder({Step(StepKind::kHelper), Step(StepKind::kFilter),
                                Step(StepKind::kFill), Step(StepKind::kBurn)});
  std::vector<StepKind> kinds;
  for (const FaultStep& step : order) kinds.push_back(step.kind);
  EXPECT_EQ(kinds, (std::vector{StepKind::kFilter, StepKind::kBurn, StepKind::kFill,
                                StepKind::kHelper}));
}

TEST(FaultStep, OnlyFilesOutliveAReboot) {
  for (int i = 0; i <= static_cast<int>(StepKind::kYield); ++i) {
    const auto kind = static_cast<StepKind>(i);
    EXPECT_EQ(IsPersistent(Step(kind)), kind == StepKind::kFill);
  }
}

TEST(DrillJournal, SurvivesTheDisk) {
  const TempFolder folder;
  const DrillJournals journals(folder / "state");
  EXPECT_TRUE(journals.Ids().empty());
  EXPECT_EQ(journals.Load("drill-1").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(journals.Save(Sample()).has_value());
  EXPECT_EQ(journals.Load("drill-1"), Sample());
  EXPECT_EQ(journals.Ids(), std::vector<std::string>{"drill-1"});
  ASSERT_TRUE(journals.Remove("drill-1").has_value());
  EXPECT_TRUE(journals.Remove("drill-1").has_value());  // twice is as good
  EXPECT_TRUE(journals.Ids().empty());
}

TEST(DrillJournal, ATextThatIsCutIsAnError) {
  const std::string text = EncodeJournal(Sample());
  EXPECT_EQ(DecodeJournal(text), Sample());
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    EXPECT_FALSE(DecodeJournal(text.substr(0, size)).has_value()) << size;
  }
}

}  // namespace
}  // namespace drover
