// Sessions with ansible_connection=local: the helper is a child of ours.

#include <gtest/gtest.h>

#include <thread>

#include "orchestrator/ssh/helper_session.h"
#include "tests/orchestrator/ssh/fake_helper.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LocalSession : public testing::Test {
 protected:
  Result<std::unique_ptr<HelperSession>> Open(const std::string& script) {
    ConnectOptions options;
    options.helper_path = folder_.Write("helper" + std::to_string(++count_), script, 0700);
    HostConnection connection;
    connection.host = "here";
    connection.kind = HostConnection::Kind::kLocal;
    connection.connect_timeout = seconds(5);
    return OpenSession(connection, options);
  }

  TempFolder folder_;
  int count_ = 0;
};

TEST_F(LocalSession, GreetsAndAnswersAProgram) {
  const auto session = Open(FakeHelper());
  ASSERT_TRUE(session.has_value()) << session.error().message;
  EXPECT_EQ((*session)->hello().host, "node");
  ASSERT_TRUE((*session)->Send(Program{}).has_value());
  const auto event = (*session)->Next(seconds(5));
  ASSERT_TRUE(event.has_value()) << event.error().message;
  EXPECT_TRUE(std::holds_alternative<ProgramDone>(*event));
}

TEST_F(LocalSession, NothingToSayIsATimeoutAndTheSessionGoesOn) {
  const auto session = Open(FakeHelper());
  ASSERT_TRUE(session.has_value()) << session.error().message;
  const auto nothing = (*session)->Next(milliseconds(10));
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().code, ErrorCode::kTimeout);
  ASSERT_TRUE((*session)->Send(Program{}).has_value());
  EXPECT_TRUE((*session)->Next(seconds(5)).has_value());
}

TEST_F(LocalSession, DeathOfTheHelperComesWithItsLastWords) {
  const auto session = Open(FakeHelper("", "echo out of ideas >&2; kill -9 $$"));
  ASSERT_TRUE(session.has_value()) << session.error().message;
  ASSERT_TRUE((*session)->Send(Program{}).has_value());
  const auto event = (*session)->Next(seconds(5));
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code, ErrorCode::kUnreachable);
  EXPECT_EQ(event.error().message, "the helper on here ended (SIGKILL): out of ideas");
  EXPECT_EQ((*session)->Next(seconds(5)).error(), event.error());
}

TEST_F(LocalSession, AnythingButAGreetingIsRefused) {
  const auto session = Open("#!/bin/sh\necho hello\nsleep 5\n");
  ASSERT_FALSE(session.has_value());
  EXPECT_EQ(session.error().message, "the helper on here said \"hello\" in place of its greeting");
}

TEST_F(LocalSession, AbortWakesANextThatWaits) {
  const auto session = Open(FakeHelper());
  ASSERT_TRUE(session.has_value()) << session.error().message;
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(50));
    (*session)->Abort();
  });
  const auto event = (*session)->Next(seconds(30));
  other.join();
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code, ErrorCode::kUnreachable);
}

TEST_F(LocalSession, LargeProgramAndLargeAnswersDoNotBlockEachOther) {
  // Answers with far more than any buffer while the program is still on its way.
  const auto session = Open(
      FakeHelper("",
                 "i=0; while [ $i -lt 3000 ]; do echo '{\"type\":\"program_done\",\"ok\":true}'; "
                 "i=$((i+1)); done"));
  ASSERT_TRUE(session.has_value()) << session.error().message;
  Program program;
  Task task;
  task.action = FileTask{.dest = "/x", .content = std::string(400000, 'x')};
  program.tasks.push_back(task);
  ASSERT_TRUE((*session)->Send(program).has_value());
  ASSERT_TRUE((*session)->Send(program).has_value());
}

}  // namespace
}  // namespace drover
