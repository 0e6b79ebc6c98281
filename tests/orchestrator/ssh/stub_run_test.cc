// The stub at work under real shells: cold and warm, and everything that may go wrong with an
// upload.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "orchestrator/ssh/child_stream.h"
#include "orchestrator/ssh/start_helper.h"
#include "tests/orchestrator/ssh/fake_helper.h"

namespace drover {
namespace {

using std::chrono::seconds;

// Runs stubs against a folder of its own.
class StubRun : public testing::Test {
 protected:
  StartOptions Options(const std::string& script) {
    StartOptions options;
    options.host = "node";
    options.user = "me";
    options.helper = AsBinary(script);
    options.stub.folder = folder_ / "drover/bin";
    options.stub.sha256 = options.helper->sha256;
    options.stub.size = options.helper->bytes.size();
    options.stub.owner = ::getuid();
    options.trace = [this](int level, const std::string& line) {
      if (level == 1) {
        const std::lock_guard lock(mutex_);
        trace_ += line + "\n";
      }
    };
    return options;
  }

  static std::unique_ptr<ByteStream> Stream(std::vector<std::string> argv, const Bell& bell) {
    auto stream = OpenChildStream(argv, "node", bell);
    EXPECT_TRUE(stream.has_value());
    return stream ? *std::move(stream) : nullptr;
  }

  tl::expected<HelperTalk, StartFailure> Start(const StartOptions& options,
                                               const std::string& shell = "dash") {
    const auto stream = Stream({shell, "-c", StubScript(options.stub)}, bell_);
    return StartHelper(*stream, options);
  }

  // In a mount namespace of its own, with `mount` run on the helper's folder before.
  tl::expected<HelperTalk, StartFailure> StartMounted(const StartOptions& options,
                                                      const std::string& mount) {
    std::filesystem::create_directories(options.stub.folder);
    ::chmod(options.stub.folder.c_str(), 0700);
    const std::string setup = "cd / && " + mount + " && exec dash -c \"$2\"";
    const auto stream = Stream(
        {"unshare", "-m", "sh", "-c", setup, "sh", options.stub.folder, StubScript(options.stub)},
        bell_);
    return StartHelper(*stream, options);
  }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    std::error_code missing;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder_.path() / "drover/bin", missing)) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  // Receives until the end of the stream and returns all of its stdout.
  static std::string AllOutput(ByteStream& stream) {
    std::string out;
    while (true) {
      const auto arrival = stream.Receive(In(seconds(10)));
      if (!arrival) return out + "<" + arrival.error().message + ">";
      out += arrival->out;
      if (arrival->end) return out;
    }
  }

  // Runs the stub up to its wish for the helper.
  static void AwaitWish(ByteStream& stream) {
    std::string out;
    while (out.find("need-helper") == std::string::npos) {
      const auto arrival = stream.Receive(In(seconds(10)));
      ASSERT_TRUE(arrival.has_value());
      ASSERT_FALSE(arrival->end.has_value()) << out << arrival->err;
      out += arrival->out;
    }
  }

  static void SendAll(ByteStream& stream, std::string_view data) {
    while (!data.empty()) {
      const auto written = stream.Write(data, In(seconds(10)));
      ASSERT_TRUE(written.has_value());
      data.remove_prefix(*written);
    }
  }

  TempFolder folder_;
  Bell bell_;
  std::mutex mutex_;
  std::string trace_;
};

class StubShells : public StubRun, public testing::WithParamInterface<const char*> {};

TEST_P(StubShells, ColdStartBringsTheHelperAndWarmStartFindsIt) {
  const StartOptions options = Options(FakeHelper());
  const auto cold = Start(options, GetParam());
  ASSERT_TRUE(cold.has_value()) << cold.error().error.message;
  EXPECT_EQ(cold->hello.host, "node");
  EXPECT_NE(trace_.find("brings"), std::string::npos);
  EXPECT_EQ(Files(), std::vector<std::string>{"node-helper-" + options.stub.sha256});
  struct stat about {};
  ASSERT_EQ(::stat((options.stub.folder + "/" + Files().front()).c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0700U);
  ASSERT_EQ(::stat(options.stub.folder.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0700U);

  trace_.clear();
  const auto warm = Start(options, GetParam());
  ASSERT_TRUE(warm.has_value()) << warm.error().error.message;
  EXPECT_EQ(trace_, "");
}

INSTANTIATE_TEST_SUITE_P(Each, StubShells, testing::Values("dash", "bash"));

TEST_F(StubRun, TruncatedUploadIsNoticedAndLeavesNothing) {
  const StartOptions options = Options(FakeHelper());
  const auto stream = Stream({"dash", "-c", StubScript(options.stub)}, bell_);
  AwaitWish(*stream);
  SendAll(*stream, std::string_view(options.helper->bytes).substr(0, 100000));
  stream->CloseInput();
  EXPECT_NE(AllOutput(*stream).find("drover failed truncated 100000\n"), std::string::npos);
  EXPECT_TRUE(Files().empty());
}

TEST_F(StubRun, ConnectionThatDiesDuringTheUploadLeavesNothing) {
  const StartOptions options = Options(FakeHelper());
  auto stream = Stream({"dash", "-c", StubScript(options.stub)}, bell_);
  AwaitWish(*stream);
  SendAll(*stream, std::string_view(options.helper->bytes).substr(0, 100000));
  EXPECT_EQ(Files().size(), 1U);
  stream.reset();
  for (int i = 0; i < 100 && !Files().empty(); ++i) ::usleep(50000);
  EXPECT_TRUE(Files().empty());
}

TEST_F(StubRun, DamagedUploadIsNoticedAndLeavesNothing) {
  StartOptions options = Options(FakeHelper());
  auto damaged = std::make_shared<HelperBinary>(*options.helper);
  damaged->bytes[200000] = static_cast<char>(damaged->bytes[200000] + 1);
  options.helper = damaged;
  const auto talk = Start(options);
  ASSERT_FALSE(talk.has_value());
  EXPECT_TRUE(talk.error().error.message.starts_with("damaged upload of the helper to node: "))
      << talk.error().error.message;
  EXPECT_TRUE(Files().empty());
}

TEST_F(StubRun, FileOfAnotherSizeIsReplaced) {
  const StartOptions options = Options(FakeHelper());
  std::filesystem::create_directories(options.stub.folder);
  ::chmod(options.stub.folder.c_str(), 0700);
  folder_.Write("drover/bin/node-helper-" + options.stub.sha256, "#!/bin/sh\nexit 9\n", 0700);
  const auto talk = Start(options);
  ASSERT_TRUE(talk.has_value()) << talk.error().error.message;
}

TEST_F(StubRun, FileOfTheRightSizeThatIsNoHelperCountsAsDamagedAndIsBroughtAgain) {
  StartOptions options = Options(FakeHelper());
  std::filesystem::create_directories(options.stub.folder);
  ::chmod(options.stub.folder.c_str(), 0700);
  const std::string zeros(options.helper->bytes.size(), '\0');
  folder_.Write("drover/bin/node-helper-" + options.stub.sha256, zeros, 0700);
  for (const char* shell : {"dash", "bash"}) {
    const auto damaged = Start(options, shell);
    ASSERT_FALSE(damaged.has_value());
    EXPECT_TRUE(damaged.error().damaged) << shell << ": " << damaged.error().error.message;
  }
  options.stub.force = true;
  ASSERT_TRUE(Start(options).has_value());
  options.stub.force = false;
  ASSERT_TRUE(Start(options).has_value());
}

TEST_F(StubRun, HelperThatDiesAfterItsUploadIsNotBroughtForEver) {
  const StartOptions options = Options("#!/bin/sh\necho no luck >&2\nexit 3\n");
  const auto talk = Start(options);
  ASSERT_FALSE(talk.has_value());
  EXPECT_FALSE(talk.error().damaged);
  EXPECT_EQ(talk.error().error.message,
            "the helper on node ended before its first word (exit code 3): no luck");
}

TEST_F(StubRun, FolderOpenToOthersIsRefused) {
  const StartOptions options = Options(FakeHelper());
  std::filesystem::create_directories(options.stub.folder);
  ::chmod(options.stub.folder.c_str(), 0777);
  const auto talk = Start(options);
  ASSERT_FALSE(talk.has_value());
  EXPECT_EQ(talk.error().error.code, ErrorCode::kDenied);
}

TEST_F(StubRun, WhoIsNotRootIsTold) {
  StartOptions options = Options(FakeHelper());
  options.stub.owner = ::getuid() + 1;
  const auto talk = Start(options);
  ASSERT_FALSE(talk.has_value());
  EXPECT_EQ(talk.error().error.code, ErrorCode::kDenied);
  EXPECT_NE(talk.error().error.message.find("is not root on node"), std::string::npos);
}

TEST_F(StubRun, OtherMachineIsRefusedBeforeAByteIsSent) {
  StartOptions options = Options(FakeHelper());
  auto foreign = std::make_shared<HelperBinary>(*options.helper);
  foreign->machine = "s390x";
  options.helper = foreign;
  const auto talk = Start(options);
  ASSERT_FALSE(talk.has_value());
  EXPECT_EQ(talk.error().error.code, ErrorCode::kInvalid);
  EXPECT_NE(talk.error().error.message.find("fake-helper is built for s390x"), std::string::npos);
}

TEST_F(StubRun, ManyUploadsOfOneHelperAtOnceAllSucceed) {
  const StartOptions options = Options(FakeHelper());
  std::vector<std::thread> threads;
  std::vector<std::string> problems(8);
  for (std::string& problem : problems) {
    threads.emplace_back([&] {
      const Bell bell;
      const auto stream = Stream({"dash", "-c", StubScript(options.stub)}, bell);
      const auto talk = StartHelper(*stream, options);
      if (!talk) problem = talk.error().error.message;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(problems, std::vector<std::string>(8));
  EXPECT_EQ(Files(), std::vector<std::string>{"node-helper-" + options.stub.sha256});
}

TEST_F(StubRun, ThreeNewestHelpersAreKept) {
  const StartOptions options = Options(FakeHelper());
  std::filesystem::create_directories(options.stub.folder);
  ::chmod(options.stub.folder.c_str(), 0700);
  for (const char* age : {"1", "2", "3", "4"}) {
    const std::string path = folder_.Write(std::string("drover/bin/node-helper-") + age, "x", 0700);
    std::filesystem::last_write_time(
        path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(std::stoi(age)));
  }
  const auto talk = Start(options);
  ASSERT_TRUE(talk.has_value()) << talk.error().error.message;
  EXPECT_EQ(Files(), (std::vector<std::string>{"node-helper-1", "node-helper-2",
                                               "node-helper-" + options.stub.sha256}));
}

TEST_F(StubRun, HelperGetsTheUmaskOfTheLoginAndNotTheOneOfTheUpload) {
  const std::string made = folder_ / "made";
  const mode_t before = ::umask(022);
  const auto talk = Start(Options(FakeHelper(": > " + made)));
  ::umask(before);
  ASSERT_TRUE(talk.has_value()) << talk.error().error.message;
  struct stat about {};
  ASSERT_EQ(::stat(made.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0644U);
}

TEST_F(StubRun, NoiseOfAStartFileIsToldAndTolerated) {
  const StartOptions options = Options(FakeHelper());
  const auto stream = Stream(
      {"dash", "-c", "echo Welcome; printf 'no newline'; " + StubScript(options.stub)}, bell_);
  const auto talk = StartHelper(*stream, options);
  ASSERT_TRUE(talk.has_value()) << talk.error().error.message;
  EXPECT_NE(trace_.find("printed \"Welcome\" before the helper"), std::string::npos) << trace_;
}

TEST_F(StubRun, EndlessNoiseIsAnError) {
  const StartOptions options = Options(FakeHelper());
  const auto stream = Stream({"dash", "-c", "while :; do echo Welcome; done"}, bell_);
  const auto talk = StartHelper(*stream, options);
  ASSERT_FALSE(talk.has_value());
  EXPECT_NE(talk.error().error.message.find("printed more than 64 KiB"), std::string::npos);
}

TEST_F(StubRun, SilenceEndsAtTheDeadline) {
  StartOptions options = Options(FakeHelper());
  options.timeout = std::chrono::milliseconds(200);
  const auto stream = Stream({"sleep", "60"}, bell_);
  const auto talk = StartHelper(*stream, options);
  ASSERT_FALSE(talk.has_value());
  EXPECT_EQ(talk.error().error.code, ErrorCode::kUnreachable);
}

TEST_F(StubRun, FullDiskIsToldAndLeavesNothing) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root for a mount namespace";
  const auto talk =
      StartMounted(Options(FakeHelper()), "mount -t tmpfs -o size=64k,mode=700 none \"$1\"");
  ASSERT_FALSE(talk.has_value());
  EXPECT_TRUE(talk.error().error.message.starts_with("no space left on "))
      << talk.error().error.message;
  EXPECT_NE(talk.error().error.message.find("needs 0.3 MB"), std::string::npos);
}

TEST_F(StubRun, ReadOnlyFileSystemIsTold) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root for a mount namespace";
  const auto talk =
      StartMounted(Options(FakeHelper()), "mount -t tmpfs -o ro,mode=700 none \"$1\"");
  ASSERT_FALSE(talk.has_value());
  EXPECT_NE(talk.error().error.message.find("read-only file system"), std::string::npos)
      << talk.error().error.message;
}

TEST_F(StubRun, NoexecIsTold) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root for a mount namespace";
  const auto talk =
      StartMounted(Options(FakeHelper()), "mount -t tmpfs -o noexec,mode=700 none \"$1\"");
  ASSERT_FALSE(talk.has_value());
  EXPECT_NE(talk.error().error.message.find("mounted noexec"), std::string::npos)
      << talk.error().error.message;
}

}  // namespace
}  // namespace drover
