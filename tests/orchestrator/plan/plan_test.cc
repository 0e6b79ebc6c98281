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
  const HostPlans plans = collector.TakePlans({});
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
  const HostPlans plans = collector.TakePlans({});
  EXPECT_EQ(CountsOf(plans).change, 1);
}

TEST(Plan, CommandThatACheckRunPassesOverIsUnknownNotUnchanged) {
  const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("restart it").Build();
  PlanCollector collector(run);
  collector.Add(ResultOf(0, 0, "a", TaskStatus::kSkipped));
  const HostPlans plans = collector.TakePlans({});
  EXPECT_EQ(plans.at("a").unknown, std::vector<std::string>{"restart it"});
  EXPECT_EQ(CountsOf(plans).all(), 0);
}

TEST(Plan, CommandThatNeverChangesAnythingIsNotUnknown) {
  RunBuilder builder;
  builder.Play("p", {"a"}).Task("look");
  std::get<CommandTask>(std::get<Task>(builder.last().hosts["a"][0].action).action).reports_change =
      false;
  const CompiledRun run = builder.Build();
  PlanCollector collector(run);
  collector.Add(ResultOf(0, 0, "a", TaskStatus::kSkipped));
  const HostPlans plans = collector.TakePlans({});
  EXPECT_TRUE(plans.at("a").unknown.empty());
}

TEST(Plan, HostThatCannotBeReachedMakesThePlanIncomplete) {
  const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("one").Build();
  PlanCollector collector(run);
  HostResult lost = ResultOf(0, 0, "a", TaskStatus::kFailed);
  lost.unreachable = true;
  lost.result.message = "no route to host";
  collector.Add(lost);
  const HostPlans plans = collector.TakePlans({});
  EXPECT_FALSE(IsWhole(plans));
  EXPECT_TRUE(plans.at("a").unreachable);
  EXPECT_NE(plans.at("a").problem.find("no route to host"), std::string::npos);
}

TEST(Plan, FailureThatThePlaybookIgnoresLeavesThePlanWhole) {
  const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("one").Build();
  PlanCollector collector(run);
  HostResult failed = ResultOf(0, 0, "a", TaskStatus::kFailed);
  failed.ignored = true;
  collector.Add(failed);
  const HostPlans plans = collector.TakePlans({});
  EXPECT_TRUE(IsWhole(plans));
}

TEST(Plan, HostsHaveTheDigestsThatTheyGave) {
  const CompiledRun run = RunBuilder().Play("p", {"a", "b"}).Task("one").Build();
  PlanCollector collector(run);
  const HostPlans plans = collector.TakePlans({{"a", {.digest = "d1"}}});
  EXPECT_EQ(plans.at("a").digest, "d1");
  EXPECT_EQ(plans.at("b").digest, "");
}

}  // namespace
}  // namespace drover
