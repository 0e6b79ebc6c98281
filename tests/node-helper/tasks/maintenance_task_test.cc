// Hosts under maintenance: what the task remembers, and what a rollout makes of it.
#include "node-helper/tasks/maintenance_task.h"

#include <gtest/gtest.h>

#include "node-helper/store/maintenance.h"
#include "node-helper/tasks/converge_task.h"
#include "tests/fakes/fake_daemon.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/node-helper/store/samples.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

const Maintenance kFirst{"rs1", {IpAddress::V4({10, 0, 0, 11})}, "maintenance", "ann", "ctl", 1};
const Maintenance kSelf{"lb1", {}, "maintenance", "ann", "ctl", 1};

class MaintenanceOfHosts : public ::testing::Test {
 protected:
  MaintenanceOfHosts() : store_(folder_ / "state"), daemon_(store_) {
    context_.store = &store_;
    context_.daemon = &daemon_;
    context_.kernel = [this](bool) -> Result<Kernel*> { return &kernel_; };
    InstanceStatus master;
    master.name = "web";
    master.state = "master";
    daemon_.status.instances = {master};
  }
  TaskResult Turn(bool on, const Maintenance& maintenance, bool check = false) {
    return RunMaintenanceTask(MaintenanceTask{on, maintenance}, check, context_);
  }
  TaskResult Converge(const DesiredState& state) {
    ProgramCourse course;
    course.run.owner = "web";
    return RunConvergeTask(ConvergeTask{state}, false, course, context_);
  }
  std::vector<Maintenance> List() { return LoadMaintenance(store_).value(); }
  std::vector<std::uint32_t> Weights() {
    std::vector<std::uint32_t> weights;
    for (const Destination& destination : kernel_.state().services.at(0).destinations) {
      weights.push_back(destination.weight);
    }
    return weights;
  }

  TempFolder folder_;
  Store store_;
  FakeKernel kernel_;
  FakeDaemon daemon_;
  TaskContext context_;
};

TEST_F(MaintenanceOfHosts, IsRememberedAndTold) {
  const TaskResult result = Turn(true, kFirst);
  ASSERT_EQ(result.status, TaskStatus::kChanged) << result.message;
  EXPECT_EQ(OneLine(result.changes.at(0)), "add maintenance of rs1 (maintenance)");
  EXPECT_EQ(result.changes[0].after, "weight 0 for 10.0.0.11");
  EXPECT_EQ(List(), std::vector<Maintenance>{kFirst});
  EXPECT_EQ(daemon_.reloads, 1);
}

TEST_F(MaintenanceOfHosts, AskedForAgainChangesNothing) {
  Turn(true, kFirst);
  Maintenance again = kFirst;
  again.user = "bob";
  again.since = 99;
  EXPECT_EQ(Turn(true, again).status, TaskStatus::kOk);
  EXPECT_EQ(List(), std::vector<Maintenance>{kFirst});
  again.reason = "remove";
  EXPECT_EQ(Turn(true, again).status, TaskStatus::kChanged);
  EXPECT_EQ(List(), std::vector<Maintenance>{again});
  EXPECT_EQ(Turn(false, again).status, TaskStatus::kChanged);
  EXPECT_EQ(Turn(false, again).status, TaskStatus::kOk);
  EXPECT_TRUE(List().empty());
}

TEST_F(MaintenanceOfHosts, CheckModeSaysItAndChangesNothing) {
  EXPECT_EQ(Turn(true, kFirst, /*check=*/true).status, TaskStatus::kChanged);
  EXPECT_TRUE(List().empty());
  EXPECT_EQ(daemon_.reloads, 0);
}

TEST_F(MaintenanceOfHosts, NeedsTheDaemon) {
  daemon_.runs = false;
  EXPECT_EQ(Turn(true, kFirst).status, TaskStatus::kFailed);
  EXPECT_TRUE(List().empty());
}

TEST_F(MaintenanceOfHosts, ADaemonOfAnEarlierVersionIsToldAbout) {
  daemon_.knows_maintenance = false;
  EXPECT_EQ(Turn(true, kFirst).status, TaskStatus::kFailed);
  EXPECT_TRUE(List().empty());
  EXPECT_EQ(Turn(true, kSelf).status, TaskStatus::kFailed);
  EXPECT_FALSE(daemon_.status.instances[0].yielded);
  EXPECT_TRUE(List().empty());
}

TEST_F(MaintenanceOfHosts, ARolloutNeitherRaisesTheWeightNorCallsItAChange) {
  const DesiredState state = State({}, {}, {Web()});
  Converge(state);
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 1}));
  Turn(true, kFirst);
  kernel_.state().services[0].destinations[0].weight = 0;  // as the daemon does
  const TaskResult result = Converge(state);
  EXPECT_EQ(result.status, TaskStatus::kOk) << result.changes.size();
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 1}));
}

TEST_F(MaintenanceOfHosts, ARealServerThatIsNewAndUnderMaintenanceEntersWithWeightZero) {
  Turn(true, kFirst);
  for (const bool watched : {false, true}) {
    kernel_.state().services.clear();
    DesiredState state = State({}, {}, {Web()});
    if (watched) {
      state.watches.emplace_back();
      state.watches[0].service = Web().key;
      state.watches[0].checks = {CheckSettings{TcpCheck{}}};
      state.watches[0].checks[0].initial = InitialState::kUp;
      state.watches[0].on_failure = OnFailure::kRemove;
    }
    const TaskResult result = Converge(state);
    ASSERT_EQ(result.status, TaskStatus::kChanged) << result.message;
    EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 1})) << watched;
  }
}

TEST_F(MaintenanceOfHosts, ADirectorHandsOverFirstAndMayReturnAfterwards) {
  ASSERT_EQ(Turn(true, kSelf).status, TaskStatus::kChanged);
  EXPECT_TRUE(daemon_.status.instances[0].yielded);
  EXPECT_EQ(List(), std::vector<Maintenance>{kSelf});
  ASSERT_EQ(Turn(false, kSelf).status, TaskStatus::kChanged);
  EXPECT_FALSE(daemon_.status.instances[0].yielded);
  EXPECT_TRUE(List().empty());
}

}  // namespace
}  // namespace drover
