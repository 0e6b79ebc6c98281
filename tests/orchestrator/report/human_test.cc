// Expected texts without a remark are what ansible-playbook 2.14 printed for the same course of
// events (times taken out).
#include "orchestrator/report/human.h"

#include <gtest/gtest.h>

#include "orchestrator/report/result_value.h"
#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

CompiledRun OneTask() { return RunBuilder().Play("First", {"h1"}).Task("echo").Build(); }

HostResult ResultOf(TaskStatus status, std::string message = "") {
  HostResult result;
  result.place.host = "h1";
  result.result.status = status;
  result.result.message = std::move(message);
  return result;
}

std::string Text(const CompiledRun& run, const HostResult& result, HumanOptions options = {}) {
  return HumanReport(run, options).Text(result);
}

TEST(HumanReport, BannersAreAnsibles) {
  const CompiledRun run = OneTask();
  const HumanReport report(run, {});
  EXPECT_EQ(report.Text(PlayBanner{0}),
            "\nPLAY [First] *******************************************************************\n");
  EXPECT_EQ(report.Text(TaskBanner{0, 0}),
            "\nTASK [echo] ********************************************************************\n");
  EXPECT_EQ(report.Head(), "");
}

TEST(HumanReport, PlayWithoutHostsSaysSo) {
  const CompiledRun run = RunBuilder().Play("one", {}).Build();
  EXPECT_EQ(HumanReport(run, {}).Text(PlayBanner{0}),
            "\nPLAY [one] *********************************************************************\n"
            "skipping: no hosts matched\n");
}

TEST(HumanReport, ResultLinesAreAnsibles) {
  const CompiledRun run = OneTask();
  EXPECT_EQ(Text(run, ResultOf(TaskStatus::kOk)), "ok: [h1]\n");
  EXPECT_EQ(Text(run, ResultOf(TaskStatus::kChanged)), "changed: [h1]\n");
  EXPECT_EQ(Text(run, ResultOf(TaskStatus::kSkipped, "Conditional result was False")),
            "skipping: [h1]\n");
  EXPECT_EQ(Text(run, ResultOf(TaskStatus::kFailed, "Timeout when waiting for file /none")),
            "fatal: [h1]: FAILED! => {\"changed\": false, \"msg\": \"Timeout when waiting for file "
            "/none\"}\n");
}

TEST(HumanReport, UnreachableHostIsAnsibles) {
  HostResult result = ResultOf(TaskStatus::kFailed, "Failed to connect to the host via ssh");
  result.result.code = ErrorCode::kUnreachable;
  result.unreachable = true;
  EXPECT_EQ(Text(OneTask(), result),
            "fatal: [h1]: UNREACHABLE! => {\"changed\": false, \"msg\": \"Failed to connect to the "
            "host via ssh\", \"unreachable\": true}\n");
}

TEST(HumanReport, IgnoredFailureSaysIgnoringBehindIt) {
  HostResult result = ResultOf(TaskStatus::kFailed, "no");
  result.ignored = true;
  EXPECT_EQ(Text(OneTask(), result),
            "fatal: [h1]: FAILED! => {\"changed\": false, \"msg\": \"no\"}\n...ignoring\n");
}

TEST(HumanReport, VerboseResultIsJsonInPythonsSpelling) {
  const HostResult skipped = ResultOf(TaskStatus::kSkipped, "Conditional result was False");
  EXPECT_EQ(Text(OneTask(), skipped, {.verbosity = 1}),
            "skipping: [h1] => {\"changed\": false, \"skip_reason\": \"Conditional result was "
            "False\"}\n");
}

TEST(HumanReport, VerboseCommandTellsAllThatAnsibleTells) {
  CompiledRun run = OneTask();
  std::get<CommandTask>(std::get<Task>(run.plays[0].tasks[0].hosts["h1"][0].action).action).argv = {
      "echo", "hi"};
  HostResult result = ResultOf(TaskStatus::kChanged);
  result.result.detail = CommandOutcome{.exit_code = 0, .stdout_text = "hi\n"};
  result.result.duration = std::chrono::microseconds(2749);
  EXPECT_EQ(Text(run, result, {.verbosity = 1}),
            "changed: [h1] => {\"changed\": true, \"cmd\": [\"echo\", \"hi\"], \"delta\": "
            "\"0:00:00.002749\", \"msg\": \"\", \"rc\": 0, \"stderr\": \"\", \"stderr_lines\": [], "
            "\"stdout\": "
            "\"hi\", \"stdout_lines\": [\"hi\"]}\n");
}

// The lines behind the first are ours.
TEST(HumanReport, OutputOfAFailedCommandIsReadable) {
  HostResult result = ResultOf(TaskStatus::kFailed, "non-zero return code");
  result.result.detail =
      CommandOutcome{.exit_code = 1, .stderr_text = "first\n\x1b]0;title\x07second\n"};
  EXPECT_EQ(Text(OneTask(), result),
            "fatal: [h1]: FAILED! => {\"changed\": true, \"cmd\": [\"true\"], \"delta\": "
            "\"0:00:00.000000\", \"msg\": \"non-zero return code\", \"rc\": 1, \"stderr\": "
            "\"first\\n\\u001b]0;title\\u0007second\", \"stderr_lines\": [\"first\", "
            "\"\\u001b]0;title\\u0007second\"], \"stdout\": \"\", \"stdout_lines\": []}\n"
            "    stderr:\n"
            "      first\n"
            "      \\x1b]0;title\\x07second\n");
}

TEST(HumanReport, LoopsShowTheirItems) {
  const CompiledRun run =
      RunBuilder().Play("p", {"h1"}).StartTask("loop").Do("h1", "a").Do("h1", "b").Build();
  HostResult result = ResultOf(TaskStatus::kChanged);
  result.last = false;
  EXPECT_EQ(Text(run, result), "changed: [h1] => (item=a)\n");
  HostResult failed = ResultOf(TaskStatus::kFailed, "no");
  failed.place.item = 1;
  EXPECT_EQ(Text(run, failed),
            "failed: [h1] (item=b) => {\"ansible_loop_var\": \"item\", \"changed\": false, "
            "\"item\": \"b\", \"msg\": \"no\"}\n");
}

TEST(HumanReport, LoopOfSkippedItemsEndsWithOneMoreLine) {
  const CompiledRun run =
      RunBuilder().Play("p", {"h1"}).StartTask("loop").Skip("h1", "a").Skip("h1", "b").Build();
  HostResult first = ResultOf(TaskStatus::kSkipped);
  first.last = false;
  HostResult second = ResultOf(TaskStatus::kSkipped);
  second.place.item = 1;
  second.all_skipped = true;
  EXPECT_EQ(Text(run, first) + Text(run, second),
            "skipping: [h1] => (item=a) \nskipping: [h1] => (item=b) \nskipping: [h1]\n");
  EXPECT_TRUE(Text(run, second, {.verbosity = 1})
                  .ends_with("skipping: [h1] => {\"changed\": false, \"msg\": \"All items "
                             "skipped\"}\n"));
}

TEST(HumanReport, NoLogHidesAllButTheVerdict) {
  CompiledRun run = RunBuilder().Play("p", {"h1"}).StartTask("t").Do("h1", "pass").Secret().Build();
  HostResult result = ResultOf(TaskStatus::kFailed, "pass is wrong");
  result.result.detail = CommandOutcome{.exit_code = 1, .stderr_text = "pass"};
  result.result.changes = {{"change", "secret pass", "a", "b", ""}};
  const std::string text = Text(run, result, {.verbosity = 3, .diff = true});
  EXPECT_EQ(text,
            "failed: [h1] (item=(censored due to no_log)) => {\"censored\": \"the output has been "
            "hidden due to the fact that 'no_log: true' was specified for this result\", "
            "\"changed\": true}\n");
}

// Ours: Ansible has no typed changes.
TEST(HumanReport, ChangesAreShownWithDiffOrVerbose) {
  HostResult result = ResultOf(TaskStatus::kChanged);
  result.result.changes = {
      {"add", "address 10.0.0.100/32 on lo", "", "", "missing"},
      {"change", "sysctl net.ipv4.conf.all.arp_ignore", "0", "1", ""},
      {"remove", "service tcp 10.0.0.9:80", "rr", "", "left the playbook"},
  };
  EXPECT_EQ(Text(OneTask(), result), "changed: [h1]\n");
  EXPECT_EQ(Text(OneTask(), result, {.diff = true}),
            "changed: [h1]\n"
            "  + address 10.0.0.100/32 on lo  (missing)\n"
            "  ~ sysctl net.ipv4.conf.all.arp_ignore: 0 -> 1\n"
            "  - service tcp 10.0.0.9:80: rr  (left the playbook)\n");
}

TEST(HumanReport, FileDiffStandsBeforeTheChangedLine) {
  HostResult result = ResultOf(TaskStatus::kChanged);
  result.result.detail = FileDiff{.path = "/tmp/x", .before = "hello\n", .after = "hello\nworld\n"};
  EXPECT_EQ(Text(OneTask(), result, {.diff = true}),
            "--- before: /tmp/x\n+++ after: /tmp/x\n@@ -1 +1,2 @@\n hello\n+world\n\n"
            "changed: [h1]\n");
  EXPECT_EQ(Text(OneTask(), result), "changed: [h1]\n");
}

TEST(HumanReport, RecapIsPaddedAsAnsiblesAndSortedByHost) {
  const CompiledRun run = OneTask();
  const HumanReport report(run, {});
  EXPECT_EQ(
      report.Recap(
          {{"longer-host2", {.ok = 4, .changed = 4, .failed = 1, .skipped = 3, .ignored = 1}},
           {"h1", {.ok = 16, .changed = 6, .unreachable = 1}}}),
      "\nPLAY RECAP *********************************************************************\n"
      "h1                         : ok=16   changed=6    unreachable=1    failed=0    skipped=0    "
      "rescued=0    ignored=0   \n"
      "longer-host2               : ok=4    changed=4    unreachable=0    failed=1    skipped=3    "
      "rescued=0    ignored=1   \n"
      "\n");
}

TEST(HumanReport, RecapColoursOnlyWhatIsNotZero) {
  const CompiledRun run = OneTask();
  const HumanReport report(run, {.colours = true});
  EXPECT_EQ(report.Recap({{"h1", {.failed = 1}}}),
            "\nPLAY RECAP *********************************************************************\n"
            "\033[0;31mh1\033[0m                         : ok=0    changed=0    unreachable=0    "
            "\033[0;31mfailed=1   \033[0m skipped=0    rescued=0    ignored=0   \n\n");
}

TEST(HumanReport, VerifyEvidenceIsShownAlsoWhenAllIsWell) {
  HostResult result = ResultOf(TaskStatus::kOk);
  result.verify = VerifyReport{};
  result.verify->arp = {"10.0.0.100: d1 answers"};
  EXPECT_EQ(Text(OneTask(), result), "ok: [h1]\n    arp: 10.0.0.100: d1 answers\n");
}

TEST(HumanReport, InterruptedRunNamesTheHostsLeftMidway) {
  const CompiledRun run = OneTask();
  const HumanReport report(run, {});
  EXPECT_EQ(report.Interrupted({}), "Interrupted; no host was left in the middle of a play.\n");
  EXPECT_EQ(
      report.Interrupted({{"rs1", "copy", true}, {"rs2", "vip", false}}),
      "Interrupted. These hosts are in the middle of a play; the next rollout completes them:\n"
      "  rs1                      : was at \"copy\"\n"
      "  rs2                      : next is \"vip\"\n");
}

TEST(HumanReport, BytesThatAreNoUtf8AreReplacedAndDoNotThrow) {
  const std::string text = Text(OneTask(), ResultOf(TaskStatus::kFailed, "bad \xFF byte"));
  EXPECT_EQ(text,
            "fatal: [h1]: FAILED! => {\"changed\": false, \"msg\": \"bad \xEF\xBF\xBD byte\"}\n");
}

}  // namespace
}  // namespace drover
