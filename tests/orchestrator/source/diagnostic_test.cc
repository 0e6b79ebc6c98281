// How errors in users' files look.
#include "orchestrator/source/diagnostic.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

Place At(std::string text, int line, int column) {
  return Place{std::make_shared<SourceFile>(SourceFile{"site.yml", std::move(text)}), line, column};
}

TEST(Diagnostic, ShowsPlaceLineCaretAndHint) {
  const Diagnostic diagnostic{At("a: 1\n- virtual_servce: x\n", 2, 3),
                              "unknown module \"virtual_servce\"",
                              "did you mean \"virtual_service\"?"};
  EXPECT_EQ(Format(diagnostic),
            "site.yml:2:3: error: unknown module \"virtual_servce\"\n"
            "  - virtual_servce: x\n"
            "    ^\n"
            "  hint: did you mean \"virtual_service\"?");
}

TEST(Diagnostic, WithoutFileItIsTheCommandLine) {
  EXPECT_EQ(Format(Diagnostic{{}, "no host matches", ""}), "error: no host matches");
  EXPECT_EQ(FormatWarning(Diagnostic{{}, "odd", ""}), "warning: odd");
}

TEST(Diagnostic, WithoutLineItIsTheWholeFile) {
  EXPECT_EQ(Format(Diagnostic{At("x", 0, 0), "cannot read it", ""}),
            "site.yml: error: cannot read it");
}

struct CaretCase {
  std::string name;
  std::string line;
  int column;
  std::string shown;
};

TEST(Diagnostic, CaretStandsUnderTheCharacterAsATerminalShowsIt) {
  const std::vector<CaretCase> cases = {
      {"plain", "abc", 2, "  abc\n   ^"},
      {"two-byte letters take one cell", "éü: x", 5, "  éü: x\n      ^"},
      {"wide characters take two cells", "日本: x", 3, "  日本: x\n      ^"},
      {"a combining mark takes none", "e\u0301: x", 3, "  e\u0301: x\n   ^"},
      {"tabs reach to the next stop", "\tx", 2, "          x\n          ^"},
      {"behind the end", "ab", 3, "  ab\n    ^"},
      {"carriage return is not shown", "ab\r", 1, "  ab\n  ^"},
      {"escape sequences do not reach the terminal", "\x1b[31mx", 6, "  ?[31mx\n       ^"},
  };
  for (const CaretCase& test : cases) {
    EXPECT_EQ(Format(Diagnostic{At(test.line + "\n", 1, test.column), "m", ""}),
              "site.yml:1:" + std::to_string(test.column) + ": error: m\n" + test.shown)
        << test.name;
  }
}

TEST(Diagnostic, LongLinesAreCutAroundTheCaret) {
  const std::string text = Format(
      Diagnostic{At(std::string(1000, 'a') + "X" + std::string(1000, 'b'), 1, 1001), "m", ""});
  const std::size_t line = text.find('\n') + 1;
  const std::size_t caret_line = text.find('\n', line) + 1;
  EXPECT_LT(text.size(), 400U);
  EXPECT_EQ(text[line + (text.size() - caret_line) - 1], 'X') << text;
}

TEST(LineIndexPlaces, CountLinesAndCharactersFromOne) {
  const auto file = std::make_shared<SourceFile>(SourceFile{"f", "a\néb\n"});
  const LineIndex lines(file);
  const std::size_t b = file->text.find('b');
  EXPECT_EQ(lines.At(b).line, 2);
  EXPECT_EQ(lines.At(b).column, 2);
  EXPECT_EQ(lines.At(999).line, 3);
  EXPECT_EQ(lines.Offset(2, 2), b);
}

TEST(DidYouMean, NamesTheNearWordElseAShortList) {
  const std::vector<std::string> few = {"rr", "wrr", "lc"};
  EXPECT_EQ(DidYouMean("rrr", few), "did you mean \"rr\"?");
  EXPECT_EQ(DidYouMean("xyzzy", few), "one of: rr, wrr, lc");
  EXPECT_EQ(DidYouMean("xyzzy", std::vector<std::string>(13, "a")), "");
  EXPECT_EQ(DidYouMean("x", {}), "");
}

TEST(Nearest, FindsSlipsOfTheFingerOnly) {
  const std::vector<std::string> names = {"virtual_service", "real_server", "web", "hosts"};
  EXPECT_EQ(Nearest("virtual_servce", names), "virtual_service");
  EXPECT_EQ(Nearest("host", names), "hosts");
  EXPECT_EQ(Nearest("ewb", names), "web");
  EXPECT_EQ(Nearest("Hosts", names), "hosts");
  EXPECT_EQ(Nearest("database", names), "");
  EXPECT_EQ(Nearest("", names), "");
}

}  // namespace
}  // namespace drover
