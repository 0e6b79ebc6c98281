#include "orchestrator/report/json_lines.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

constexpr const char* kNow = "2026-01-31T12:00:00.000000Z";

Value Parse(const std::string& line) {
  EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  return Value::parse(line);
}

TEST(JsonLines, EveryThingThatHappensIsOneLineWithItsTime) {
  const CompiledRun run = RunBuilder().Play("web", {"a"}).Task("one").Build();
  const Value play = Parse(JsonLine(run, PlayBanner{0}, kNow));
  EXPECT_EQ(play, Value::parse(R"({"event":"play_start","play":"web","hosts":["a"],)"
                               R"("time":"2026-01-31T12:00:00.000000Z"})"));
  EXPECT_EQ(Parse(JsonLine(run, TaskBanner{0, 0}, kNow))["task"], "one");
  const Value notice = Parse(JsonLine(run, Notice{"a", "goes back\nby itself", true}, kNow));
  EXPECT_EQ(notice["text"], "goes back\nby itself");
  EXPECT_TRUE(notice["problem"]);
}

TEST(JsonLines, ResultsSayHowTheyEndedAndWhatChanged) {
  const CompiledRun run = RunBuilder().Play("web", {"a"}).Task("one").Build();
  HostResult result;
  result.place = {.play = 0, .task = 0, .item = 0, .host = "a"};
  result.result.status = TaskStatus::kChanged;
  result.result.changes = {{"add", "address 10.0.0.9/32 on lo", "", "x", "missing"}};
  const Value changed = Parse(JsonLine(run, result, kNow));
  EXPECT_EQ(changed["event"], "result");
  EXPECT_EQ(changed["host"], "a");
  EXPECT_EQ(changed["status"], "changed");
  EXPECT_TRUE(changed["result"]["changed"]);
  result.result.status = TaskStatus::kFailed;
  result.unreachable = true;
  EXPECT_EQ(Parse(JsonLine(run, result, kNow))["status"], "unreachable");
}

TEST(JsonLines, ResultsOfNoLogTasksTellNothing) {
  const CompiledRun run = RunBuilder().Play("web", {"a"}).Task("one").Secret().Build();
  HostResult result;
  result.place = {.play = 0, .task = 0, .item = 0, .host = "a"};
  result.result.message = "password is 123";
  EXPECT_EQ(JsonLine(run, result, kNow).find("password"), std::string::npos);
}

TEST(JsonLines, StagesAndWhatHostsAnswerToThemAreLinesOfTheirOwn) {
  const CompiledRun run = RunBuilder().Play("web", {"a", "b"}).Task("one").Build();
  EXPECT_EQ(Parse(JsonLine(run, StageReached{.stage = Stage::kConfirm, .hosts = {"a"}}, kNow)),
            Value::parse(R"({"event":"confirm","hosts":["a"],)"
                         R"("time":"2026-01-31T12:00:00.000000Z"})"));
  const Value batch = Parse(JsonLine(
      run,
      StageReached{.stage = Stage::kBatchEnd, .hosts = {"b"}, .play = 0, .batch = 1, .batches = 2},
      kNow));
  EXPECT_EQ(batch["event"], "batch_end");
  EXPECT_EQ(batch["play"], "web");
  EXPECT_EQ(batch["batch"], 2);
  EXPECT_EQ(batch["batches"], 2);
  const Value answer = Parse(JsonLine(run, StageAnswer{Stage::kCheckIn, "a", "no route"}, kNow));
  EXPECT_EQ(answer["event"], "answer");
  EXPECT_EQ(answer["to"], "check_in");
  EXPECT_FALSE(answer["ok"]);
  EXPECT_EQ(answer["message"], "no route");
  const Value at = Parse(JsonLine(run, TaskAtWork{{.play = 0, .host = "a"}}, kNow));
  EXPECT_EQ(at["event"], "at_work");
  EXPECT_EQ(at["task"], "one");
  EXPECT_TRUE(Parse(JsonLine(run, HostThrough{"a", true}, kNow))["failed"]);
}

TEST(JsonLines, TheLastLineHasTheCountersAndTheEndOfTheTransaction) {
  RunEnd end;
  end.transaction = true;
  end.generation = 4;
  end.hosts["a"] = HostEnd::kConfirmed;
  const Value recap = Parse(JsonRecap({{"a", {.ok = 2, .changed = 1}}}, false, {}, end, kNow));
  EXPECT_EQ(recap["event"], "recap");
  EXPECT_EQ(recap["stats"]["a"]["changed"], 1);
  EXPECT_EQ(recap["transaction"]["generation"], 4);
  EXPECT_EQ(recap["transaction"]["hosts"]["a"], "confirmed");
}

}  // namespace
}  // namespace drover
