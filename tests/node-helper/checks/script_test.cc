// Scripts: their ends, their environment, and that nothing of them stays.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "tests/node-helper/checks/ask_once.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

CheckAnswer RunScript(const std::string& shell_text, bool sets_weight = false,
                      milliseconds timeout = milliseconds(2000)) {
  boost::asio::io_context loop;
  const Endpoint at = *Endpoint::Parse("10.0.0.21:8080");
  const auto probe = MakeScriptProbe(
      loop, TargetAt(at, ScriptCheck{{"/bin/sh", "-c", shell_text}, sets_weight}, timeout));
  return AskOnce(loop, *probe, timeout);
}

bool HasChildren() { return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }

TEST(ScriptProbe, ItsExitCodeDecides) {
  EXPECT_EQ(RunScript("exit 0"), CheckAnswer::Ok());
  EXPECT_EQ(RunScript("exit 3"), CheckAnswer::Failed("the script ended with exit code 3"));
  EXPECT_EQ(RunScript("exit 12", true), CheckAnswer::Ok(10));
  EXPECT_EQ(RunScript("kill -9 $$"), CheckAnswer::Failed("the script was ended by signal 9"));
  EXPECT_FALSE(HasChildren());
}

TEST(ScriptProbe, KnowsWhomToAsk) {
  EXPECT_EQ(RunScript("[ \"$DROVER_ADDRESS/$DROVER_PORT/$DROVER_SERVICE\" = \"10.0.0.21/8080/tcp "
                      "10.0.0.100:80\" ]"),
            CheckAnswer::Ok());
}

TEST(ScriptProbe, GetsNoneOfOurDescriptorsAndHasAGroupOfItsOwn) {
  const int leak = ::dup(0);  // without close-on-exec
  ASSERT_GT(leak, 2);
  EXPECT_EQ(RunScript("[ ! -e /proc/self/fd/" + std::to_string(leak) + " ]"), CheckAnswer::Ok());
  ::close(leak);
  EXPECT_EQ(RunScript("[ $(ps -o pgid= -p $$) = $$ ]"), CheckAnswer::Ok());
}

TEST(ScriptProbe, OneThatIsNotThereFails) {
  boost::asio::io_context loop;
  const auto probe = MakeScriptProbe(
      loop, TargetAt(*Endpoint::Parse("10.0.0.21:80"), ScriptCheck{{"/no/such/script"}}));
  EXPECT_EQ(AskOnce(loop, *probe, milliseconds(100)),
            CheckAnswer::Failed("/no/such/script: No such file or directory"));
}

TEST(ScriptProbe, OneThatHangsIsEnded) {
  const auto begin = steady_clock::now();
  EXPECT_EQ(RunScript("sleep 60", false, milliseconds(200)),
            CheckAnswer::Failed("the script did not end in 200ms"));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1000));
  EXPECT_FALSE(HasChildren());
}

TEST(ScriptProbe, OneThatIgnoresSigtermIsKilledWhileTheLoopGoesOn) {
  boost::asio::io_context loop;
  const auto probe = MakeScriptProbe(
      loop, TargetAt(*Endpoint::Parse("10.0.0.21:80"),
                     ScriptCheck{{"/bin/sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60"}}));
  EXPECT_FALSE(AskOnce(loop, *probe, milliseconds(200)).ok());
  ASSERT_TRUE(HasChildren());
  const auto again = probe->Start([](const CheckAnswer&) {});
  ASSERT_TRUE(again.has_value()) << "it never runs twice at once";
  EXPECT_EQ(again->reason, "/bin/sh: its last run has not ended yet");
  loop.restart();
  loop.run_for(kTermGrace + milliseconds(300));
  EXPECT_FALSE(HasChildren());
  EXPECT_FALSE(probe->Start([](const CheckAnswer&) {}).has_value());
}

TEST(ScriptProbe, WhatItLeavesBehindIsKilled) {
  const std::string file = "/tmp/drover-script-test-" + std::to_string(::getpid());
  EXPECT_EQ(RunScript("sleep 60 & echo $! > " + file), CheckAnswer::Ok());
  pid_t left = 0;
  std::ifstream(file) >> left;
  ::unlink(file.c_str());
  ASSERT_GT(left, 0);
  // Init takes its status, when that is a matter of moments.
  bool gone = false;
  for (int i = 0; i < 100 && !gone; ++i) {
    std::string state;
    std::ifstream stat("/proc/" + std::to_string(left) + "/stat");
    std::string pid;
    std::string name;
    gone = !(stat >> pid >> name >> state) || state == "Z" || state == "X";
    if (!gone) ::usleep(10000);
  }
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace drover
