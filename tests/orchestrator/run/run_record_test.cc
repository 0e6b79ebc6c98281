#include "orchestrator/run/run_record.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "orchestrator/run/private_file.h"
#include "orchestrator/source/yaml_node.h"
#include "tests/orchestrator/inventory/temporary_folder.h"
#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

Environment Env(std::map<std::string, std::string> values) {
  return [values](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

RunRecord Example() {
  return {.playbook = "site.yml",
          .inventories = {"hosts.yml"},
          .ended = "2026-01-31T12:00:00Z",
          .hosts = {{"a", HostOutcome::kOk},
                    {"b", HostOutcome::kFailed},
                    {"c", HostOutcome::kUnreachable},
                    {"d", HostOutcome::kUnattempted},
                    {"e", HostOutcome::kReverted}}};
}

TEST(RunRecord, ComesBackAsItWasWritten) {
  const auto read = DecodeRunRecord(EncodeRunRecord(Example()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, Example());
}

TEST(RunRecord, DamagedOnesAreRefused) {
  const std::string text = EncodeRunRecord(Example());
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    EXPECT_FALSE(DecodeRunRecord(text.substr(0, size))) << size;
  }
  std::string odd = text;
  odd.replace(odd.find("\"failed\""), 8, "\"sleepy\"");
  EXPECT_FALSE(DecodeRunRecord(odd));
}

TEST(RunRecord, LimitNamesTheHostsWithTheseOutcomes) {
  EXPECT_EQ(*LimitToOutcomes(Example(), {"failed"}), "b");
  EXPECT_EQ(*LimitToOutcomes(Example(), {"unreachable", "unattempted"}), "c,d");
}

TEST(RunRecord, LimitIsNeverEmpty) {
  RunRecord record = Example();
  record.hosts.erase("b");
  const auto none = LimitToOutcomes(record, {"failed"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message,
            "no host was failed in the last run of this playbook, 2026-01-31T12:00:00Z");
  const auto odd = LimitToOutcomes(record, {"fialed"});
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().code, ErrorCode::kInvalid);
}

TEST(RunRecord, HostsThatALaterRunLeftOutKeepWhatTheyHad) {
  EXPECT_EQ(
      Merge({{"a", HostOutcome::kFailed}, {"b", HostOutcome::kFailed}}, {{"a", HostOutcome::kOk}}),
      (std::map<std::string, HostOutcome>{{"a", HostOutcome::kOk}, {"b", HostOutcome::kFailed}}));
}

TEST(RunRecord, OutcomesComeFromTheRecapAndHostsWithoutOneWereNotAttempted) {
  const CompiledRun run = RunBuilder().Play("p", {"a", "b", "c", "d"}).Task("one").Build();
  RunOutcome outcome;
  outcome.tallies["a"] = {.ok = 1};
  outcome.tallies["b"] = {.failed = 1};
  outcome.tallies["c"] = {.unreachable = 1};
  EXPECT_EQ(OutcomesOf(run, outcome),
            (std::map<std::string, HostOutcome>{{"a", HostOutcome::kOk},
                                                {"b", HostOutcome::kFailed},
                                                {"c", HostOutcome::kUnreachable},
                                                {"d", HostOutcome::kUnattempted}}));
}

TEST(RunRecord, HostsThatWentBackAreTakenAgainButTheOneThatFailedIsNamedAsSuch) {
  const CompiledRun run = RunBuilder().Play("p", {"a", "b", "c"}).Task("one").Build();
  RunOutcome outcome;
  outcome.tallies["a"] = {.ok = 1, .changed = 1};
  outcome.tallies["b"] = {.failed = 1};
  outcome.end.hosts = {
      {"a", HostEnd::kReverted}, {"b", HostEnd::kReverted}, {"c", HostEnd::kNotAttempted}};
  EXPECT_EQ(OutcomesOf(run, outcome),
            (std::map<std::string, HostOutcome>{{"a", HostOutcome::kReverted},
                                                {"b", HostOutcome::kFailed},
                                                {"c", HostOutcome::kUnattempted}}));
}

TEST(RunRecord, LiesInTheStateFolderOfThePersonOnePerPlaybookAndInventory) {
  const std::string path = RecordPath("site", {"/a/hosts.yml"}, Env({{"HOME", "/home/ann"}}));
  EXPECT_EQ(path.rfind("/home/ann/.local/state/drover/runs/site-", 0), 0U) << path;
  EXPECT_NE(path, RecordPath("site", {"/b/hosts.yml"}, Env({{"HOME", "/home/ann"}})));
  const std::string moved = RecordPath("site", {"/a/hosts.yml"},
                                       Env({{"HOME", "/home/ann"}, {"XDG_STATE_HOME", "/state"}}));
  EXPECT_EQ(moved.rfind("/state/drover/runs/site-", 0), 0U) << moved;
  EXPECT_EQ(RecordPath("site", {}, Env({})), "");
  const std::string odd = RecordPath("../x", {}, Env({{"HOME", "/h"}}));
  EXPECT_EQ(odd.rfind("/h/.local/state/drover/runs/.._x-", 0), 0U) << odd;
}

TEST(PrivateFile, IsReadableByItsOwnerAloneAndReplacedWhole) {
  const TemporaryFolder folder;
  const std::string path = folder.Path("a/b/plan.json");
  EXPECT_FALSE(WritePrivateFile(path, "one"));
  ASSERT_TRUE(WritePrivateFileBelow(path, "one"));
  ASSERT_TRUE(WritePrivateFileBelow(path, "two"));
  EXPECT_EQ((*ReadSource(path))->text, "two");
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(folder.Path("a/b").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0700U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.Path("a/b")), {}), 1);
}

TEST(PrivateFile, WhatCannotBeReplacedStays) {
  const TemporaryFolder folder;
  folder.Write("taken/inside", "x");
  const Status written = WritePrivateFile(folder.Path("taken"), "plan");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("taken"), std::string::npos);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.Path()), {}), 1);
}

}  // namespace
}  // namespace drover
