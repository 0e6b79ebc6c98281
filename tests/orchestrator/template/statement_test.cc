#include "tests/orchestrator/template/render.h"

namespace drover {
namespace {

struct Row {
  const char* text;
  const char* want;
};

std::string Rendered(const std::string& text, const std::string& yaml) {
  Variables variables;
  variables.DefineAll(VariableRank::kInventory, VariablesOf(yaml));
  const auto file = std::make_shared<SourceFile>(SourceFile{"t.j2", text});
  auto result = RenderFile(file, variables);
  return result ? *result : "error " + Said(result.error());
}

void Check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    EXPECT_EQ(Rendered(row.text, "{rs: [a, b], up: true, m: {k: v}}"), row.want) << row.text;
  }
}

TEST(TemplateStatement, LoopsKnowWhereTheyAre) {
  Check({{"{% for r in rs %}{{ loop.index }}{{ r }}{{ '' if loop.last else ',' }}{% endfor %}",
          "1a,2b"},
         {"{% for r in rs if r != 'a' %}{{ loop.length }}{{ r }}{% endfor %}", "1b"},
         {"{% for r in [] %}x{% else %}none{% endfor %}", "none"},
         {"{% for k, v in m.items() %}{{ k }}={{ v }}{% endfor %}", "k=v"},
         {"{% for a in rs %}{% for b in rs %}{{ a }}{{ b }}{% if loop.first %};{% endif %}"
          "{% endfor %}{% endfor %}",
          "aa;abba;bb"}});
}

TEST(TemplateStatement, ConditionsAndAssignments) {
  Check({{"{% if not up %}1{% elif rs %}2{% else %}3{% endif %}", "2"},
         {"{% set x = 2 %}{{ x + 1 }}", "3"},
         {"{% set x = 1 %}{% for r in rs %}{% set x = 9 %}{% endfor %}{{ x }}", "1"},
         {"{% raw %}{{ left }}{% endraw %} {{ up }}", "{{ left }} True"},
         {"a{# no #}b", "ab"}});
}

TEST(TemplateStatement, WhiteSpaceIsCutAsAnsibleCutsIt) {
  Check({{"{% if up %}\nyes\n{% endif %}\nend\n", "yes\nend\n"},
         {"a\n  {%- if up %}\nb{% endif %}\n", "ab"},
         {"a {{- ' b ' -}}  c", "a b c"},
         {"{% if up +%}\nyes{% endif %}", "\nyes"},
         {"a\n{# c #}\nb\n\n", "a\nb\n\n"},
         {"  {% if up %}\nx\n  {% endif %}\n", "  x\n  "},
         {"#jinja2: lstrip_blocks: True\n  {% if up %}\nx\n  {% endif %}\n", "x\n"},
         {"#jinja2: trim_blocks: False\n{% if up %}\nx{% endif %}\n", "\nx\n"}});
}

TEST(TemplateStatement, WhatIsWrongIsSaidWithLineAndColumn) {
  Check(
      {{"a\n  {% include 'x' %}",
        "error 2:6 Drover does not know {% include %} [one of: for, endfor, if, elif, else, endif, "
        "set, raw, endraw]"},
       {"{% fro x in rs %}", "error 1:4 Drover does not know {% fro %} [did you mean \"for\"?]"},
       {"\n{% if up %}", "error 2:1 {% if %} is never closed: {% endif %} is missing"},
       {"{% for x in rs %}{% endif %}", "error 1:21 {% endif %} belongs to no open statement"},
       {"{{ rs }}\n{{ nope }}", "error 2:4 undefined variable \"nope\""},
       {"#jinja2: foo: True\n",
        "error 1:9 Drover does not know the template option \"foo: True\" [known are trim_blocks "
        "and lstrip_blocks, each True or False]"},
       {"#jinja2: trim_blocks: True\n{{ nope }}", "error 2:4 undefined variable \"nope\""},
       {"{% for a, b in rs %}{% endfor %}",
        "error 1:1 the loop has 2 variables, but its items are not lists of that length [loop "
        "over mapping.items()]"}});
}

TEST(TemplateStatement, EndlessWorkIsStopped) {
  const std::string nested =
      "{% for a in range(90000) %}{% for b in range(90000) %}{{ a }}{% endfor %}{% endfor %}";
  EXPECT_EQ(Rendered(nested, "{}").substr(0, 5), "error");
}

}  // namespace
}  // namespace drover
