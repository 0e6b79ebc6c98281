#include "tests/orchestrator/template/render.h"

namespace drover {
namespace {

TEST(Variables, TheStrongerDefinitionWinsWhereverItStands) {
  Variables host;
  host.DefineAll(VariableRank::kInventory, VariablesOf("{a: inventory, b: '{{ a }}!'}"));
  host.DefineAll(VariableRank::kExtra, VariablesOf("{c: extra}"));
  Variables task(&host);
  task.DefineAll(VariableRank::kTask, VariablesOf("{a: task, c: task}"));
  const auto shown = [](Variables& variables, const char* text) {
    auto value =
        EvaluateText(TemplateText{text, {}, TemplateText::Origin::kElsewhere, 0}, variables);
    return value ? value->get<std::string>() : value.error().message;
  };
  EXPECT_EQ(shown(host, "{{ b }} {{ c }}"), "inventory! extra");
  EXPECT_EQ(shown(task, "{{ b }} {{ c }}"), "task! extra");
}

TEST(Variables, OnlyWhatIsAskedForIsWorkedOut) {
  EXPECT_EQ(Shown("{{ good }}", "{good: 1, bad: '{{ missing }}'}"), "1");
}

TEST(Variables, VariablesMayHoldTemplatesOfAnyShape) {
  const char* yaml = "{a: {b: ['{{ c }}', 2]}, c: '{{ d }}', d: 5}";
  EXPECT_EQ(Shown("{{ a.b }}", yaml), "[5,2]");
  EXPECT_EQ(Shown("{{ a.b | join(',') }}", yaml), "\"5,2\"");
}

TEST(Variables, ACircleIsAnErrorThatNamesIt) {
  EXPECT_EQ(Shown("{{ a }}", "{a: '{{ b }}', b: 'x{{ c }}', c: '{{ a }}'}"),
            "error: variable \"a\" is defined by itself: a -> b -> c -> a");
  EXPECT_EQ(Shown("{{ a }}", "{a: '{{ a }}'}"),
            "error: variable \"a\" is defined by itself: a -> a");
}

TEST(Variables, AnErrorInsideAnInventoryVariableNamesTheVariable) {
  EXPECT_EQ(Shown("{{ a }}", "{a: '{{ b }}', b: '{{ missing }}'}"),
            "error: in variable \"b\": undefined variable \"missing\"");
}

TEST(Variables, OmitDropsEntriesOfListsAndMappings) {
  Variables variables;
  variables.DefineReady(VariableRank::kMagic, "omit", Of(OmitMarker()));
  const auto file = std::make_shared<SourceFile>(
      SourceFile{"x.yml", "{a: '{{ nope | default(omit) }}', b: [1, '{{ omit }}']}"});
  auto node = ParseYaml(file);
  ASSERT_TRUE(node);
  auto value = EvaluateNode(*node, variables);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->dump(), R"({"b":[1]})");
}

std::string When(const std::string& yaml) {
  Variables variables;
  variables.DefineAll(VariableRank::kInventory, VariablesOf("{up: true, text: 'false', list: []}"));
  const auto file = std::make_shared<SourceFile>(SourceFile{"x.yml", yaml});
  auto node = ParseYaml(file);
  if (!node) return Format(node.error());
  auto result = FirstFalse(*node, variables);
  if (!result) return "error: " + Said(result.error());
  return result->empty() ? "holds" : "false: " + *result;
}

TEST(When, TakesBareConditionsAndLists) {
  EXPECT_EQ(When("up"), "holds");
  EXPECT_EQ(When("'up'"), "holds");
  EXPECT_EQ(When("yes"), "holds");
  EXPECT_EQ(When("false"), "false: false");
  EXPECT_EQ(When("up and text == 'x'"), "false: up and text == 'x'");
  EXPECT_EQ(When("[up, list | length > 0, nope]"), "false: list | length > 0");
  EXPECT_EQ(When("'{{ up }}'"), "holds");
  EXPECT_EQ(When("x is defined"), "false: x is defined");
}

TEST(When, TextIsNoCondition) {
  EXPECT_EQ(When("text"),
            "error: 1:1 \"when\" needs a boolean, this condition gives a string [compare it, or "
            "write | bool behind it]");
  EXPECT_EQ(When("list"),
            "error: 1:1 \"when\" needs a boolean, this condition gives a list [write | length > 0 "
            "behind it]");
  EXPECT_EQ(When("a ==="), "error: 1:5 expected a value in the template, found \"=\"");
}

}  // namespace
}  // namespace drover
