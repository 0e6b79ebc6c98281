#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "orchestrator/run/prepare.h"

namespace drover {
namespace {

// A file with `text` that is gone at the end of the test.
class TempFile {
 public:
  explicit TempFile(const std::string& text) : path_(testing::TempDir() + "limit_test.txt") {
    std::ofstream(path_) << text;
  }
  ~TempFile() { std::remove(path_.c_str()); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Limit, LinesOfAFileStandForTheFile) {
  const TempFile file("rs1\n\n# a remark\n  rs2  \n");
  EXPECT_EQ(ReadLimit("@" + file.path()).value(), "rs1,rs2");
  EXPECT_EQ(ReadLimit("web,@" + file.path() + ",!rs3").value(), "web,rs1,rs2,!rs3");
}

TEST(Limit, EmptyFileOrEmptyPatternIsAnErrorBecauseItWouldMeanAllHosts) {
  const TempFile file("\n# nothing\n");
  EXPECT_FALSE(ReadLimit("@" + file.path()));
  EXPECT_FALSE(ReadLimit("@/does/not/exist"));
  EXPECT_FALSE(ReadLimit(","));
}

TEST(Limit, NoLimitIsNone) { EXPECT_EQ(ReadLimit("").value(), ""); }

}  // namespace
}  // namespace drover
