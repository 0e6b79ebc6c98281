// Lines out of bytes, however the bytes were cut.

#include "orchestrator/ssh/line_buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace drover {
namespace {

std::vector<std::string> AllLines(LineBuffer& buffer) {
  std::vector<std::string> lines;
  while (true) {
    auto line = buffer.Next();
    EXPECT_TRUE(line.has_value());
    if (!line || !line->has_value()) return lines;
    lines.push_back(**line);
  }
}

TEST(LineBuffer, GivesTheSameLinesHoweverTheBytesAreCut) {
  const std::string text = "one\n\ntwo three\nfo";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    LineBuffer buffer(100);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at += step) {
      buffer.Add(std::string_view(text).substr(at, step));
      for (std::string& line : AllLines(buffer)) lines.push_back(std::move(line));
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two three"})) << "cut at " << step;
    EXPECT_EQ(buffer.rest(), "fo");
  }
}

TEST(LineBuffer, LineAtTheLimitPassesAndOneByteMoreIsRefused) {
  LineBuffer buffer(4);
  buffer.Add("abcd\nabcde\n");
  const auto fits = buffer.Next();
  ASSERT_TRUE(fits.has_value());
  EXPECT_EQ(*fits, std::optional<std::string>("abcd"));
  const auto tooLong = buffer.Next();
  ASSERT_FALSE(tooLong.has_value());
  EXPECT_EQ(tooLong.error().code, ErrorCode::kInvalid);
}

TEST(LineBuffer, EndlessLineIsRefusedBeforeItsNewlineComes) {
  LineBuffer buffer(4);
  buffer.Add("abcde");
  EXPECT_FALSE(buffer.Next().has_value());
}

TEST(Tail, KeepsTheLastBytes) {
  Tail tail(5);
  tail.Add("abc");
  EXPECT_EQ(tail.text(), "abc");
  tail.Add("defg");
  EXPECT_EQ(tail.text(), "cdefg");
}

TEST(OneLineOf, FoldsWhiteSpaceAndHidesControlBytes) {
  EXPECT_EQ(OneLineOf("  a\n\tb \x1b[0m\n"), "a b ?[0m");
  EXPECT_EQ(OneLineOf("abcdef", 3), "abc…");
  EXPECT_EQ(OneLineOf("\n \n"), "");
}

}  // namespace
}  // namespace drover
