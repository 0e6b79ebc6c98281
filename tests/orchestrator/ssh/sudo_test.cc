// sudo's words as sudo 1.8 and 1.9 print them.

#include "orchestrator/ssh/sudo.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(Sudo, PromptIsFoundBehindALecture) {
  const std::string prompt = SudoPrompt("ab12");
  const std::string lecture =
      "We trust you have received the usual lecture from the local System\n";
  EXPECT_EQ(ReadSudo("", prompt), SudoState::kSilent);
  EXPECT_EQ(ReadSudo(lecture, prompt), SudoState::kSilent);
  EXPECT_EQ(ReadSudo(lecture + prompt, prompt), SudoState::kAsks);
  EXPECT_EQ(ReadSudo(lecture + prompt + "Sorry, try again.\n" + prompt, prompt),
            SudoState::kAsksAgain);
}

TEST(Sudo, WithoutPromptNothingIsAQuestion) {
  EXPECT_EQ(ReadSudo("drover-sudo-", ""), SudoState::kSilent);
}

struct RefusalCase {
  const char* name;
  const char* text;
  bool password_given;
  const char* want;  // empty: not sudo's refusal
};

class SudoRefusalTest : public testing::TestWithParam<RefusalCase> {};

TEST_P(SudoRefusalTest, IsTold) {
  const auto error = SudoRefusal(GetParam().text, GetParam().password_given, "bob", "web1");
  if (*GetParam().want == '\0') {
    EXPECT_FALSE(error.has_value());
    return;
  }
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, ErrorCode::kDenied);
  EXPECT_EQ(error->message, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Words, SudoRefusalTest,
    testing::Values(
        RefusalCase{"wants_password", "sudo: a password is required\n", false,
                    "sudo on web1 wants a password: give -K or ansible_become_password"},
        RefusalCase{"wrong_password",
                    "p:Sorry, try again.\np:\nsudo: no password was provided\nsudo: 1 incorrect "
                    "password attempt\n",
                    true, "sudo refused the password for bob on web1"},
        RefusalCase{"not_in_sudoers", "p:bob is not in the sudoers file.\n", true,
                    "sudo on web1: p:bob is not in the sudoers file."},
        RefusalCase{"not_allowed",
                    "Sorry, user bob is not allowed to execute '/bin/sh -c x' as root on web1.\n",
                    true,
                    "sudo on web1: Sorry, user bob is not allowed to execute '/bin/sh -c x' as "
                    "root on web1."},
        RefusalCase{"requiretty", "sudo: sorry, you must have a tty to run sudo\n", false,
                    "sudo on web1: sudo: sorry, you must have a tty to run sudo; remove requiretty "
                    "for bob from its sudoers file"},
        RefusalCase{"no_sudo", "env: 'sudo': No such file or directory\n", false,
                    "sudo on web1: env: 'sudo': No such file or directory"},
        RefusalCase{"other", "sudo: unable to open /etc/sudoers: Permission denied\n", false,
                    "sudo on web1: unable to open /etc/sudoers: Permission denied"},
        RefusalCase{"stranger", "bash: line 1: foo: command not found\n", false, ""}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace drover
