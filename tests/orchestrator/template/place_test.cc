#include "tests/orchestrator/template/render.h"

namespace drover {
namespace {

// Where the undefined variable of a document stands.
std::string PlaceOfNope(const std::string& yaml) {
  const auto file = std::make_shared<SourceFile>(SourceFile{"x.yml", yaml});
  auto node = ParseYaml(file);
  if (!node) return Format(node.error());
  Variables variables;
  auto value = EvaluateNode(*node, variables);
  if (value) return "no error";
  return Said(value.error());
}

TEST(TemplatePlace, ErrorsPointIntoTheScalar) {
  struct Row {
    const char* yaml;
    const char* place;
  };
  const std::vector<Row> rows = {
      {"key: a {{ nope }}\n", "1:11"},
      {"key: \"{{ nope }}\"\n", "1:10"},
      {"key: \"\\t\\\"\\u00e4 {{ nope }}\"\n", "1:21"},
      {"key: 'it''s {{ nope }}'\n", "1:16"},
      {"key: |\n  one\n  two {{ nope }}\n", "3:10"},
      {"key: |\n\n    one\n      two {{ nope }}\n", "4:14"},
      {"key: >-\n  one\n  two {{ nope }}\n", "3:10"},
      {"key: \"one\n  two\n  {{ nope }}\"\n", "3:6"},
      {"key: one\n  two {{ nope }}\n", "2:10"},
      {"- [a, 'x {{ nope }}']\n", "1:13"},
      {"grün: ä {{ nope }}\n", "1:12"},
      {"key: >\n  {% if true %}\n  {{ nope }}{% endif %}\n", "3:6"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(PlaceOfNope(row.yaml), std::string(row.place) + " undefined variable \"nope\"")
        << row.yaml;
  }
}

}  // namespace
}  // namespace drover
