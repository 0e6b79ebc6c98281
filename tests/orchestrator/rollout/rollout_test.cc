#include "orchestrator/rollout/rollout.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

std::string Word(const HostResult& result) {
  std::string word = result.place.host + ":";
  word += result.unreachable ? "unreachable" : std::string(ToString(result.result.status));
  return word + (result.ignored ? "(ignored)" : "");
}

// One word per action: "play0", "task1", "a:ok", "send(a:1,2)", "close(a)", "abort(a)", "finish".
std::string Word(const RolloutAction& action) {
  if (const auto* send = std::get_if<SendProgram>(&action)) {
    std::string ids;
    for (const Task& task : send->program.tasks) {
      ids += (ids.empty() ? "" : ",") + std::to_string(task.id);
      if (const auto* prune = std::get_if<PruneTask>(&task.action)) {
        for (const std::string& name : prune->unsettled) {
          ids += "!" + name;
        }
      }
    }
    return "send(" + send->host + ":" + ids + ")";
  }
  if (const auto* close = std::get_if<CloseHost>(&action)) {
    return "close(" + close->host + ")";
  }
  if (const auto* abort = std::get_if<AbortHost>(&action)) {
    return "abort(" + abort->host + ")";
  }
  if (std::holds_alternative<FinishRun>(action)) {
    return "finish";
  }
  const Shown& shown = std::get<Shown>(action);
  if (const auto* play = std::get_if<PlayBanner>(&shown)) {
    return "play" + std::to_string(play->play);
  }
  if (const auto* task = std::get_if<TaskBanner>(&shown)) {
    return "task" + std::to_string(task->task);
  }
  const auto* result = std::get_if<HostResult>(&shown);
  return result == nullptr ? "" : Word(*result);  // what is under way goes without a word
}

// A rollout together with the run it carries out, driven by hand.
class Course {
 public:
  explicit Course(const RunBuilder& builder, std::size_t forks = 64)
      : run_(builder.Build()), rollout_(run_, RolloutOptions{.run = {}, .forks = forks}) {}

  std::string Step(const RolloutEvent& event) {
    std::string words;
    for (const RolloutAction& action : rollout_.Step(event)) {
      const std::string word = Word(action);
      words += (words.empty() || word.empty() ? "" : " ") + word;
    }
    return words;
  }
  std::string Start() { return Step(RunStarted{}); }
  std::string Began(const std::string& host, std::uint32_t id) {
    return Step(HostSpoke{host, TaskStarted{id}});
  }
  std::string Result(const std::string& host, std::uint32_t id,
                     TaskStatus status = TaskStatus::kOk) {
    TaskResult result;
    result.task = id;
    result.status = status;
    return Step(HostSpoke{host, result});
  }
  std::string Done(const std::string& host) {
    return Step(HostSpoke{host, ProgramDone{.ok = true}});
  }
  std::string Lost(const std::string& host, ErrorCode code = ErrorCode::kUnreachable) {
    return Step(HostLost{host, Error{code, "no route to host"}});
  }
  Rollout& rollout() { return rollout_; }
  const Tally& tally(const std::string& host) { return rollout_.tallies().at(host); }

 private:
  CompiledRun run_;
  Rollout rollout_;
};

TEST(Rollout, EveryHostGetsTheTasksOfAPlayAsOneProgram) {
  Course course(RunBuilder().Play("p", {"a", "b"}).Task("one").Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,3) send(b:2,4)");
  EXPECT_EQ(course.Result("a", 1), "a:ok");
  EXPECT_EQ(course.Result("b", 2, TaskStatus::kChanged), "b:changed task1");
  EXPECT_EQ(course.Result("b", 4), "b:ok");
  EXPECT_EQ(course.Done("b"), "");
  EXPECT_EQ(course.Result("a", 3), "a:ok");
  EXPECT_EQ(course.Done("a"), "finish");
  EXPECT_EQ(course.tally("a"), (Tally{.ok = 2}));
  EXPECT_EQ(course.tally("b"), (Tally{.ok = 2, .changed = 1}));
}

TEST(Rollout, NextPlayBeginsWhenAllHostsAreThroughWithTheOneBefore) {
  Course course(RunBuilder().Play("p", {"a", "b"}).Task("one").Play("q", {"b"}).Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1) send(b:2)");
  EXPECT_EQ(course.Result("b", 2), "b:ok");
  EXPECT_EQ(course.Done("b"), "");
  EXPECT_EQ(course.Result("a", 1), "a:ok");
  EXPECT_EQ(course.Done("a"), "play1 task0 send(b:3)");
}

TEST(Rollout, NoMoreHostsThanForksAreAtWork) {
  Course course(RunBuilder().Play("p", {"a", "b", "c"}).Task("one"), /*forks=*/2);
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1) send(b:2)");
  EXPECT_EQ(course.Result("b", 2), "b:ok");
  EXPECT_EQ(course.Done("b"), "send(c:3)");
  EXPECT_EQ(course.Lost("a"), "a:unreachable close(a)");
  EXPECT_EQ(course.Result("c", 3), "c:ok");
  EXPECT_EQ(course.Done("c"), "finish");
}

TEST(Rollout, FailedHostIsOutForTheRestOfTheRun) {
  Course course(RunBuilder()
                    .Play("p", {"a", "b"})
                    .Task("one")
                    .Task("two")
                    .Play("q", {"a", "b"})
                    .Task("three"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,3) send(b:2,4)");
  EXPECT_EQ(course.Result("a", 1, TaskStatus::kFailed), "a:failed close(a)");
  EXPECT_EQ(course.Done("a"), "");  // its helper still says good-bye
  EXPECT_EQ(course.Result("b", 2), "b:ok task1");
  EXPECT_EQ(course.Result("b", 4), "b:ok");
  EXPECT_EQ(course.Done("b"), "play1 task0 send(b:6)");
  EXPECT_EQ(course.tally("a"), (Tally{.failed = 1}));
}

TEST(Rollout, PlayThatNobodyComesThroughEndsTheRun) {
  Course course(RunBuilder().Play("p", {"a", "b"}).Task("one").Play("q", {"c"}).Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1) send(b:2)");
  EXPECT_EQ(course.Result("a", 1, TaskStatus::kFailed), "a:failed close(a)");
  EXPECT_EQ(course.Lost("b"), "b:unreachable close(b) finish");
}

// As ansible-playbook does: only a failure in this very play ends the run.
TEST(Rollout, PlayWhoseHostsAllFailedEarlierIsPassedOver) {
  Course course(RunBuilder()
                    .Play("p", {"a", "b"})
                    .Task("one")
                    .Play("q", {"a"})
                    .Task("two")
                    .Play("r", {"b"})
                    .Task("three"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1) send(b:2)");
  EXPECT_EQ(course.Result("a", 1, TaskStatus::kFailed), "a:failed close(a)");
  EXPECT_EQ(course.Result("b", 2), "b:ok");
  EXPECT_EQ(course.Done("b"), "play1 play2 task0 send(b:4)");
}

TEST(Rollout, IgnoredFailureLetsTheHostGoOn) {
  Course course(RunBuilder()
                    .Play("p", {"a"})
                    .StartTask("one")
                    .Do("a", "", /*ignore_errors=*/true)
                    .Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,2)");
  EXPECT_EQ(course.Result("a", 1, TaskStatus::kFailed), "a:failed(ignored) task1");
  EXPECT_EQ(course.Result("a", 2), "a:ok");
  EXPECT_EQ(course.Done("a"), "finish");
  EXPECT_EQ(course.tally("a"), (Tally{.ok = 2, .ignored = 1}));
}

TEST(Rollout, SkippedTasksNeedNoConnection) {
  Course course(RunBuilder().Play("p", {"a"}).StartTask("one").Skip("a").Play("q", {"a"}));
  EXPECT_EQ(course.Start(), "play0 task0 a:skipped play1 finish");
  EXPECT_EQ(course.tally("a"), (Tally{.skipped = 1}));
}

TEST(Rollout, SkipsAreShownWhenTheHostGetsThere) {
  Course course(RunBuilder().Play("p", {"a"}).Task("one").StartTask("two").Skip("a").Task("three"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,2)");
  EXPECT_EQ(course.Result("a", 1), "a:ok task1 a:skipped task2");
  EXPECT_EQ(course.Result("a", 2), "a:ok");
  EXPECT_EQ(course.Done("a"), "finish");
}

TEST(Rollout, LoopCountsAsOneTask) {
  Course course(
      RunBuilder().Play("p", {"a"}).StartTask("one").Skip("a", "x").Do("a", "y").Do("a", "z"));
  EXPECT_EQ(course.Start(), "play0 task0 a:skipped send(a:1,2)");
  EXPECT_EQ(course.Result("a", 1, TaskStatus::kChanged), "a:changed");
  EXPECT_EQ(course.Result("a", 2), "a:ok");
  EXPECT_EQ(course.Done("a"), "finish");
  EXPECT_EQ(course.tally("a"), (Tally{.ok = 1, .changed = 1}));
}

TEST(Rollout, FailedItemEndsTheLoop) {
  Course course(
      RunBuilder().Play("p", {"a"}).StartTask("one").Do("a", "x").Do("a", "y").Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,2,3)");
  EXPECT_EQ(course.Result("a", 1, TaskStatus::kFailed), "a:failed close(a) finish");
  EXPECT_EQ(course.tally("a"), (Tally{.failed = 1}));
}

TEST(Rollout, LostHostIsShownAtTheTaskThatItWasAt) {
  Course course(RunBuilder().Play("p", {"a", "b"}).Task("one").Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,3) send(b:2,4)");
  EXPECT_EQ(course.Result("a", 1), "a:ok");
  EXPECT_EQ(course.Lost("a"), "close(a)");  // waits under the banner of task 1
  EXPECT_EQ(course.Result("b", 2), "b:ok task1 a:unreachable");
  EXPECT_EQ(course.tally("a"), (Tally{.ok = 1, .unreachable = 1}));
}

TEST(Rollout, RefusedSudoIsAFailureAndNotUnreachable) {
  Course course(RunBuilder().Play("p", {"a"}).Task("one"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1)");
  EXPECT_EQ(course.Lost("a", ErrorCode::kDenied), "a:failed close(a) finish");
}

TEST(Rollout, BrokenSessionIsFatalEvenWhenTheTaskIgnoresErrors) {
  Course course(RunBuilder().Play("p", {"a"}).StartTask("one").Do("a", "", true).Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,2)");
  EXPECT_EQ(course.Step(HostSpoke{"a", SessionError{{ErrorCode::kExists, "locked by anna"}}}),
            "a:failed close(a) finish");
}

TEST(Rollout, ResultForAnotherTaskIsRefused) {
  Course course(RunBuilder().Play("p", {"a"}).Task("one").Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,2)");
  EXPECT_EQ(course.Result("a", 2), "a:failed close(a) abort(a) finish");
}

TEST(Rollout, ProgramThatEndsWithoutAllResultsFailsTheHost) {
  Course course(RunBuilder().Play("p", {"a"}).Task("one").Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,2)");
  EXPECT_EQ(course.Result("a", 1), "a:ok task1");
  EXPECT_EQ(course.Done("a"), "a:failed close(a) finish");
}

VerifyExpectation RoundRobinOnOneServer() {
  ExpectedService service;
  service.key = {Transport::kTcp, IpAddress::V4({10, 0, 0, 100}), 80};
  service.scheduler = "rr";
  service.servers = {{"rs1", {.address = IpAddress::V4({10, 0, 0, 1}), .port = 80}}};
  VerifyExpectation expectation;
  expectation.services.push_back(service);
  return expectation;
}

TEST(Rollout, WhatComesBehindAVerifyWaitsForTheJudgement) {
  Course course(RunBuilder()
                    .Play("p", {"a"})
                    .StartTask("proof")
                    .Verify("a", RoundRobinOnOneServer())
                    .Task("after"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1)");
  TaskResult result;
  result.task = 1;
  ProbeOutcome outcome;
  ProbeConnection silent;
  silent.error = Error{ErrorCode::kTimeout, "no answer"};
  outcome.services.push_back({RoundRobinOnOneServer().services[0].key, {silent, silent}});
  result.detail = outcome;
  EXPECT_EQ(course.Step(HostSpoke{"a", result}), "a:failed close(a) finish");
}

TEST(Rollout, GoodProofLetsTheHostGoOn) {
  Course course(RunBuilder().Play("p", {"a"}).StartTask("proof").Verify("a", {}).Task("after"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1)");
  TaskResult result;
  result.task = 1;
  result.detail = ProbeOutcome{};
  EXPECT_EQ(course.Step(HostSpoke{"a", result}), "a:ok task1");
  EXPECT_EQ(course.Done("a"), "send(a:2)");
}

TEST(Rollout, StopLetsTheTaskAtWorkFinishAndSendsNoMorePrograms) {
  Course course(RunBuilder().Play("p", {"a", "b", "c"}).Task("one").Task("two"), /*forks=*/2);
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1,4) send(b:2,5)");
  EXPECT_EQ(course.Began("a", 1), "");
  EXPECT_EQ(course.Step(StopAsked{}), "abort(b)");  // still connecting
  EXPECT_EQ(course.Result("a", 1), "a:ok abort(a) finish");
  EXPECT_TRUE(course.rollout().interrupted());
  const std::vector<LeftMidway> want = {{"b", "one", false}, {"a", "two", false}};
  EXPECT_EQ(course.rollout().left_midway(), want);
}

TEST(Rollout, HostAtItsLastTaskIsNotLeftMidwayByAStop) {
  Course course(RunBuilder().Play("p", {"a"}).Task("one").Play("q", {"a"}).Task("two"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1)");
  EXPECT_EQ(course.Began("a", 1), "");
  EXPECT_EQ(course.Step(StopAsked{}), "");
  EXPECT_EQ(course.Result("a", 1), "a:ok");
  EXPECT_EQ(course.Done("a"), "finish");
  EXPECT_TRUE(course.rollout().left_midway().empty());
}

TEST(Rollout, AbortEndsAllAtOnce) {
  Course course(RunBuilder().Play("p", {"a", "b"}).Task("one"));
  EXPECT_EQ(course.Start(), "play0 task0 send(a:1) send(b:2)");
  EXPECT_EQ(course.Began("a", 1), "");
  EXPECT_EQ(course.Step(StopAsked{}), "abort(b)");
  EXPECT_EQ(course.Step(AbortAsked{}), "abort(a) finish");
  const std::vector<LeftMidway> want = {{"b", "one", false}, {"a", "one", true}};
  EXPECT_EQ(course.rollout().left_midway(), want);
}

TEST(Rollout, RunWithoutPlaysIsOverAtOnce) {
  Course course{RunBuilder()};
  EXPECT_EQ(course.Start(), "finish");
  EXPECT_EQ(course.Start(), "");
}

TEST(Rollout, TaskTimeoutIsForTasksWithoutOne) {
  CompiledRun run = RunBuilder().Play("p", {"a"}).Task("one").Task("two").Build();
  std::get<Task>(run.plays[0].tasks[1].hosts["a"][0].action).timeout = std::chrono::seconds(7);
  RolloutOptions options;
  options.task_timeout = std::chrono::seconds(60);
  Rollout rollout(run, options);
  const auto actions = rollout.Step(RunStarted{});
  const auto& program = std::get<SendProgram>(actions.back()).program;
  EXPECT_EQ(program.tasks[0].timeout, std::chrono::seconds(60));
  EXPECT_EQ(program.tasks[1].timeout, std::chrono::seconds(7));
  EXPECT_EQ(program.run.owner, "site");
}

// Two directors that share an instance: tasks 1 and 2, settling 3 and 4.
RunBuilder Directors(std::set<std::string> left_out = {}) {
  return RunBuilder()
      .Play("directors", {"lb1", "lb2"})
      .Task("vrrp")
      .Settle()
      .Share({"lb1", "lb2"}, std::move(left_out));
}

TEST(RolloutSettling, WaitsUntilAllThatShareAnInstanceHaveTheirSettings) {
  Course course(Directors());
  EXPECT_EQ(course.Start(), "play0 task0 send(lb1:1) send(lb2:2)");
  course.Result("lb1", 1);
  EXPECT_EQ(course.Done("lb1"), "");
  EXPECT_EQ(course.Result("lb2", 2), "lb2:ok send(lb1:3)");
  EXPECT_EQ(course.Done("lb2"), "send(lb2:4)");
  course.Result("lb1", 3);
  course.Done("lb1");
  course.Result("lb2", 4);
  EXPECT_EQ(course.Done("lb2"), "finish");
}

TEST(RolloutSettling, OneForkIsEnough) {
  Course course(Directors(), 1);
  EXPECT_EQ(course.Start(), "play0 task0 send(lb1:1)");
  course.Result("lb1", 1);
  EXPECT_EQ(course.Done("lb1"), "send(lb2:2)");
  course.Result("lb2", 2);
  const std::string after = course.Done("lb2");
  EXPECT_NE(after.find("send(lb"), std::string::npos) << after;
}

TEST(RolloutSettling, InstancesOfAFailedPeerStayUnsettled) {
  Course course(Directors());
  course.Start();
  course.Result("lb1", 1);
  course.Done("lb1");
  EXPECT_EQ(course.Result("lb2", 2, TaskStatus::kFailed), "lb2:failed close(lb2) send(lb1:3!web)");
}

TEST(RolloutSettling, InstancesOfAnUnreachablePeerStayUnsettled) {
  Course course(Directors());
  course.Start();
  course.Lost("lb2");
  course.Result("lb1", 1);
  EXPECT_EQ(course.Done("lb1"), "send(lb1:3!web)");
}

TEST(RolloutSettling, InstancesOfAPeerThatWasLeftOutStayUnsettled) {
  Course course(
      RunBuilder().Play("directors", {"lb1"}).Task("vrrp").Settle().Share({"lb1", "lb2"}, {"lb2"}));
  EXPECT_EQ(course.Start(), "play0 task0 send(lb1:1)");
  course.Result("lb1", 1);
  EXPECT_EQ(course.Done("lb1"), "send(lb1:2!web)");
}

TEST(RolloutSettling, AnIgnoredFailureOfAPeerLeavesItsInstancesUnsettled) {
  RunBuilder builder;
  builder.Play("directors", {"lb1", "lb2"}).StartTask("vrrp");
  for (const char* host : {"lb1", "lb2"}) {
    builder.Do(host, "", /*ignore_errors=*/true);
    std::get<Task>(builder.last().hosts[host].back().action).action = ConvergeTask{};
  }
  Course course(builder.Settle().Share({"lb1", "lb2"}));
  course.Start();
  course.Result("lb2", 2, TaskStatus::kFailed);
  course.Result("lb1", 1);
  EXPECT_EQ(course.Done("lb1"), "send(lb1:3!web)");
}

TEST(RolloutSettling, HostsThatShareNothingKeepTheirOneProgram) {
  Course course(RunBuilder().Play("servers", {"rs1"}).Task("vip").Settle().Share({"rs1"}));
  EXPECT_EQ(course.Start(), "play0 task0 send(rs1:1,2)");
}

TEST(RolloutSettling, AHostThatHoldsWhenTheRunIsStoppedIsLeftMidway) {
  Course course(Directors());
  course.Start();
  course.Result("lb1", 1);
  course.Done("lb1");
  course.Began("lb2", 2);
  course.Step(StopAsked{});
  course.Result("lb2", 2);
  ASSERT_EQ(course.rollout().left_midway().size(), 2U);
  EXPECT_EQ(course.rollout().left_midway()[0].host, "lb1");
  EXPECT_EQ(course.rollout().left_midway()[0].task, "settle");
  EXPECT_TRUE(course.rollout().finished());
}

}  // namespace
}  // namespace drover
