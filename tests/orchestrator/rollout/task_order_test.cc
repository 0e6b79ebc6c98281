#include "orchestrator/rollout/task_order.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

// "T0" for a banner, "a" for a result of host a.
std::string Words(const std::vector<Shown>& shown) {
  std::string words;
  for (const Shown& one : shown) {
    words += words.empty() ? "" : " ";
    if (const auto* banner = std::get_if<TaskBanner>(&one)) {
      words += "T" + std::to_string(banner->task);
    } else if (const auto* result = std::get_if<HostResult>(&one)) {
      words += result->place.host;
    }
  }
  return words;
}

HostResult ResultOf(const std::string& host, std::size_t task,
                    TaskStatus status = TaskStatus::kOk) {
  HostResult result;
  result.place.host = host;
  result.place.task = task;
  result.result.status = status;
  return result;
}

TEST(TaskOrder, ResultsOfTheFrontTaskPassAtOnceAndLaterOnesWait) {
  const CompiledRun run =
      RunBuilder().Play("p", {"a", "b"}).Task("one").Task("two").Task("three").Build();
  TaskOrder order(run.plays[0], 0, {"a", "b"});
  EXPECT_EQ(Words(order.Start()), "T0");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 0))), "a");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 1))), "");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 2))), "");
  EXPECT_EQ(Words(order.Add(ResultOf("b", 0))), "b T1 a");
  EXPECT_EQ(Words(order.Add(ResultOf("b", 1))), "b T2 a");
  EXPECT_EQ(Words(order.Add(ResultOf("b", 2))), "b");
}

TEST(TaskOrder, HostThatIsOutHoldsNobodyUp) {
  const CompiledRun run = RunBuilder().Play("p", {"a", "b"}).Task("one").Task("two").Build();
  TaskOrder order(run.plays[0], 0, {"a", "b"});
  EXPECT_EQ(Words(order.Start()), "T0");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 0))), "a");
  EXPECT_EQ(Words(order.Add(ResultOf("b", 0, TaskStatus::kFailed))), "b T1");
  EXPECT_EQ(Words(order.HostIsOut("b")), "");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 1))), "a");
}

TEST(TaskOrder, HostLostInTheMiddleLetsTheOthersMoveOn) {
  const CompiledRun run = RunBuilder().Play("p", {"a", "b"}).Task("one").Task("two").Build();
  TaskOrder order(run.plays[0], 0, {"a", "b"});
  EXPECT_EQ(Words(order.Start()), "T0");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 0))), "a");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 1))), "");
  EXPECT_EQ(Words(order.HostIsOut("b")), "T1 a");
}

TEST(TaskOrder, TaskThatConcernsNoLiveHostHasNoBanner) {
  const CompiledRun run = RunBuilder()
                              .Play("p", {"a", "b"})
                              .Task("one")
                              .StartTask("only b")
                              .Do("b")
                              .Task("three")
                              .Build();
  TaskOrder order(run.plays[0], 0, {"a", "b"});
  EXPECT_EQ(Words(order.Start()), "T0");
  EXPECT_EQ(Words(order.Add(ResultOf("b", 0, TaskStatus::kFailed))), "b");
  EXPECT_EQ(Words(order.HostIsOut("b")), "");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 0))), "a T2");
}

TEST(TaskOrder, ImplicitTaskShowsOnlyWhatChangedOrFailed) {
  for (const TaskStatus status : {TaskStatus::kOk, TaskStatus::kSkipped}) {
    const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("prune").Implicit().Build();
    TaskOrder order(run.plays[0], 0, {"a"});
    EXPECT_EQ(Words(order.Start()), "");
    EXPECT_EQ(Words(order.Add(ResultOf("a", 0, status))), "");
  }
  for (const TaskStatus status : {TaskStatus::kChanged, TaskStatus::kFailed}) {
    const CompiledRun run = RunBuilder().Play("p", {"a"}).Task("prune").Implicit().Build();
    TaskOrder order(run.plays[0], 0, {"a"});
    EXPECT_EQ(Words(order.Start()), "");
    EXPECT_EQ(Words(order.Add(ResultOf("a", 0, status))), "T0 a");
  }
}

TEST(TaskOrder, ItemsOfALoopStayUnderOneBanner) {
  const CompiledRun run =
      RunBuilder().Play("p", {"a"}).StartTask("one").Do("a", "x").Do("a", "y").Task("two").Build();
  TaskOrder order(run.plays[0], 0, {"a"});
  EXPECT_EQ(Words(order.Start()), "T0");
  HostResult first = ResultOf("a", 0);
  first.last = false;
  EXPECT_EQ(Words(order.Add(first)), "a");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 0))), "a T1");
}

TEST(TaskOrder, PlayWithoutTasksShowsNothing) {
  const CompiledRun run = RunBuilder().Play("p", {"a"}).Build();
  TaskOrder order(run.plays[0], 0, {"a"});
  EXPECT_EQ(Words(order.Start()), "");
  EXPECT_EQ(Words(order.Add(ResultOf("a", 0))), "");
  EXPECT_EQ(Words(order.HostIsOut("a")), "");
}

}  // namespace
}  // namespace drover
