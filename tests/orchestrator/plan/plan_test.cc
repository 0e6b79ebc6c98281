#include "orchestrator/plan/plan.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

HostResult ResultOf(std::size_t play, std::size_t task, const std::string& host, TaskStatus status,
                    std::vector<ChangeText> changes = {}) {
  HostResult result;
  result.place = {.play = play, .task = task, .item = 0, .host = host};
  result.result.status = status;
  result.result.changes = std::move(changes);
  return result;
}

const ChangeText kAdd{"add", "address 10.0.0.9/32 on lo", "", "10.0.0.9/32", "missing"};
const ChangeText kRemove{"remove", "service tcp 10.0.0.9:80", "rr", "", "left the playbook"};
const ChangeText kChange{"change", "sysctl net/ipv4/ip_forward", "0", "1", "is 0"};

TEST(Plan, GathersChangesByHostWithTheTaskThatMendsThem) {
  const CompiledRun run = RunBuilder().Play("p", {"a", "b"}).Task("one").Task("two").Build();
  PlanCollector collector(run);
  collector.Add(ResultOf(0, 0, "a", TaskStatus::kChanged, {kAdd, kChange}));
  collector.Add(ResultOf(0, 0, "b", TaskStatus::kOk));
  collector.Add(ResultOf(0, 1, "a", TaskStatus::kChanged, {kRemove}));
  const HostPlans& plans = collector.plans();
  EXPECT_EQ(
      plans.at("a").changes,
      (std::vector<PlannedChange>{{"one", kAdd, {}}, {"one", kChange, {}}, {"two", kRemove, {}}}));
  EXPECT_TRUE(plans.at("b").changes.empty());
  EXPECT_EQ(CountsOf(plans),
            (PlanCounts{.add = 1, .change = 1, .remove = 1, .hosts_changed = 1, .hosts = 2}));
  EXPECT_TRUE(IsWhole(plans));
}

TEST(Plan, ChangeThatIsNotToldCountsAsOne) {
  const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("secret").Build();
  PlanCollector collector(run);
  collector.Add(ResultOf(0, 0, "a", TaskStatus::kChanged));
  EXPECT_EQ(CountsOf(collector.plans()).change, 1);
}

TEST(Plan, CommandThatACheckRunPassesOverIsUnknownNotUnchanged) {
  const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("restart it").Build();
  PlanCollector collector(run);
  collector.Add(ResultOf(0, 0, "a", TaskStatus::kSkipped));
  EXPECT_EQ(collector.plans().at("a").unknown, std::vector<std::string>{"restart it"});
  EXPECT_EQ(CountsOf(collector.plans()).all(), 0);
}

TEST(Plan, CommandThatNeverChangesAnythingIsNotUnknown) {
  RunBuilder builder;
  builder.Play("p", {"a"}).Task("look");
  std::get<CommandTask>(std::get<Task>(builder.last().hosts["a"][0].action).action).reports_change =
      false;
  const CompiledRun run = builder.Build();
  PlanCollector collector(run);
  collector.Add(ResultOf(0, 0, "a", TaskStatus::kSkipped));
  EXPECT_TRUE(collector.plans().at("a").unknown.empty());
}

TEST(Plan, HostThatCannotBeReachedMakesThePlanIncomplete) {
  const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("one").Build();
  PlanCollector collector(run);
  HostResult lost = ResultOf(0, 0, "a", TaskStatus::kFailed);
  lost.unreachable = true;
  lost.result.message = "no route to host";
  collector.Add(lost);
  EXPECT_FALSE(IsWhole(collector.plans()));
  EXPECT_TRUE(collector.plans().at("a").unreachable);
  EXPECT_NE(collector.plans().at("a").problem.find("no route to host"), std::string::npos);
}

TEST(Plan, FailureThatThePlaybookIgnoresLeavesThePlanWhole) {
  const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("one").Build();
  PlanCollector collector(run);
  HostResult failed = ResultOf(0, 0, "a", TaskStatus::kFailed);
  failed.ignored = true;
  collector.Add(failed);
  EXPECT_TRUE(IsWhole(collector.plans()));
}

TEST(Plan, EveryHostIsAskedForItsDigestOnceBeforeAnythingElse) {
  CompiledRun run =
      RunBuilder().Play("p", {"a", "b"}).Task("one").Play("q", {"b", "c"}).Task("two").Build();
  AskForGround(run);
  ASSERT_EQ(run.plays.size(), 3U);
  EXPECT_EQ(run.plays[0].hosts, (std::vector<std::string>{"a", "b", "c"}));
  std::set<std::uint32_t> ids;
  std::size_t tasks = 0;
  for (const CompiledPlay& play : run.plays) {
    for (const CompiledTask& task : play.tasks) {
      for (const auto& [host, items] : task.hosts) {
        ids.insert(std::get<Task>(items[0].action).id);
        ++tasks;
      }
    }
  }
  EXPECT_EQ(ids.size(), tasks);  // ids stay unique
  const Task& begin = std::get<Task>(run.plays[0].tasks[0].hosts.at("c")[0].action);
  EXPECT_TRUE(begin.check);
  EXPECT_TRUE(std::holds_alternative<BeginTask>(begin.action));

  PlanCollector collector(run);
  HostResult ground = ResultOf(0, 0, "a", TaskStatus::kOk);
  ground.result.detail = NodeGround{.digest = "d1"};
  collector.Add(ground);
  EXPECT_EQ(collector.plans().at("a").digest, "d1");
}

}  // namespace
}  // namespace drover
