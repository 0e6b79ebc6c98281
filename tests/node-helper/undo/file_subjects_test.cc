#include "node-helper/undo/file_subjects.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "node-helper/store/files.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

namespace fs = std::filesystem;

class FileSubjectsTest : public ::testing::Test {
 protected:
  void Put(const std::string& content) { std::ofstream(path_, std::ios::trunc) << content; }
  std::string Captured() { return files_->Capture(path_).value(); }
  // The one change it made, in words.
  std::string Restore(const std::string& captured) {
    std::vector<ChangeText> done;
    const Status restored = files_->Restore(path_, captured, done);
    if (!restored) return "error: " + restored.error().message;
    std::string words;
    for (const ChangeText& text : done) words += OneLine(text) + ";";
    return words;
  }
  struct stat Info() {
    struct stat info {};
    EXPECT_EQ(::lstat(path_.c_str(), &info), 0);
    return info;
  }

  TempFolder folder_;
  std::string path_ = folder_ / "f";
  std::unique_ptr<UndoSubjects> files_ = MakeFileSubjects();
};

TEST_F(FileSubjectsTest, ContentModeAndTimeComeBack) {
  const std::string old_content("a\0b\n\xFF", 5);
  Put(old_content);
  ::chmod(path_.c_str(), 04750);
  const struct stat before = Info();
  const std::string captured = Captured();
  Put("new");
  ::chmod(path_.c_str(), 0600);
  EXPECT_EQ(Restore(captured), "change file " + path_ +
                                   ": 3 bytes, mode 0600 -> 5 bytes, mode 4750 (was so before the "
                                   "run);");
  EXPECT_EQ(ReadWholeFile(path_).value(), old_content);
  EXPECT_EQ(Info().st_mode, before.st_mode);
  EXPECT_EQ(Info().st_mtim.tv_sec, before.st_mtim.tv_sec);
  EXPECT_EQ(Info().st_mtim.tv_nsec, before.st_mtim.tv_nsec);
  EXPECT_EQ(Restore(captured), "");
}

TEST_F(FileSubjectsTest, WhatIsAsItWasIsNotWritten) {
  Put("same");
  const ino_t inode = Info().st_ino;
  EXPECT_EQ(Restore(Captured()), "");
  EXPECT_EQ(Info().st_ino, inode);
}

TEST_F(FileSubjectsTest, AFileThatWasNotThereGoes) {
  const std::string captured = Captured();
  EXPECT_EQ(Restore(captured), "");
  Put("new");
  EXPECT_EQ(Restore(captured), "remove file " + path_ + " (was not there before the run);");
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(FileSubjectsTest, AFileThatIsGoneComesWithItsFolder) {
  path_ = folder_ / "deep/er/f";
  fs::create_directories(folder_ / "deep/er");
  Put("text");
  const std::string captured = Captured();
  fs::remove_all(folder_ / "deep");
  EXPECT_EQ(Restore(captured).substr(0, 9), "add file ");
  EXPECT_EQ(ReadWholeFile(path_).value(), "text");
}

TEST_F(FileSubjectsTest, ALinkComesBackAsALink) {
  fs::create_symlink("../some where\nelse", path_);
  const std::string captured = Captured();
  EXPECT_EQ(Restore(captured), "");
  fs::remove(path_);
  Put("a file in its place");
  EXPECT_EQ(Restore(captured).substr(0, 12), "change file ");
  EXPECT_EQ(fs::read_symlink(path_), "../some where\nelse");
}

TEST_F(FileSubjectsTest, AFileTooLargeToBeKeptIsRefused) {
  Put("");
  ASSERT_EQ(::truncate(path_.c_str(), static_cast<off_t>(kMaxFileBytes) + 1), 0);
  const auto captured = files_->Capture(path_);
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().code, ErrorCode::kInvalid);
  EXPECT_NE(captured.error().message.find("larger than 16 MiB"), std::string::npos);
  ASSERT_EQ(::truncate(path_.c_str(), static_cast<off_t>(kMaxFileBytes)), 0);
  EXPECT_TRUE(files_->Capture(path_));
}

TEST_F(FileSubjectsTest, AFileThatGrewTooLargeIsPutBackAllTheSame) {
  Put("small");
  const std::string captured = Captured();
  ASSERT_EQ(::truncate(path_.c_str(), static_cast<off_t>(kMaxFileBytes) + 1), 0);
  EXPECT_EQ(Restore(captured).substr(0, 12), "change file ");
  EXPECT_EQ(ReadWholeFile(path_).value(), "small");
}

TEST_F(FileSubjectsTest, DamagedMemoryIsAnErrorAndTouchesNothing) {
  Put("text");
  for (const char* damaged : {"", "file", "file 1 2\n", "link", "fil", "nonsense\n"}) {
    EXPECT_EQ(Restore(damaged), "error: " + path_ + ": what was remembered of it cannot be read");
  }
  EXPECT_EQ(ReadWholeFile(path_).value(), "text");
}

TEST_F(FileSubjectsTest, AFolderCannotBeRemembered) {
  fs::create_directory(path_);
  EXPECT_FALSE(files_->Capture(path_));
}

}  // namespace
}  // namespace drover
