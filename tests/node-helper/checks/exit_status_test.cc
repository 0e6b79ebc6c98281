// Exit codes of scripts.

#include "node-helper/checks/exit_status.h"

#include <gtest/gtest.h>

#include "tests/node-helper/checks/print.h"

namespace drover {
namespace {

int Exited(int code) { return code << 8; }  // as waitpid gives it

TEST(ExitStatus, ZeroIsUpAndTheRestIsDown) {
  EXPECT_EQ(JudgeExit(Exited(0), false), CheckAnswer::Ok());
  EXPECT_EQ(JudgeExit(Exited(1), false), CheckAnswer::Failed("the script ended with exit code 1"));
  EXPECT_EQ(JudgeExit(Exited(255), false),
            CheckAnswer::Failed("the script ended with exit code 255"));
  EXPECT_EQ(JudgeExit(9, false), CheckAnswer::Failed("the script was ended by signal 9"));
}

TEST(ExitStatus, FromTwoOnItIsAWeightWhereTheScriptSetsOne) {
  EXPECT_EQ(JudgeExit(Exited(0), true), CheckAnswer::Ok()) << "the playbook's weight holds";
  EXPECT_EQ(JudgeExit(Exited(1), true), CheckAnswer::Failed("the script ended with exit code 1"));
  EXPECT_EQ(JudgeExit(Exited(2), true), CheckAnswer::Ok(0));
  EXPECT_EQ(JudgeExit(Exited(255), true), CheckAnswer::Ok(253));
  EXPECT_EQ(JudgeExit(15, true), CheckAnswer::Failed("the script was ended by signal 15"));
}

}  // namespace
}  // namespace drover
