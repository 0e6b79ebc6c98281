#include "node-helper/tasks/session.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "node-helper/store/files.h"
#include "protocol/codec.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/fakes/lent_kernel.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() : store_(folder_ / "state") {}

  static Task Touch(std::uint32_t id, const std::string& path) {
    Task task;
    task.id = id;
    CommandTask command;
    command.argv = {"touch", path};
    task.action = command;
    return task;
  }
  static Program ProgramOf(std::vector<Task> tasks) {
    Program program;
    program.run.owner = "web";
    program.run.user = "ann";
    program.run.control_host = "ctl";
    program.tasks = std::move(tasks);
    return program;
  }

  // Runs a session on a file with `input`; its events, the greeting left out.
  std::vector<Event> Run(const std::string& input) {
    std::ofstream(folder_ / "in") << input;
    const Descriptor in(::open((folder_ / "in").c_str(), O_RDONLY | O_CLOEXEC));
    return RunOn(in.get());
  }

  std::vector<Event> RunOn(int in) {
    const Descriptor out(
        ::open((folder_ / "out").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    SessionParts parts;
    parts.in = in;
    parts.out = out.get();
    parts.store = &store_;
    parts.open_kernel = [this]() -> Result<std::unique_ptr<Kernel>> {
      return std::unique_ptr<Kernel>(std::make_unique<LentKernel>(kernel_));
    };
    code_ = RunSession(parts);
    std::istringstream lines(ReadWholeFile(folder_ / "out").value());
    std::vector<Event> events;
    for (std::string line; std::getline(lines, line);) events.push_back(DecodeEvent(line).value());
    EXPECT_TRUE(std::holds_alternative<Hello>(events.at(0)));
    events.erase(events.begin());
    return events;
  }

  TempFolder folder_;
  Store store_;
  FakeKernel kernel_;
  int code_ = -1;
};

TEST_F(SessionTest, SeveralProgramsRunInOneSession) {
  const std::string program = EncodeProgram(ProgramOf({Touch(1, folder_ / "a")}));
  const auto events = Run(program + "\n" + program);
  EXPECT_EQ(code_, 0);
  ASSERT_EQ(events.size(), 6U);
  EXPECT_EQ(std::get<TaskStarted>(events[0]).task, 1U);
  EXPECT_EQ(std::get<TaskResult>(events[1]).status, TaskStatus::kChanged);
  EXPECT_TRUE(std::get<ProgramDone>(events[2]).ok);
  EXPECT_TRUE(std::get<ProgramDone>(events[5]).ok);
}

TEST_F(SessionTest, FailureEndsTheProgramUnlessIgnored) {
  Task fails = Touch(1, folder_ / "no/such/folder/f");
  auto events = Run(EncodeProgram(ProgramOf({fails, Touch(2, folder_ / "b")})));
  ASSERT_EQ(events.size(), 3U);
  EXPECT_FALSE(std::get<ProgramDone>(events[2]).ok);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "b"));
  fails.ignore_errors = true;
  events = Run(EncodeProgram(ProgramOf({fails, Touch(2, folder_ / "b")})));
  ASSERT_EQ(events.size(), 5U);
  EXPECT_TRUE(std::get<ProgramDone>(events[4]).ok);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "b"));
}

TEST_F(SessionTest, ClosedInputBeginsNoFurtherTask) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Descriptor in(ends[0]);
  {
    const Descriptor writer(ends[1]);
    ASSERT_TRUE(
        WriteAll(writer.get(), EncodeProgram(ProgramOf({Touch(1, folder_ / "a")})) + "\n", "pipe"));
  }
  const auto events = RunOn(in.get());
  EXPECT_EQ(code_, 1);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_FALSE(std::get<ProgramDone>(events[0]).ok);
  EXPECT_EQ(std::get<SessionError>(events[1]).error.message,
            "the input was closed before program_done came; 1 task not begun");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a"));
}

TEST_F(SessionTest, LineThatIsNoMessageEndsTheSession) {
  const auto events = Run("hello\n");
  EXPECT_EQ(code_, 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<SessionError>(events[0]).error.code, ErrorCode::kInvalid);
}

TEST_F(SessionTest, EmptyInputIsNoError) {
  EXPECT_TRUE(Run("").empty());
  EXPECT_EQ(code_, 0);
}

TEST_F(SessionTest, CheckAndProbesDoNotLockTheNode) {
  Task task = Touch(1, folder_ / "a");
  EXPECT_TRUE(ChangesTheNode(ProgramOf({task})));
  task.check = true;
  EXPECT_FALSE(ChangesTheNode(ProgramOf({task})));
  task.check = false;
  task.action = ProbeTask();
  EXPECT_FALSE(ChangesTheNode(ProgramOf({task})));
  EXPECT_TRUE(ChangesTheNode(ProgramOf({task, Touch(2, "/x")})));
}

TEST_F(SessionTest, CheckModeWritesNothingAtAll) {
  Task task;
  task.id = 1;
  task.check = true;
  ConvergeTask converge;
  converge.state.addresses = {{"lo", Prefix::Parse("10.0.0.100/32").value(), false}};
  task.action = converge;
  Task again = task;
  again.id = 2;
  const auto events = Run(EncodeProgram(ProgramOf({task, again})));
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(std::get<TaskResult>(events[1]).status, TaskStatus::kChanged);
  // The second task of the program sees what the first one would have done.
  EXPECT_EQ(std::get<TaskResult>(events[3]).status, TaskStatus::kOk);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "state"));
  EXPECT_TRUE(kernel_.applied().empty());
}

}  // namespace
}  // namespace drover
