// The short SMTP session, in pieces of any size.

#include "node-helper/checks/smtp_dialogue.h"

#include <gtest/gtest.h>

#include "tests/node-helper/checks/print.h"

namespace drover {
namespace {

TEST(SmtpDialogue, GoodServersAreTaken) {
  const std::string server =
      "220-mx.example.com\r\n220 ready\r\n250-mx greets you\r\n250-SIZE 1000\r\n250 HELP\r\n221 "
      "bye\r\n";
  for (std::size_t piece = 1; piece <= server.size(); ++piece) {
    SmtpDialogue dialogue("me");
    std::string sent;
    for (std::size_t at = 0; at < server.size(); at += piece) {
      sent += dialogue.Feed(std::string_view(server).substr(at, piece));
    }
    EXPECT_EQ(sent, "EHLO me\r\nQUIT\r\n") << piece;
    EXPECT_EQ(dialogue.verdict(), CheckAnswer::Ok()) << piece;
  }
}

TEST(SmtpDialogue, AnOldServerIsGreetedTheOldWay) {
  SmtpDialogue dialogue("me");
  EXPECT_EQ(dialogue.Feed("220 old\n"), "EHLO me\r\n");
  EXPECT_EQ(dialogue.Feed("502 what?\n"), "HELO me\r\n");
  EXPECT_EQ(dialogue.Feed("250 hello\n"), "QUIT\r\n");
  EXPECT_FALSE(dialogue.verdict().has_value());
  EXPECT_EQ(dialogue.Silence("no answer in 1s"), CheckAnswer::Ok());
  dialogue.End();
  EXPECT_EQ(dialogue.verdict(), CheckAnswer::Ok()) << "it owes us no goodbye";
}

TEST(SmtpDialogue, RefusalsAndNoiseAreFailures) {
  struct Case {
    std::string bytes;
    std::string reason;
  };
  const std::vector<Case> cases = {
      {"554 go away\r\n", "the connection was answered \"554 go away\""},
      {"421-busy\r\n421 later\r\n", "the connection was answered \"421 later\""},
      {"SSH-2.0-x\r\n", "\"SSH-2.0-x\" is no SMTP reply"},
      {"\r\n", "\"\" is no SMTP reply"},
      {"220 ok\r\n421 closing\r\n", "EHLO was answered \"421 closing\""},
      {"220 ok\r\n500 no\r\n550 no\r\n", "HELO was answered \"550 no\""},
      {std::string(5000, 'x'), "the server talks without end"},
  };
  for (const Case& c : cases) {
    SmtpDialogue dialogue("me");
    (void)dialogue.Feed(c.bytes);
    EXPECT_EQ(dialogue.verdict(), CheckAnswer::Failed(c.reason));
  }
  SmtpDialogue endless("me");
  for (int i = 0; i < 10000 && !endless.verdict(); ++i) (void)endless.Feed("220-more\r\n");
  EXPECT_EQ(endless.verdict(), CheckAnswer::Failed("the server talks without end"));
}

TEST(SmtpDialogue, ASilentServerFails) {
  SmtpDialogue dialogue("me");
  EXPECT_EQ(dialogue.Silence("no answer in 1s"), CheckAnswer::Failed("no answer in 1s"));
  dialogue.End();
  EXPECT_EQ(dialogue.verdict(), CheckAnswer::Failed("the server closed the connection"));
}

}  // namespace
}  // namespace drover
