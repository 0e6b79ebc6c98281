// Reading users' files: what is accepted, what is refused.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

// Writes a file in the test's own folder and reads it.
Parsed<SourceFilePtr> Read(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "drover-read-source-" + name;
  std::ofstream(path, std::ios::binary) << text;
  auto file = ReadSource(path);
  std::remove(path.c_str());
  return file;
}

TEST(ReadSource, KeepsTextAndDropsTheByteOrderMark) {
  const std::string big(200'000, 'x');
  EXPECT_EQ(Read("big", big).value()->text, big);
  EXPECT_EQ(Read("bom", "\xEF\xBB\xBFé\n").value()->text, "é\n");
  EXPECT_EQ(Read("empty", "").value()->text, "");
}

TEST(ReadSource, NamesTheByteThatIsNoUtf8) {
  for (const char* bad : {"a\né\xff\n", "a\né\xc0\x80", "a\né\xed\xa0\x80", "a\né\xf0\x9f\x98"}) {
    const auto file = Read("bad", bad);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error()[0].place.line, 2);
    EXPECT_EQ(file.error()[0].place.column, 2);
  }
}

TEST(ReadSource, SaysWhyAFileCannotBeRead) {
  const auto missing = ReadSource(testing::TempDir() + "drover-no-such-file");
  ASSERT_FALSE(missing);
  EXPECT_NE(Format(missing.error()).find("No such file"), std::string::npos);
  const auto directory = ReadSource(testing::TempDir());
  ASSERT_FALSE(directory);
  EXPECT_NE(Format(directory.error()).find("it is a directory"), std::string::npos);
  const auto huge = Read("huge", std::string((16U << 20U) + 1, 'x'));
  ASSERT_FALSE(huge);
  EXPECT_NE(Format(huge.error()).find("larger than 16 MiB"), std::string::npos);
}

}  // namespace
}  // namespace drover
