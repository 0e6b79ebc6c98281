#include "node-helper/undo/service_subjects.h"

#include <gtest/gtest.h>

#include "tests/node-helper/undo/fake_init.h"

namespace drover {
namespace {

class ServiceSubjectsTest : public ::testing::Test {
 protected:
  ServiceSubjectsTest() { Do("start"); }
  void Do(const std::string& verb) { ASSERT_TRUE(FakeInit(machine_).Tell("nginx", verb)); }
  std::string Captured() { return services_->Capture("nginx").value(); }
  // What was told to the init system.
  std::string Restore(const std::string& captured) {
    machine_.log.clear();
    std::vector<ChangeText> done;
    const Status restored = services_->Restore("nginx", captured, done);
    return machine_.log + (restored ? "" : "error: " + restored.error().message);
  }

  Machine machine_;
  std::unique_ptr<UndoSubjects> services_ =
      MakeServiceSubjects(std::make_unique<FakeInit>(machine_));
};

TEST_F(ServiceSubjectsTest, OneThatWasStartedIsStopped) {
  Do("stop");
  const std::string captured = Captured();
  Do("start");
  EXPECT_EQ(Restore(captured), "stop;");
  EXPECT_EQ(Restore(captured), "");
}

TEST_F(ServiceSubjectsTest, OneThatWasStoppedAndDisabledRunsAgain) {
  machine_.status.enabled = true;
  const std::string captured = Captured();
  Do("stop");
  machine_.status.enabled = false;
  EXPECT_EQ(Restore(captured), "enable;start;");
}

TEST_F(ServiceSubjectsTest, OneThatWasRestartedReadsItsOldFilesByARestart) {
  const std::string captured = Captured();
  Do("restart");
  EXPECT_EQ(Restore(captured), "restart;");
}

TEST_F(ServiceSubjectsTest, OneThatWasReloadedIsReloaded) {
  machine_.status.can_reload = true;
  const std::string captured = Captured();
  Do("reload");
  EXPECT_EQ(Restore(captured), "reload;");
}

TEST_F(ServiceSubjectsTest, OneThatCannotBeReloadedAndIsTheSameProcessIsLeftAlone) {
  EXPECT_EQ(Restore(Captured()), "");
}

TEST_F(ServiceSubjectsTest, WhereNobodyKnowsTheProcessItIsRestarted) {
  machine_.knows_pids = false;
  Do("restart");
  const std::string captured = Captured();
  Do("reload");
  EXPECT_EQ(Restore(captured), "restart;");
}

TEST_F(ServiceSubjectsTest, OneThatCameWithTheRunIsStoppedAndDisabled) {
  machine_.status = InitServiceStatus{};
  const std::string captured = Captured();
  EXPECT_EQ(Restore(captured), "");
  machine_.status = {.exists = true, .running = true, .enabled = true};
  EXPECT_EQ(Restore(captured), "disable;stop;");
}

TEST_F(ServiceSubjectsTest, OneThatIsGoneIsNamed) {
  const std::string captured = Captured();
  machine_.status = InitServiceStatus{};
  EXPECT_EQ(Restore(captured),
            "error: system service nginx: it was there before the run and is gone; its package can "
            "bring it back");
}

TEST_F(ServiceSubjectsTest, ARefusalIsToldAndTheRestIsDone) {
  machine_.status.enabled = true;
  const std::string captured = Captured();
  Do("stop");
  machine_.status.enabled = false;
  machine_.refuses = "start";
  EXPECT_EQ(Restore(captured), "enable;start;error: cannot start");
}

}  // namespace
}  // namespace drover
