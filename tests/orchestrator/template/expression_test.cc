#include "tests/orchestrator/template/render.h"

namespace drover {
namespace {

struct Row {
  const char* text;
  const char* want;
};

constexpr const char* kVariables = R"(
port: 80
name: web
flag: true
nothing: null
list: [b, a, c, a]
numbers: [3, 1, 2]
nested: {a: {b: [10, 20]}, k: v}
servers: [{name: rs1, weight: 3}, {name: rs2, weight: 1}]
)";

void Check(const std::vector<Row>& rows) {
  for (const auto& row : rows) EXPECT_EQ(Shown(row.text, kVariables), row.want) << row.text;
}

TEST(TemplateExpression, AWholeStringKeepsItsType) {
  Check({{"{{ port }}", "80"},
         {"{{port}}", "80"},
         {" {{ port }}", "\" 80\""},
         {"{{ list }}", R"(["b","a","c","a"])"},
         {"{{ nothing }}", "null"},
         {"{{ name }}:{{ port }}", "\"web:80\""},
         {"no template", "\"no template\""},
         {"x{{ nothing }}y", "\"xy\""}});
}

TEST(TemplateExpression, TextIsPrintedAsPythonPrintsIt) {
  Check({{"-{{ flag }}", "\"-True\""},
         {"-{{ list }}", R"("-['b', 'a', 'c', 'a']")"},
         {"-{{ nested.a }}", R"("-{'b': [10, 20]}")"},
         {"-{{ [none, 1.0, \"it's\"] }}", R"("-[None, 1.0, \"it's\"]")"},
         {"-{{ 1e20 }} {{ 0.1 }} {{ 12345678.5 }}", "\"-1e+20 0.1 12345678.5\""}});
}

TEST(TemplateExpression, LiteralsAndOperatorsFollowPython) {
  Check({{"{{ 7 // 2 }}", "3"},
         {"{{ -7 // 2 }}", "-4"},
         {"{{ -7 % 3 }}", "2"},
         {"{{ 7 / 2 }}", "3.5"},
         {"{{ 2 + 3 * 4 - 1 }}", "13"},
         {"{{ (2 + 3) * 4 }}", "20"},
         {"{{ 'a' ~ 1 ~ true }}", "\"a1True\""},
         {"{{ 'ab' * 2 }}", "\"abab\""},
         {"{{ [1] + [2] }}", "[1,2]"},
         {"{{ 0x10 + 0o7 + 0b11 + 1_000 }}", "1026"},
         {"{{ {'a': 1, 'b': [2]} }}", R"({"a":1,"b":[2]})"},
         {"{{ {'a': {}} }}", R"({"a":{}})"},
         {"{{ 'a\\n\\x41\\u00e4' }}", "\"a\\nAä\""},
         {"{{ 'one' 'two' }}", "\"onetwo\""},
         {"{{ 1 == 1.0 and true == 1 }}", "true"},
         {"{{ 1 < 2 < 3 }}", "true"},
         {"{{ 1 < 2 > 3 }}", "false"},
         {"{{ 'a' in list and 'z' not in list }}", "true"},
         {"{{ not flag or port }}", "80"},
         {"{{ 'x' if flag else 'y' }}", "\"x\""},
         {"{{ -port }}", "-80"},
         {"{{ - 2 | abs }}", "2"}});
}

TEST(TemplateExpression, AttributesIndexesAndSlices) {
  Check({{"{{ nested.a.b[1] }}", "20"},
         {"{{ nested['a']['b'][-1] }}", "20"},
         {"{{ nested.a.b.0 }}", "10"},
         {"{{ list[1:3] }}", R"(["a","c"])"},
         {"{{ list[:-1] }}", R"(["b","a","c"])"},
         {"{{ name[0] }}", "\"w\""},
         {"{{ 'grün'[3] }}", "\"n\""},
         {"{{ nested.get('zz', 5) }}", "5"},
         {"{{ nested.keys() }}", R"(["a","k"])"},
         {"{{ nested.a.items() }}", R"([["b",[10,20]]])"},
         {"{{ 'a,b'.split(',') }}", R"(["a","b"])"}});
}

TEST(TemplateExpression, FiltersOfEveryday) {
  Check(
      {{"{{ missing | default('d') }}", "\"d\""},
       {"{{ missing.deeper | default('d') }}", "\"d\""},
       {"{{ nested.zz | d(1) }}", "1"},
       {"{{ nothing | default('d') }}", "null"},
       {"{{ nothing | default('d', true) }}", "\"d\""},
       {"{{ '' | default('d', boolean=true) }}", "\"d\""},
       {"{{ list | join('-') }}", "\"b-a-c-a\""},
       {"{{ servers | join(',', attribute='name') }}", "\"rs1,rs2\""},
       {"{{ list | length + 1 }}", "5"},
       {"{{ 'grün' | count }}", "4"},
       {"{{ '8' | int + '0x1' | int(3) }}", "11"},
       {"{{ ' 12 ' | int }}", "12"},
       {"{{ '3.9' | int }}", "3"},
       {"{{ 'x' | int }}", "0"},
       {"{{ '1.5' | float }}", "1.5"},
       {"{{ 'yes' | bool }}", "true"},
       {"{{ 'no' | bool }}", "false"},
       {"{{ port | string }}", "\"80\""},
       {"{{ name | upper | lower | capitalize }}", "\"Web\""},
       {"{{ '  a ' | trim }}", "\"a\""},
       {"{{ 'a.b.c' | replace('.', '-') }}", "\"a-b-c\""},
       {"{{ list | first }}{{ list | last }}", "\"ba\""},
       {"{{ list | unique }}", R"(["b","a","c"])"},
       {"{{ list | sort }}", R"(["a","a","b","c"])"},
       {"{{ numbers | sort(reverse=true) }}", "[3,2,1]"},
       {"{{ servers | sort(attribute='weight') | map(attribute='name') | list }}",
        R"(["rs2","rs1"])"},
       {"{{ numbers | max - numbers | min }}", "2"},
       {"{{ numbers | sum }}", "6"},
       {"{{ servers | sum(attribute='weight') }}", "4"},
       {"{{ range(3) | list }}", "[0,1,2]"},
       {"{{ range(5, 0, -2) | map('string') | join(' ') }}", "\"5 3 1\""},
       {"{{ list | select('eq', 'a') | length }}", "2"},
       {"{{ list | reject('in', ['a', 'b']) | first }}", "\"c\""},
       {"{{ servers | selectattr('weight', 'gt', 1) | map(attribute='name') | first }}", "\"rs1\""},
       {"{{ list | difference(['a']) }}", R"(["b","c"])"},
       {"{{ 'rs1' | extract({'rs1': {'x': 7}}, 'x') }}", "7"},
       {"{{ nested.a | to_json }}", R"("{\"b\": [10, 20]}")"},
       {"{{ {'b': 1, 'a': []} | to_nice_json }}", R"("{\n    \"a\": [],\n    \"b\": 1\n}")"},
       {"{{ (port > 50) | ternary('high', 'low') }}", "\"high\""},
       {"{{ name | ansible.builtin.upper }}", "\"WEB\""}});
}

TEST(TemplateExpression, Tests) {
  Check({{"{{ missing is defined }}", "false"},
         {"{{ missing is not defined and port is defined }}", "true"},
         {"{{ nested.zz is undefined }}", "true"},
         {"{{ nothing is none }}", "true"},
         {"{{ name is string and port is number }}", "true"},
         {"{{ nested is mapping and list is sequence and name is not mapping }}", "true"},
         {"{{ port is divisibleby 2 }}", "error: unknown test \"divisibleby\""},
         {"{{ port is number is boolean }}",
          "error: two tests with \"is\" cannot follow each other [put the first into parentheses]"},
         {"{{ 3 is odd and 4 is even }}", "true"},
         {"{{ 'a' is in list }}", "true"}});
}

TEST(TemplateExpression, WhatDroverDoesNotKnowIsSaidByName) {
  Check({{"{{ list | joine(',') }}", "error: unknown filter \"joine\" [did you mean \"join\"?]"},
         {"{{ lookup('file', 'x') }}",
          "error: Drover's templates do not know the function \"lookup\" [one of: range]"},
         {"{{ 2 ** 3 }}", "error: Drover's templates do not know the operator \"**\""},
         {"{{ list | sort(revers=true) }}",
          "error: filter \"sort\" has no argument \"revers\" [did you mean \"reverse\"?]"},
         {"{{ list | length(1) }}", "error: filter \"length\" takes at most 0 arguments, not 1"}});
}

TEST(TemplateExpression, WhatCannotBeComputedIsAnError) {
  Check({{"{{ missing }}", "error: undefined variable \"missing\""},
         {"{{ prt }}", "error: undefined variable \"prt\" [did you mean \"port\"?]"},
         {"{{ ansible_hostname }}",
          "error: undefined variable \"ansible_hostname\" [Drover gathers no facts; give the value "
          "in the inventory or in vars]"},
         {"{{ missing == 1 }}", "error: undefined variable \"missing\""},
         {"{{ nested.aa }}", "error: undefined key \"aa\" of a mapping [did you mean \"a\"?]"},
         {"{{ list[9] }}", "error: index 9 is outside of the list, which has 4 items"},
         {"{{ 1 + 'a' }}",
          "error: cannot compute integer + string in a template [use ~ to join texts, or | int to "
          "compute with numbers]"},
         {"{{ 1 < 'a' }}",
          "error: cannot compare integer with string [make a number of the string with | int]"},
         {"{{ 1 / 0 }}", "error: division by zero in the template"},
         {"{{ 9223372036854775807 + 1 }}", "error: number in the template grows too large"},
         {"{{ 'a' * 999999999 }}", "error: value in the template grows too large"},
         {"{{ range(10000000) }}", "error: range() would have more than 100000 numbers"},
         {"{{ 'x' if false }}", "error: the condition is false and there is no \"else\""}});
}

TEST(TemplateExpression, BrokenSyntaxIsAnErrorAndNeverACrash) {
  Check({{"{{ ", "error: template tag is never closed: \"}}\" is missing"},
         {"{{ }}", "error: expected a value in the template, found end of the expression"},
         {"{{ a b }}", "error: expected the end of the expression in the template, found \"b\""},
         {"{{ 'open }}", "error: string in a template is never closed"},
         {"{{ (1 }}", "error: unexpected \"}\" in a template"},
         {"{{ ] }}", "error: unexpected \"]\" in a template"},
         {"{{ 12abc }}", "error: \"12abc\" is no number in a template [put text in quotes]"},
         {"{{ $x }}", "error: unexpected character \"$\" in a template"},
         {"{{ \xC3\xA9 }}", "error: unexpected character \"\xC3\xA9\" in a template"},
         {"{{ 99999999999999999999 }}", "error: number 99999999999999999999 is too large"},
         {"{# open", "error: template comment is never closed: \"#}\" is missing"}});
  const std::string deep = "{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}";
  EXPECT_EQ(Shown(deep), "error: template expression is nested too deeply");
  const std::string nots = "{{ " + std::string(3000, '-') + "1 }}";
  EXPECT_EQ(Shown(nots), "error: template expression is nested too deeply");
}

}  // namespace
}  // namespace drover
