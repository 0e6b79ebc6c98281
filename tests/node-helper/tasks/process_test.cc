#include "node-helper/tasks/process.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "protocol/codec.h"

namespace drover {
namespace {

ProcessOutcome Shell(const std::string& script, ProcessSpec spec = {}) {
  spec.argv = {"/bin/sh", "-c", script};
  auto outcome = RunProcess(spec);
  EXPECT_TRUE(outcome) << outcome.error().message;
  return outcome.value_or(ProcessOutcome());
}

TEST(Process, BringsBackBothStreamsAndTheCode) {
  const ProcessOutcome outcome = Shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(outcome.command.stdout_text, "out\n");
  EXPECT_EQ(outcome.command.stderr_text, "err\n");
  EXPECT_EQ(outcome.command.exit_code, 3);
  EXPECT_FALSE(outcome.timed_out);
}

TEST(Process, SignalIsACodeAbove128) { EXPECT_EQ(Shell("kill -9 $$").command.exit_code, 137); }

TEST(Process, MoreInputThanAPipeHoldsArrives) {
  ProcessSpec spec;
  spec.stdin_text = std::string(300000, 'x');
  EXPECT_EQ(Shell("wc -c", spec).command.stdout_text, "300000\n");
}

TEST(Process, InputThatNobodyReadsIsNoError) {
  ProcessSpec spec;
  spec.stdin_text = std::string(300000, 'x');
  EXPECT_EQ(Shell("exec 0<&-; exit 0", spec).command.exit_code, 0);
}

TEST(Process, OutputAboveTheLimitIsCutAndSaid) {
  const ProcessOutcome outcome = Shell("head -c 2000000 /dev/zero | tr '\\0' a");
  EXPECT_EQ(outcome.command.stdout_text.size(), kMaxOutputBytes);
  EXPECT_TRUE(outcome.command.truncated);
  EXPECT_EQ(outcome.command.exit_code, 0);
}

TEST(Process, TimeoutEndsTheWholeGroup) {
  ProcessSpec spec;
  spec.timeout = std::chrono::milliseconds{50};
  const auto begin = std::chrono::steady_clock::now();
  const ProcessOutcome outcome = Shell("echo first; sleep 30 & sleep 30", spec);
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_EQ(outcome.command.exit_code, 143);
  EXPECT_EQ(outcome.command.stdout_text, "first\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{3});
}

// The guardian of a drill is never chosen by the OOM killer. A service that it started again was
// not either, and would have taken the rest of the node with it.
TEST(Process, ProgramsOfOneThatTheOomKillerSparesAreNotSpared) {
  constexpr const char* kScore = "/proc/self/oom_score_adj";
  std::string before;
  std::ifstream(kScore) >> before;
  const auto spared = [&] {
    HardenProcess();
    ::prctl(PR_SET_DUMPABLE, 1);      // so that this works without root, too
    std::ofstream(kScore) << "1000";  // anybody may go up, and down again
    std::string now;
    std::ifstream(kScore) >> now;
    const std::string theirs = Shell(std::string("cat ") + kScore).command.stdout_text;
    std::exit(now == "1000" && theirs == before + "\n" ? 0 : 1);
  };
  EXPECT_EXIT(spared(), testing::ExitedWithCode(0), "");
}

TEST(Process, DaemonThatKeepsOurPipesIsNotWaitedFor) {
  const auto begin = std::chrono::steady_clock::now();
  const ProcessOutcome outcome = Shell("sleep 5 & echo started $!");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{2});
  ASSERT_TRUE(outcome.command.stdout_text.starts_with("started "));
  ::kill(std::stoi(outcome.command.stdout_text.substr(8)), SIGKILL);
}

TEST(Process, NoSuchProgramOrFolderIsNotFound) {
  ProcessSpec spec;
  spec.argv = {"no-such-program-here"};
  EXPECT_EQ(RunProcess(spec).error().code, ErrorCode::kNotFound);
  spec.argv = {"/no/such/program"};
  EXPECT_EQ(RunProcess(spec).error().code, ErrorCode::kNotFound);
  spec.argv = {"true"};
  spec.chdir = "/no/such/folder";
  const auto refused = RunProcess(spec);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("/no/such/folder"), std::string::npos);
}

TEST(Process, ChildSeesOnlyItsThreeDescriptorsAndLeavesNoZombie) {
  // The fourth is the one with which ls reads the folder.
  EXPECT_EQ(Shell("ls /proc/self/fd | wc -l").command.stdout_text, "4\n");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Process, ManyRunsLeaveNoDescriptorBehind) {
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  Shell("true");
  const auto before = count();
  for (int i = 0; i < 20; ++i) Shell("true");
  EXPECT_EQ(count(), before);
}

TEST(Utf8, WhatIsNoUtf8IsReplaced) {
  struct Case {
    std::string input;
    std::string want;
  };
  const std::string bad = "\xEF\xBF\xBD";
  const Case cases[] = {
      {"plain", "plain"},
      {"\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {"a\xFFz", "a" + bad + "z"},
      {"\xC3", bad},
      {"\xC0\xAF", bad + bad},                      // overlong
      {"\xED\xA0\x80", bad + bad + bad},            // surrogate
      {"\xF4\x90\x80\x80", bad + bad + bad + bad},  // above U+10FFFF
  };
  for (const Case& test : cases) EXPECT_EQ(ToUtf8(test.input), test.want);
}

}  // namespace
}  // namespace drover
