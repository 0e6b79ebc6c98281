// Converge, prune and handover of what the daemon carries out.
#include <gtest/gtest.h>

#include "node-helper/converge/dry_run_kernel.h"
#include "node-helper/tasks/converge_task.h"
#include "node-helper/tasks/daemon_tasks.h"
#include "tests/fakes/fake_daemon.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/node-helper/store/samples.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

VrrpInstance Instance(const std::string& address = "10.0.0.100/32") {
  VrrpInstance instance;
  instance.name = "web";
  instance.interface = "eth0";
  instance.version = 2;
  instance.vrid = 51;
  instance.password = "s3cret";
  instance.addresses = {Prefix::Parse(address).value()};
  return instance;
}

ServiceWatch Watch() {
  ServiceWatch watch;
  watch.service = Web().key;
  watch.checks = {CheckSettings{TcpCheck{}}};
  return watch;
}

std::string Lines(const TaskResult& result) {
  std::string text = result.message;
  for (const ChangeText& change : result.changes) text += OneLine(change) + "\n";
  return text;
}

class DaemonParts : public ::testing::Test {
 protected:
  DaemonParts() : store_(folder_ / "state"), daemon_(store_) {
    context_.store = &store_;
    context_.daemon = &daemon_;
    context_.kernel = [this](bool check) -> Result<Kernel*> {
      if (!check) return &kernel_;
      dry_.emplace(kernel_);
      return &*dry_;
    };
    context_.ensure_service = [this](bool check) -> Result<std::vector<ChangeText>> {
      if (daemon_.runs) return std::vector<ChangeText>{};
      if (!check) daemon_.runs = true;
      return std::vector<ChangeText>{{"change", "system service", "stopped", "running", "stopped"}};
    };
  }
  TaskResult Converge(const DesiredState& state, bool check = false) {
    return RunConvergeTask(ConvergeTask{state}, check, course_, context_);
  }
  TaskResult Prune(const DesiredState& whole, bool check = false) {
    return RunPruneTask(PruneTask{whole, {"dns"}}, check, course_, context_);
  }
  static ProgramCourse CourseOfWeb() {
    ProgramCourse course;
    course.run.owner = "web";
    return course;
  }
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
  std::optional<DryRunKernel> dry_;
  TaskContext context_;
  ProgramCourse course_ = CourseOfWeb();
};

TEST_F(DaemonParts, InstanceIsRecordedToldAndWaitedForWithoutItsPassword) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  daemon_.runs = false;
  const TaskResult checked = Converge(state, true);
  EXPECT_EQ(daemon_.reloads, 0);
  const TaskResult result = Converge(state);
  EXPECT_EQ(result.status, TaskStatus::kChanged) << Lines(result);
  EXPECT_EQ(result.changes, checked.changes);
  EXPECT_EQ(result.changes.size(), 2U) << Lines(result);  // the service, the instance
  EXPECT_EQ(Lines(result).find("s3cret"), std::string::npos);
  EXPECT_EQ(daemon_.loaded().vrrp_instances, state.vrrp_instances);
  // 3 adverts and the skew, the same again to replace a lower master, connection tables, a second.
  EXPECT_EQ(daemon_.waited, std::chrono::milliseconds{4000 + 4000 + 5000 + 1000});
  const TaskResult again = Converge(state);
  EXPECT_EQ(again.status, TaskStatus::kOk) << Lines(again);
}

TEST_F(DaemonParts, AnotherPasswordIsAChangeThatDoesNotShowIt) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  Converge(state);
  state.vrrp_instances[0].password = "0ther";
  const TaskResult result = Converge(state);
  ASSERT_EQ(result.changes.size(), 1U);
  EXPECT_EQ(result.changes[0].verb, "change");
  EXPECT_EQ(result.changes[0].reason, "the password is another");
  EXPECT_EQ(Lines(result).find("0ther"), std::string::npos);
}

TEST_F(DaemonParts, WhatIsNotSettledInTimeIsSaid) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  daemon_.open = {"vrrp_instance web: no master is heard yet"};
  EXPECT_EQ(Converge(state).message, daemon_.open[0]);
}

TEST_F(DaemonParts, ADaemonThatRefusesTheRecordFailsTheTask) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  daemon_.reload_error = "vrrp_instance web: no interface eth0";
  const TaskResult result = Converge(state);
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_EQ(result.message, daemon_.reload_error);
}

TEST_F(DaemonParts, DeadRealServerKeepsItsWeightOfZeroWhenASessionConverges) {
  DesiredState state = State({}, {}, {Web()});
  state.watches = {Watch()};
  Converge(state);
  daemon_.dead = {Web().destinations[1].endpoint()};
  kernel_.state().services[0].destinations[1].weight = 0;  // what the daemon does then
  const TaskResult again = Converge(state);
  EXPECT_EQ(again.status, TaskStatus::kOk) << Lines(again);
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 0}));
  EXPECT_EQ(Converge(state, true).status, TaskStatus::kOk);
  // Also by a task that knows nothing of the checks.
  EXPECT_EQ(Converge(State({}, {}, {Web()})).status, TaskStatus::kOk);
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 0}));
}

// The daemon hears of a record before the session sets it, and may be the faster one.
TEST_F(DaemonParts, WhatTheDaemonSetsFirstIsAChangeOfTheRunAllTheSame) {
  DesiredState state = State({Vip("10.0.0.100/32")}, {}, {Web()});
  state.watches = {Watch()};
  Converge(state);
  daemon_.on_reload = [this](const Overlay& overlay) {
    kernel_.state().services = {overlay.services.at(0).effective};
  };
  state.services[0].destinations[0].weight = 3;
  state.services[0].destinations[1].lower_threshold = 5;
  state.services[0].destinations[1].upper_threshold = 9;
  const TaskResult checked = Converge(state, true);
  ASSERT_EQ(checked.changes.size(), 2U) << Lines(checked);
  const TaskResult result = Converge(state);
  EXPECT_EQ(result.status, TaskStatus::kChanged);
  EXPECT_EQ(result.changes, checked.changes) << Lines(result);
  EXPECT_EQ(Converge(state).status, TaskStatus::kOk);
  // What it does of its own accord, between two looks of a run that asks nothing new, is not.
  kernel_.state().services[0].destinations[0].weight = 7;
  EXPECT_EQ(Converge(state).status, TaskStatus::kOk);
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{3, 1}));
}

TEST_F(DaemonParts, WhenTheSessionFailsWhatTheDaemonSetIsStillTold) {
  DesiredState state = State({}, {}, {Web()});
  state.watches = {Watch()};
  Converge(state);
  daemon_.on_reload = [this](const Overlay& overlay) {
    kernel_.state().services = {overlay.services.at(0).effective};
  };
  state.services[0].destinations[0].weight = 3;
  state.addresses = {Vip("10.0.0.100/32"), Vip("10.0.0.101/32")};
  kernel_.FailNth(1, Error{ErrorCode::kDenied, "refused here"});
  const TaskResult result = Converge(state);
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  ASSERT_EQ(result.changes.size(), 1U) << Lines(result);
  EXPECT_EQ(result.changes[0].resource, "real server 10.0.0.11:80 of service tcp 10.0.0.100:80");
}

TEST_F(DaemonParts, CheckForeseesNewRealServersAsTheirChecksTakeThemAtFirst) {
  DesiredState state = State({}, {}, {Web()});
  state.watches = {Watch()};
  daemon_.dead = {Web().destinations[0].endpoint(), Web().destinations[1].endpoint()};
  const TaskResult checked = Converge(state, true);
  const TaskResult result = Converge(state);
  EXPECT_EQ(result.changes, checked.changes) << Lines(checked) << "\n" << Lines(result);
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 0}));
  EXPECT_NE(Lines(result).find("its checks give the weight"), std::string::npos);
}

TEST_F(DaemonParts, ServersInUseStayInUseWhenChecksAreSwitchedOn) {
  Converge(State({}, {}, {Web()}));
  DesiredState state = State({}, {}, {Web()});
  state.watches = {Watch()};
  EXPECT_EQ(Converge(state, true).changes.size(), 1U);  // the checks
}

TEST_F(DaemonParts, AnAddressThatMovesToAnInstanceIsNotPruned) {
  const DesiredState fixed = State({Vip("10.0.0.100/32", "eth0"), Vip("10.0.0.101/32", "eth0")});
  Converge(fixed);
  Prune(fixed);
  DesiredState moved;
  moved.vrrp_instances = {Instance()};
  Converge(moved);
  const TaskResult pruned = Prune(moved);
  EXPECT_EQ(kernel_.state().addresses,
            (std::vector<InterfaceAddress>{Vip("10.0.0.100/32", "eth0")}))
      << Lines(pruned);
  EXPECT_TRUE(store_.Load("web")->state.addresses.empty());
}

TEST_F(DaemonParts, EndOfARunReloadsAndSettlesTheForms) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  Converge(state);
  Prune(state);
  EXPECT_EQ(daemon_.settled, (std::vector<std::vector<std::string>>{{"dns"}}));
  const TaskResult checked = Prune(DesiredState(), true);
  const TaskResult gone = Prune(DesiredState());
  EXPECT_EQ(gone.changes, checked.changes);
  ASSERT_EQ(gone.changes.size(), 1U);
  EXPECT_EQ(gone.changes[0].verb, "remove");
  EXPECT_TRUE(daemon_.loaded().vrrp_instances.empty());
}

TEST_F(DaemonParts, DaemonHearsOfRecordsThatChangedAndOnlyThen) {
  const DesiredState state = State({Vip("10.0.0.100/32")});
  Converge(state);
  EXPECT_EQ(daemon_.reloads, 1);
  Converge(state);
  EXPECT_EQ(daemon_.reloads, 1);
  Prune(state);  // complete now
  EXPECT_EQ(daemon_.reloads, 2);
  Prune(state);
  EXPECT_EQ(daemon_.reloads, 2);
}

TEST_F(DaemonParts, YieldWaitsForTheNewMasterAndReturnIsOnlyForWhoYielded) {
  InstanceStatus web;
  web.name = "web";
  web.state = "master";
  daemon_.status.instances = {web};
  const HandoverTask yield{HandoverMove::kYield, {}};
  EXPECT_EQ(RunHandoverTask(yield, true, context_).changes.size(), 1U);
  EXPECT_EQ(daemon_.status.instances[0].state, "master");
  EXPECT_EQ(RunHandoverTask(yield, false, context_).status, TaskStatus::kChanged);
  EXPECT_EQ(daemon_.status.instances[0].state, "backup");
  EXPECT_EQ(RunHandoverTask(yield, false, context_).status, TaskStatus::kOk);
  EXPECT_FALSE(daemon_.moved_with_run);
  const HandoverTask back{HandoverMove::kReturn, {"web"}};
  EXPECT_EQ(RunHandoverTask(back, false, context_).status, TaskStatus::kChanged);
  EXPECT_EQ(RunHandoverTask(back, false, context_).status, TaskStatus::kOk);
  EXPECT_EQ(RunHandoverTask(HandoverTask{HandoverMove::kYield, {"nobody"}}, false, context_).code,
            ErrorCode::kNotFound);
  daemon_.status.instances = {web};
  EXPECT_EQ(RunHandoverTask(HandoverTask{.with_run = true}, false, context_).status,
            TaskStatus::kChanged);
  EXPECT_TRUE(daemon_.moved_with_run);
}

TEST_F(DaemonParts, StatusNeedsADaemon) {
  daemon_.status.host = "lb1";
  EXPECT_EQ(std::get<NodeStatus>(RunStatusTask(context_).detail).host, "lb1");
  daemon_.runs = false;
  EXPECT_EQ(RunStatusTask(context_).code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace drover
