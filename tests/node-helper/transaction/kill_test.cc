// A kill at any moment of a run leaves a node that becomes what it was, or stays what it became:
// every point between two steps is tried.
#include "tests/node-helper/transaction/node_under_runs.h"

namespace drover {
namespace {

using std::chrono::seconds;

class KillTest : public NodeUnderRuns {
 protected:
  // A second run, killed somewhere; true when it was.
  bool KilledInSecondRun() {
    try {
      Begin(RunOf("two"));
      Change(RunOf("two"), second_);
    } catch (const Killed&) {
      return true;
    }
    return false;
  }
  void SpareAll() {
    capture_fuse_ = {};
    kernel_fuse_ = {};
    guard_fuse_ = {};
  }
  // What happens then: nobody says anything, the deadline passes, a guard or a daemon looks.
  void ComeToAnEnd() {
    SpareAll();
    Wait(seconds(31));
    for (int looks = 0; looks < 3 && journal_.exists(); ++looks) Guard();
    EXPECT_FALSE(journal_.exists());
  }
};

TEST_F(KillTest, WhileItPreparesToGoBack) {
  Rollout("one", first_);
  const Look before = LookAtAll();
  for (Fuse* fuse : {&capture_fuse_, &guard_fuse_}) {
    for (int at = 1;; ++at) {
      fuse->left = at;
      const bool killed = KilledInSecondRun();
      if (killed) {
        EXPECT_EQ(LookAtAll(), before) << at;  // nothing was changed yet
      }
      ComeToAnEnd();
      EXPECT_EQ(LookAtAll(), before) << at;
      // The next run is not in anybody's way.
      EXPECT_NE(Begin(RunOf("next")).status, TaskStatus::kFailed);
      EXPECT_EQ(One(RunOf("next"), ReleaseTask{}).status, TaskStatus::kOk);
      if (!killed) break;
    }
  }
}

TEST_F(KillTest, InTheMiddleOfItsChanges) {
  Rollout("one", first_);
  const Look before = LookAtAll();
  for (int at = 1;; ++at) {
    kernel_fuse_.left = at;
    const bool killed = KilledInSecondRun();
    ComeToAnEnd();
    EXPECT_EQ(LookAtAll(), before) << at;
    if (!killed) {
      EXPECT_GT(at, 3);  // there was something to kill
      break;
    }
  }
}

TEST_F(KillTest, BetweenTwoStepsOfAConfirm) {
  Rollout("one", first_);
  const Look before = LookAtAll();
  for (std::size_t done = 0; done <= 5; ++done) {
    SCOPED_TRACE(done);
    ASSERT_EQ(Begin(RunOf("two")).status, TaskStatus::kOk);
    ASSERT_NE(Change(RunOf("two"), second_).status, TaskStatus::kFailed);
    {
      Transaction transaction(Parts());
      transaction.Enter(RunOf("two"));
      const auto steps = transaction.ConfirmSteps();
      ASSERT_EQ(steps.size(), 5U);
      for (std::size_t i = 0; i < done; ++i) ASSERT_TRUE(steps[i]());
    }
    ComeToAnEnd();
    const Look now = LookAtAll();
    const bool stays = now.record == second_;
    EXPECT_EQ(stays, done >= 3);  // the third step is the one that counts
    if (!stays) {
      EXPECT_EQ(now, before);
      continue;
    }
    EXPECT_EQ(now.kernel.addresses, second_.addresses);
    EXPECT_EQ(now.generations, (std::vector<std::uint64_t>{2, 1}));
    // The orchestrator, which got no answer, asks once more.
    Begin(RunOf("two"));
    EXPECT_EQ(One(RunOf("two"), ConfirmTask{}).status, TaskStatus::kOk);
    EXPECT_TRUE(IsFree());
    // And back for the next round.
    ASSERT_EQ(Begin(RunOf("back")).status, TaskStatus::kOk);
    ASSERT_NE(Change(RunOf("back"), first_).status, TaskStatus::kFailed);
    ASSERT_TRUE(store_.Save(store_.GenerationsOf("web").Load(1).value()));
    ASSERT_TRUE(store_.GenerationsOf("web").ForgetRun("two"));
    ASSERT_TRUE(journal_.Drop());
    ASSERT_TRUE(RunLockFile(store_.directory()).Remove());
    ASSERT_EQ(LookAtAll(), before);
  }
}

TEST_F(KillTest, BetweenTwoStepsOfGoingBack) {
  Rollout("one", first_);
  const Look before = LookAtAll();
  for (std::size_t done = 0;; ++done) {
    SCOPED_TRACE(done);
    ASSERT_NE(Begin(RunOf("two")).status, TaskStatus::kFailed);
    ASSERT_NE(Change(RunOf("two"), second_).status, TaskStatus::kFailed);
    things_["firewall"] = "closed";
    Wait(seconds(31));
    bool all = false;
    {
      GoingBack going(GoBack());
      ASSERT_TRUE(going.Begin("test"));
      const auto steps = going.Steps();
      all = done >= steps.size();
      for (std::size_t i = 0; i < std::min(done, steps.size()); ++i) ASSERT_TRUE(steps[i]());
    }
    // A word that comes late does not stop it.
    Speak(EncodePulse(Pulse{"two"}) + "\n");
    ComeToAnEnd();
    EXPECT_EQ(LookAtAll(), before);
    EXPECT_TRUE(IsFree());
    if (all) break;
  }
}

TEST_F(KillTest, InTheMiddleOfAStepOfGoingBack) {
  Rollout("one", first_);
  const Look before = LookAtAll();
  for (Fuse* fuse : {&capture_fuse_, &kernel_fuse_}) {
    for (int at = 1;; ++at) {
      ASSERT_NE(Begin(RunOf("two")).status, TaskStatus::kFailed);
      ASSERT_NE(Change(RunOf("two"), second_).status, TaskStatus::kFailed);
      things_["routing"] = "none";
      Wait(seconds(31));
      fuse->left = at;
      bool killed = false;
      try {
        Guard();
      } catch (const Killed&) {
        killed = true;
      }
      ComeToAnEnd();
      EXPECT_EQ(LookAtAll(), before) << at;
      if (!killed) {
        EXPECT_GT(at, 2);
        break;
      }
    }
  }
}

}  // namespace
}  // namespace drover
