#include "orchestrator/playbook/tags.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(Tags, TextIsSplitAtCommas) {
  EXPECT_EQ(SplitTags("a, b,,c "), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(SplitTags(" , ").empty());
}

TEST(Tags, SelectTasksAsAnsibleDoes) {
  struct Row {
    std::vector<std::string> tags, only, skip;
    bool want;
  };
  const std::vector<Row> rows = {
      {{}, {}, {}, true},
      {{"a"}, {}, {}, true},
      {{"a"}, {"a"}, {}, true},
      {{"a"}, {"b"}, {}, false},
      {{}, {"b"}, {}, false},
      {{"always"}, {"b"}, {}, true},
      {{"always"}, {"b"}, {"always"}, false},
      {{"never"}, {}, {}, false},
      {{"never", "a"}, {"a"}, {}, true},
      {{"never"}, {"never"}, {}, true},
      {{"never", "a"}, {"all"}, {}, false},
      {{"a"}, {"all"}, {}, true},
      {{}, {"all"}, {}, true},
      {{"a"}, {"tagged"}, {}, true},
      {{}, {"tagged"}, {}, false},
      {{}, {"untagged"}, {}, true},
      {{"a"}, {"untagged"}, {}, false},
      {{"a"}, {}, {"a"}, false},
      {{"a", "b"}, {"a"}, {"b"}, false},
      {{"a"}, {}, {"all"}, false},
      {{"always"}, {}, {"all"}, true},
      {{"a"}, {}, {"tagged"}, false},
      {{}, {}, {"tagged"}, true},
      {{}, {}, {"untagged"}, false},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(TagsSelect(rows[i].tags, rows[i].only, rows[i].skip), rows[i].want) << "row " << i;
  }
}

}  // namespace
}  // namespace drover
