// When a guard acts, and the board as several processes see it.

#include "node-helper/fault/drill_board.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

TEST(GuardAct, TheGuardianComesInTimeAndTheWatchmanWhenItDidNot) {
  constexpr BoardTime kNow = 100'000'000;
  const GuardView fine{.now = kNow, .lease_until = kNow + 1};
  GuardView injected = fine;
  injected.began = kNow - 10;
  injected.deadline = kNow + 1;
  GuardView over = injected;
  over.deadline = kNow;
  GuardView long_over = injected;
  long_over.deadline = kNow - 400'000;
  GuardView unheard = injected;
  unheard.lease_until = kNow;
  GuardView armed_and_unheard = fine;
  armed_and_unheard.lease_until = kNow - 400'000;
  GuardView undone = long_over;
  undone.undone = kNow - 1;
  struct Case {
    const char* name;
    GuardView view;
    GuardAct guardian;
    GuardAct watchman;
  };
  for (const Case& c : {Case{"armed", fine, GuardAct::kWait, GuardAct::kWait},
                        Case{"injected", injected, GuardAct::kWait, GuardAct::kWait},
                        Case{"over", over, GuardAct::kUndo, GuardAct::kWait},
                        Case{"long over", long_over, GuardAct::kUndo, GuardAct::kUndo},
                        Case{"unheard", unheard, GuardAct::kUndo, GuardAct::kWait},
                        Case{"never injected, long unheard", armed_and_unheard, GuardAct::kUndo,
                             GuardAct::kUndo},
                        Case{"undone", undone, GuardAct::kLeave, GuardAct::kLeave}}) {
    EXPECT_EQ(ActOf(c.view, GuardRole::kGuardian), c.guardian) << c.name;
    EXPECT_EQ(ActOf(c.view, GuardRole::kWatchman), c.watchman) << c.name;
  }
}

TEST(DrillBoard, WhatOneWritesTheOtherReads) {
  const TempFolder folder;
  EXPECT_EQ(DrillBoard::Open(folder / "run", "d1").error().code, ErrorCode::kNotFound);
  const auto first = DrillBoard::Create(folder / "run", "d1");
  ASSERT_TRUE(first.has_value());
  const auto second = DrillBoard::Open(folder / "run", "d1");
  ASSERT_TRUE(second.has_value());
  (*first)->page().lease = 5'000'000;
  (*second)->Renew();
  EXPECT_GT((*first)->page().lease_until, BoardNow() + 4'000'000);
  EXPECT_FALSE((*first)->Lives(GuardRole::kGuardian));
  (*second)->page().beat[0] = BoardNow();
  EXPECT_TRUE((*first)->Lives(GuardRole::kGuardian));
  EXPECT_FALSE((*first)->Lives(GuardRole::kWatchman));
  (*first)->WriteResidue({"one", std::string(5000, 'x')});
  ASSERT_EQ((*second)->Residue().size(), 2U);
  EXPECT_EQ((*second)->Residue()[0], "one");
  (*first)->WriteResidue({});
  EXPECT_TRUE((*second)->Residue().empty());
}

TEST(DrillBoard, OneAtATimeHasItsLock) {
  const TempFolder folder;
  const auto first = DrillBoard::Create(folder / "run", "d1");
  const auto second = DrillBoard::Open(folder / "run", "d1");
  ASSERT_TRUE(first.has_value() && second.has_value());
  constexpr std::chrono::milliseconds kNone{0};
  EXPECT_TRUE((*first)->Lock(kNone));
  EXPECT_FALSE((*second)->Lock(kNone));
  (*first)->Unlock();
  EXPECT_TRUE((*second)->Lock(kNone));
}

TEST(DrillBoard, AFileThatIsNoneIsRefused) {
  const TempFolder folder;
  ASSERT_TRUE(DrillBoard::Create(folder / "run", "d1").has_value());
  const std::string path = DrillBoard::PathOf(folder / "run", "d1");
  std::ofstream(path, std::ios::trunc) << "short";
  EXPECT_EQ(DrillBoard::Open(folder / "run", "d1").error().code, ErrorCode::kInvalid);
  std::ofstream(path, std::ios::trunc) << std::string(sizeof(BoardPage), '\0');
  EXPECT_EQ(DrillBoard::Open(folder / "run", "d1").error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace drover
