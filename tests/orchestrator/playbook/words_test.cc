#include "orchestrator/playbook/words.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(CommandWords, AreSplitAsAShellSplitsThem) {
  struct Row {
    const char* text;
    std::vector<std::string> want;
  };
  const std::vector<Row> rows = {
      {"", {}},
      {"  a  b ", {"a", "b"}},
      {"a 'b c' \"d e\"", {"a", "b c", "d e"}},
      {"a\\ b", {"a b"}},
      {"'a\\b' \"c\\d\\\"\"", {"a\\b", "c\\d\""}},
      {"x'' ''", {"x", ""}},
      {"a=$HOME *", {"a=$HOME", "*"}},
      {"echo {{ x | join(' ') }} b", {"echo", "{{ x | join(' ') }}", "b"}},
  };
  for (const auto& row : rows) {
    const auto words =
        SplitWords(TemplateText{row.text, Place{}, TemplateText::Origin::kElsewhere, 0});
    ASSERT_TRUE(words) << row.text;
    std::vector<std::string> texts;
    for (const auto& word : *words) texts.push_back(word.text);
    EXPECT_EQ(texts, row.want) << row.text;
  }
}

TEST(CommandWords, AnOpenQuoteIsAnError) {
  const auto words = SplitWords(TemplateText{"a 'b", Place{}, TemplateText::Origin::kElsewhere, 0});
  ASSERT_FALSE(words);
  EXPECT_EQ(words.error().message, "quote is never closed");
}

}  // namespace
}  // namespace drover
