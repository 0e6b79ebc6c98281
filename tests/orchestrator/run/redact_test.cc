#include "orchestrator/run/redact.h"

#include <gtest/gtest.h>

#include "protocol/codec.h"

namespace drover {
namespace {

TEST(Redact, ProgramKeepsNoFileContentNoInputAndNothingOfSecretTasks) {
  Task file;
  file.action = FileTask{.dest = "/etc/x", .content = "content-kept-out"};
  Task command;
  command.action = CommandTask{.argv = {"cat"}, .stdin_text = "stdin-kept-out"};
  Task secret;
  secret.secret = true;
  secret.action = CommandTask{.argv = {"login", "argument-kept-out"}};
  const Program shown = Redacted(Program{.tasks = {file, command, secret}});
  EXPECT_EQ(std::get<FileTask>(shown.tasks[0].action).content, "<16 bytes>");
  EXPECT_EQ(std::get<FileTask>(shown.tasks[0].action).dest, "/etc/x");
  EXPECT_EQ(std::get<CommandTask>(shown.tasks[1].action).stdin_text, "<14 bytes>");
  EXPECT_EQ(std::get<CommandTask>(shown.tasks[1].action).argv, std::vector<std::string>{"cat"});
  EXPECT_EQ(std::get<CommandTask>(shown.tasks[2].action).argv,
            std::vector<std::string>{"<hidden>"});
}

TEST(Redact, ProgramKeepsNoVrrpPasswordAndNoHeaderOfAProbe) {
  DesiredState state;
  VrrpInstance instance;
  instance.password = "kept-out";
  state.vrrp_instances = {instance};
  HttpCheck http;
  http.headers = {{"Authorization", "Bearer kept-out"}};
  ServiceWatch watch;
  watch.checks = {CheckSettings{.kind = http}};
  state.watches = {watch};
  Task converge;
  converge.action = ConvergeTask{state};
  Task prune;
  prune.action = PruneTask{.whole = state};
  const Program shown = Redacted(Program{.tasks = {converge, prune}});
  const std::string line = EncodeProgram(shown);
  EXPECT_EQ(line.find("kept-out"), std::string::npos) << line;
  EXPECT_NE(line.find("<8 bytes>"), std::string::npos);
}

TEST(Redact, EventKeepsNoFileContentAndNothingOfSecretTasks) {
  TaskResult diff;
  diff.detail = FileDiff{.path = "/etc/x", .before = "a-kept-out", .after = "b-kept-out"};
  EXPECT_EQ(EncodeEvent(Redacted(diff, {})).find("kept-out"), std::string::npos);
  TaskResult secret;
  secret.task = 7;
  secret.message = "message-kept-out";
  secret.changes = {{"change", "resource-kept-out", "", "", ""}};
  secret.detail = CommandOutcome{.stdout_text = "out-kept-out", .stderr_text = "err-kept-out"};
  EXPECT_EQ(EncodeEvent(Redacted(secret, {7})).find("kept-out"), std::string::npos);
  EXPECT_NE(EncodeEvent(Redacted(secret, {8})).find("out-kept-out"), std::string::npos);
}

}  // namespace
}  // namespace drover
