#include "node-helper/tasks/file_task.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "node-helper/store/files.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

class FileTaskTest : public ::testing::Test {
 protected:
  TaskResult Run(const FileTask& file) { return RunFileTask(task_, file, course_, context_); }
  FileTask Put(const std::string& content) {
    FileTask file;
    file.dest = folder_ / "f";
    file.content = content;
    return file;
  }
  std::string Content() { return ReadWholeFile(folder_ / "f").value_or("(none)"); }
  struct stat Info() {
    struct stat info {};
    EXPECT_EQ(::lstat((folder_ / "f").c_str(), &info), 0);
    return info;
  }
  long Files() { return std::distance(std::filesystem::directory_iterator(folder_.path()), {}); }

  TempFolder folder_;
  Task task_;
  ProgramCourse course_;
  TaskContext context_;
};

TEST_F(FileTaskTest, NewFileHasTheDefaultMode) {
  ::umask(077);
  const TaskResult result = Run(Put("text"));
  EXPECT_EQ(result.status, TaskStatus::kChanged);
  EXPECT_EQ(result.changes.at(0).verb, "add");
  EXPECT_EQ(Content(), "text");
  EXPECT_EQ(Info().st_mode & 07777, 0644U);
}

TEST_F(FileTaskTest, SecondRunLeavesTheFileAlone) {
  Run(Put("text"));
  const ino_t inode = Info().st_ino;
  EXPECT_EQ(Run(Put("text")).status, TaskStatus::kOk);
  EXPECT_EQ(Info().st_ino, inode);
}

TEST_F(FileTaskTest, AttributesThatAreNotGivenAreKept) {
  Run(Put("old"));
  ::chmod((folder_ / "f").c_str(), 0750);
  EXPECT_EQ(Run(Put("new")).status, TaskStatus::kChanged);
  EXPECT_EQ(Content(), "new");
  EXPECT_EQ(Info().st_mode & 07777, 0750U);
}

TEST_F(FileTaskTest, ModeAloneIsChangedInPlace) {
  Run(Put("text"));
  const ino_t inode = Info().st_ino;
  FileTask file = Put("text");
  file.attributes.mode = 04711;
  const TaskResult result = Run(file);
  ASSERT_EQ(result.changes.size(), 1U);
  EXPECT_EQ(result.changes[0].before, "0644");
  EXPECT_EQ(result.changes[0].after, "4711");
  EXPECT_EQ(Info().st_ino, inode);
  EXPECT_EQ(Info().st_mode & 07777, 04711U);
}

TEST_F(FileTaskTest, CheckSaysTheSameAndWritesNothing) {
  task_.check = true;
  const TaskResult checked = Run(Put("text"));
  EXPECT_EQ(Files(), 0);
  task_.check = false;
  EXPECT_EQ(Run(Put("text")).changes, checked.changes);
}

TEST_F(FileTaskTest, DiffHasBothTextsUnlessSecretBinaryOrLarge) {
  Run(Put("old\n"));
  task_.check = true;
  task_.diff = true;
  const auto diff = [&](const std::string& content) {
    const TaskResult result = Run(Put(content));
    const auto* found = std::get_if<FileDiff>(&result.detail);
    return found == nullptr ? std::optional<FileDiff>() : *found;
  };
  EXPECT_EQ(diff("new\n"), (FileDiff{folder_ / "f", "old\n", "new\n", false}));
  EXPECT_EQ(diff(std::string("a\0b", 3)), (FileDiff{folder_ / "f", {}, {}, true}));
  EXPECT_EQ(diff("\xFF"), (FileDiff{folder_ / "f", {}, {}, true}));
  EXPECT_EQ(diff(std::string(kMaxDiffBytes + 1, 'x')), (FileDiff{folder_ / "f", {}, {}, true}));
  task_.secret = true;
  EXPECT_FALSE(diff("new\n"));
}

TEST_F(FileTaskTest, MissingFolderIsNamed) {
  FileTask file = Put("text");
  file.dest = folder_ / "no/f";
  const TaskResult result = Run(file);
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_NE(result.message.find("directory " + (folder_ / "no") + " does not exist"),
            std::string::npos);
  // In check mode a package before it may bring the folder.
  task_.check = true;
  EXPECT_EQ(Run(file).status, TaskStatus::kFailed);
  course_.unknown_changes = true;
  EXPECT_EQ(Run(file).status, TaskStatus::kChanged);
}

TEST_F(FileTaskTest, DirectoryAtTheDestinationIsRefused) {
  FileTask file = Put("text");
  file.dest = folder_.path();
  EXPECT_EQ(Run(file).status, TaskStatus::kFailed);
}

TEST_F(FileTaskTest, SymbolicLinkIsReplacedNotFollowed) {
  std::ofstream(folder_ / "target") << "text";
  ASSERT_EQ(::symlink("target", (folder_ / "f").c_str()), 0);
  EXPECT_EQ(Run(Put("text")).status, TaskStatus::kChanged);
  EXPECT_TRUE(S_ISREG(Info().st_mode));
  Run(Put("other"));
  EXPECT_EQ(ReadWholeFile(folder_ / "target").value(), "text");
}

TEST_F(FileTaskTest, BackupKeepsTheOldContent) {
  Run(Put("old"));
  FileTask file = Put("new");
  file.backup = true;
  Run(file);
  ASSERT_EQ(Files(), 2);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    const bool backup = entry.path() != folder_ / "f";
    EXPECT_EQ(ReadWholeFile(entry.path()).value(), backup ? "old" : "new");
  }
}

TEST_F(FileTaskTest, FailedValidationLeavesTheOldFile) {
  Run(Put("old"));
  FileTask file = Put("new");
  file.validate = "grep -q old %s";
  const TaskResult result = Run(file);
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_NE(result.message.find("validation failed"), std::string::npos);
  EXPECT_EQ(Content(), "old");
  EXPECT_EQ(Files(), 1);
  file.validate = "grep -q new %s";
  EXPECT_EQ(Run(file).status, TaskStatus::kChanged);
  file.content = "newer";
  file.validate = "true";
  EXPECT_EQ(Run(file).message, "validate: must contain %s: true");
}

TEST_F(FileTaskTest, UnknownOwnerIsNamed) {
  FileTask file = Put("text");
  file.attributes.owner = "no-such-user";
  const TaskResult result = Run(file);
  EXPECT_EQ(result.message, "user no-such-user: not in /etc/passwd");
  EXPECT_EQ(Files(), 0);
}

TEST(SplitWords, ReadsQuotesAsAShell) {
  struct Case {
    const char* text;
    std::vector<std::string> want;
  };
  const Case cases[] = {
      {"nginx -t -c %s", {"nginx", "-t", "-c", "%s"}},
      {"a  'b c' \"d e\"f ''", {"a", "b c", "d ef", ""}},
      {"a\\ b 'c\\d'", {"a b", "c\\d"}},
  };
  for (const Case& test : cases) EXPECT_EQ(SplitWords(test.text).value(), test.want);
  EXPECT_FALSE(SplitWords("a 'b"));
  EXPECT_FALSE(SplitWords("  "));
}

}  // namespace
}  // namespace drover
