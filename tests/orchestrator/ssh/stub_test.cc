// The stub's text and words.

#include "orchestrator/ssh/stub.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

StubOptions Options() { return {.sha256 = "abc123", .size = 3100000}; }

TEST(Stub, AnyLoginShellHandsItToShUnharmed) {
  const std::string script = StubScript(Options());
  EXPECT_EQ(script.find_first_of("'\\!\n"), std::string::npos) << script;
  EXPECT_EQ(script.find('@'), std::string::npos) << script;
  EXPECT_TRUE(StubCommand(Options()).starts_with("exec sh -c '"));
}

TEST(Stub, ForcedUploadTrustsNothing) {
  StubOptions options = Options();
  EXPECT_NE(StubScript(options).find("esac; t=; fail()"), std::string::npos);
  options.force = true;
  EXPECT_EQ(StubScript(options).find("-rwx"), std::string::npos);
}

TEST(Stub, SudoAsksOnlyWhenThereIsAPassword) {
  EXPECT_NE(SudoStubCommand(Options(), "").find("sudo -H -n -- sh -c '"), std::string::npos);
  EXPECT_NE(SudoStubCommand(Options(), "drover-sudo-1:").find("sudo -H -S -p drover-sudo-1: -- sh"),
            std::string::npos);
}

TEST(StubLine, WordsAndNothingElse) {
  EXPECT_EQ(ParseStubLine("drover start"), std::optional<StubLine>(HelperStarts{}));
  EXPECT_EQ(ParseStubLine("drover start\r"), std::optional<StubLine>(HelperStarts{}));
  EXPECT_EQ(ParseStubLine("drover need-helper x86_64"),
            std::optional<StubLine>(NeedHelper{"x86_64"}));
  EXPECT_EQ(ParseStubLine("drover failed write head: error writing"),
            std::optional<StubLine>(StubFailed{"write", "head: error writing"}));
  EXPECT_EQ(ParseStubLine("drover failed hash"), std::optional<StubLine>(StubFailed{"hash", ""}));
  for (const char* line : {"", "drover", "drover ", "Welcome", " drover start", "drover started"}) {
    EXPECT_FALSE(ParseStubLine(line).has_value()) << line;
  }
}

struct FailureCase {
  const char* name;
  StubFailed failed;
  ErrorCode code;
  const char* want;
};

class StubFailures : public testing::TestWithParam<FailureCase> {};

TEST_P(StubFailures, AreTold) {
  const Error error = StubError(GetParam().failed, Options(), "web1", "bob");
  EXPECT_EQ(error.code, GetParam().code);
  EXPECT_EQ(error.message, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Of, StubFailures,
    testing::Values(
        FailureCase{"disk_full",
                    {"write", "head: write error: No space left on device"},
                    ErrorCode::kUnreachable,
                    "no space left on /var/lib/drover/bin of web1: needs 3.1 MB"},
        FailureCase{"read_only",
                    {"mkdir", "mkdir: cannot create directory: Read-only file system"},
                    ErrorCode::kUnreachable,
                    "/var/lib/drover/bin of web1 is on a read-only file system"},
        FailureCase{"not_root",
                    {"not-root", "bob"},
                    ErrorCode::kDenied,
                    "user bob is not root on web1: give -b (ansible_become=yes) or log in as root"},
        FailureCase{"truncated",
                    {"truncated", "1000"},
                    ErrorCode::kUnreachable,
                    "truncated upload of the helper to web1: 1000 of 3100000 bytes arrived"},
        FailureCase{"hash",
                    {"hash", "ffff"},
                    ErrorCode::kUnreachable,
                    "damaged upload of the helper to web1: sha256 is ffff and not abc123"},
        FailureCase{"no_tool",
                    {"no-tool", "sha256sum"},
                    ErrorCode::kUnreachable,
                    "web1 has no sha256sum: install coreutils there"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(EndedEarly, NoexecIsRecognised) {
  const Error error = EndedEarly(
      true, {126, ""}, "", "sh: 1: exec: /var/lib/drover/bin/node-helper-x: Permission denied",
      Options(), "web1");
  EXPECT_EQ(error.message, "/var/lib/drover/bin of web1 is mounted noexec: remount it with exec");
}

TEST(EndedEarly, ClosedAccountIsQuoted) {
  const Error error = EndedEarly(false, {1, ""}, "This account is currently not available.\n", "",
                                 Options(), "web1");
  EXPECT_EQ(error.message,
            "the login shell on web1 ended before drover ran (exit code 1); web1 printed \"This "
            "account is currently not available.\"");
}

TEST(EndedEarly, SignalIsNamed) {
  EXPECT_EQ(EndedEarly(true, {std::nullopt, "KILL"}, "", "", Options(), "web1").message,
            "the helper on web1 ended before its first word (SIGKILL)");
}

}  // namespace
}  // namespace drover
