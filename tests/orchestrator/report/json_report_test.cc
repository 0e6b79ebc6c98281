#include "orchestrator/report/json_report.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

HostResult ResultOf(std::size_t task, TaskStatus status, std::size_t item = 0, bool last = true) {
  HostResult result;
  result.place = {.play = 0, .task = task, .item = item, .host = "h1"};
  result.result.status = status;
  result.last = last;
  return result;
}

Value DocumentOf(const CompiledRun& run, const std::vector<Shown>& shown) {
  JsonReport report(run);
  report.Add(PlayBanner{0}, "2026-01-31T12:00:00.000000Z");
  for (const Shown& one : shown) {
    report.Add(one, "2026-01-31T12:00:01.000000Z");
  }
  const std::string text =
      report.Document({{"h1", {.ok = 1, .changed = 1, .failed = 2}}}, false, {});
  return Value::parse(text);
}

TEST(JsonReport, HasTheShapeOfAnsiblesCallback) {
  const CompiledRun run = RunBuilder().Play("p", {"h1"}).Task("one").Build();
  HostResult result = ResultOf(0, TaskStatus::kChanged);
  result.result.changes = {{"add", "address 10.0.0.100/32 on lo", "", "", "missing"}};
  const Value document = DocumentOf(run, {TaskBanner{0, 0}, result});
  const Value& play = document["plays"][0];
  EXPECT_EQ(play["play"]["name"], "p");
  EXPECT_EQ(play["play"]["duration"]["start"], "2026-01-31T12:00:00.000000Z");
  EXPECT_EQ(play["play"]["duration"]["end"], "2026-01-31T12:00:01.000000Z");
  EXPECT_EQ(play["tasks"][0]["task"]["name"], "one");
  const Value& host = play["tasks"][0]["hosts"]["h1"];
  EXPECT_EQ(host["changed"], true);
  EXPECT_EQ(host["action"], "command");
  EXPECT_EQ(host["changes"][0]["resource"], "address 10.0.0.100/32 on lo");
  EXPECT_EQ(host["changes"][0]["reason"], "missing");
  EXPECT_FALSE(host["changes"][0].contains("before"));
  EXPECT_EQ(document["stats"]["h1"]["failures"], 2);
  EXPECT_EQ(document["stats"]["h1"]["changed"], 1);
  EXPECT_TRUE(document["custom_stats"].is_object());
  EXPECT_FALSE(document.contains("interrupted"));
}

TEST(JsonReport, LoopCollectsItsItems) {
  const CompiledRun run =
      RunBuilder().Play("p", {"h1"}).StartTask("one").Do("h1", "a").Do("h1", "b").Build();
  const Value document =
      DocumentOf(run, {TaskBanner{0, 0}, ResultOf(0, TaskStatus::kChanged, 0, /*last=*/false),
                       ResultOf(0, TaskStatus::kOk, 1)});
  const Value& host = document["plays"][0]["tasks"][0]["hosts"]["h1"];
  EXPECT_EQ(host["changed"], true);
  EXPECT_EQ(host["msg"], "All items completed");
  ASSERT_EQ(host["results"].size(), 2U);
  EXPECT_EQ(host["results"][0]["item"], "a");
  EXPECT_EQ(host["results"][1]["changed"], false);
}

TEST(JsonReport, FailedLoopAndUnreachableHostAreMarked) {
  const CompiledRun run =
      RunBuilder().Play("p", {"h1"}).StartTask("one").Do("h1", "a").Task("two").Build();
  HostResult lost = ResultOf(1, TaskStatus::kFailed);
  lost.unreachable = true;
  lost.result.message = "no route to host";
  const Value document =
      DocumentOf(run, {TaskBanner{0, 0}, ResultOf(0, TaskStatus::kFailed), TaskBanner{0, 1}, lost});
  EXPECT_EQ(document["plays"][0]["tasks"][0]["hosts"]["h1"]["failed"], true);
  const Value& host = document["plays"][0]["tasks"][1]["hosts"]["h1"];
  EXPECT_EQ(host["unreachable"], true);
  EXPECT_EQ(host["msg"], "no route to host");
}

TEST(JsonReport, NoLogResultIsCensored) {
  const CompiledRun run = RunBuilder().Play("p", {"h1"}).Task("one").Secret().Build();
  HostResult result = ResultOf(0, TaskStatus::kOk);
  result.result.detail = CommandOutcome{.stdout_text = "pass"};
  const Value document = DocumentOf(run, {TaskBanner{0, 0}, result});
  EXPECT_EQ(document.dump().find("pass"), std::string::npos);
  EXPECT_TRUE(document["plays"][0]["tasks"][0]["hosts"]["h1"].contains("censored"));
}

TEST(JsonReport, InterruptedRunNamesTheHostsLeftMidway) {
  const CompiledRun run = RunBuilder().Play("p", {"h1"}).Task("one").Build();
  const Value document = Value::parse(JsonReport(run).Document({}, true, {{"h1", "one", true}}));
  EXPECT_EQ(document["interrupted"]["left_midway"]["h1"]["task"], "one");
}

TEST(JsonReport, BytesThatAreNoUtf8AreReplaced) {
  const CompiledRun run = RunBuilder().Play("p", {"h1"}).Task("one").Build();
  HostResult result = ResultOf(0, TaskStatus::kFailed);
  result.result.message = "\xFF";
  const Value document = DocumentOf(run, {TaskBanner{0, 0}, result});
  EXPECT_EQ(document["plays"][0]["tasks"][0]["hosts"]["h1"]["msg"], "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace drover
