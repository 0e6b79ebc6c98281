#include "orchestrator/report/diff.h"

#include <gtest/gtest.h>

#include <vector>

namespace drover {
namespace {

std::string Diff(const std::string& before, const std::string& after) {
  return UnifiedDiff({.path = "/etc/x", .before = before, .after = after}, /*colours=*/false);
}

// Every `want` is what Ansible (Python's difflib) prints for the same two texts.
TEST(UnifiedDiff, ReadsAsAnsiblesDoes) {
  struct Case {
    const char* name;
    std::string before;
    std::string after;
    std::string hunks;
  };
  const std::vector<Case> cases = {
      {"line added at the end", "hello\n", "hello\nworld\n", "@@ -1 +1,2 @@\n hello\n+world\n"},
      {"line dropped", "a\nb\nc\n", "a\nc\n", "@@ -1,3 +1,2 @@\n a\n-b\n c\n"},
      {"line replaced", "a\nb\nc\n", "a\nB\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
      {"emptied", "a\n", "", "@@ -1 +0,0 @@\n-a\n"},
      {"filled", "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
      {"no newline at the end", "a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
      {"two hunks", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n",
       "@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -8,3 +9,4 @@\n 8\n 9\n 10\n+11\n"},
      {"near differences share a hunk", "1\n2\n3\n4\n5\n6\n7\n8\n", "x\n2\n3\n4\n5\n6\n7\ny\n",
       "@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Diff(c.before, c.after), "--- before: /etc/x\n+++ after: /etc/x\n" + c.hunks + "\n")
        << c.name;
  }
}

TEST(UnifiedDiff, EqualTextsHaveNone) { EXPECT_EQ(Diff("a\nb\n", "a\nb\n"), ""); }

TEST(UnifiedDiff, NewFileHasNoNameBefore) {
  EXPECT_EQ(UnifiedDiff({.path = "/etc/x", .before = {}, .after = "a\n"}, false),
            "--- before\n+++ after: /etc/x\n@@ -0,0 +1 @@\n+a\n\n");
}

TEST(UnifiedDiff, BinaryFileIsNamedOnly) {
  EXPECT_EQ(UnifiedDiff({.path = "/etc/x", .binary = true}, false),
            "diff skipped: /etc/x appears to be binary or is too large\n");
}

TEST(UnifiedDiff, LinesAreColouredByKind) {
  EXPECT_EQ(UnifiedDiff({.path = "x", .before = "a\n", .after = "b\n"}, true),
            "\033[0;31m--- before: x\033[0m\n\033[0;32m+++ after: x\033[0m\n"
            "\033[0;36m@@ -1 +1 @@\033[0m\n\033[0;31m-a\033[0m\n\033[0;32m+b\033[0m\n\n");
}

// Applies a diff without context errors: what is kept or dropped must be the old text, what is kept
// or added the new one.
void ExpectSound(const std::string& before, const std::string& after) {
  std::string old_side;
  std::string new_side;
  const std::string diff = Diff(before, after);
  std::size_t start = diff.find("@@");
  start = diff.find('\n', start) + 1;
  while (start < diff.size()) {
    const std::size_t end = diff.find('\n', start);
    const std::string line = diff.substr(start, end - start);
    start = end + 1;
    if (!line.empty() && (line[0] == ' ' || line[0] == '-')) {
      old_side += line.substr(1) + "\n";
    }
    if (!line.empty() && (line[0] == ' ' || line[0] == '+')) {
      new_side += line.substr(1) + "\n";
    }
  }
  EXPECT_EQ(old_side, before);
  EXPECT_EQ(new_side, after);
}

TEST(UnifiedDiff, ShortTextsOverTwoLettersAllComeOutSound) {
  // Every pair of texts of up to 4 lines; so short, they fit into one hunk.
  std::vector<std::string> texts;
  for (int length = 1; length <= 4; ++length) {
    for (int bits = 0; bits < 1 << length; ++bits) {
      std::string text;
      for (int i = 0; i < length; ++i) {
        text += (bits >> i & 1) != 0 ? "a\n" : "b\n";
      }
      texts.push_back(text);
    }
  }
  for (const std::string& before : texts) {
    for (const std::string& after : texts) {
      if (before != after) {
        ExpectSound(before, after);
      }
    }
  }
}

TEST(UnifiedDiff, LargeUnlikeTextsAreReplacedAsAWhole) {
  std::string before;
  std::string after;
  for (int i = 0; i < 5000; ++i) {
    before += "old " + std::to_string(i) + "\n";
    after += "new " + std::to_string(i) + "\n";
  }
  EXPECT_NE(Diff(before, after).find("@@ -1,5000 +1,5000 @@\n-old 0\n"), std::string::npos);
}

}  // namespace
}  // namespace drover
