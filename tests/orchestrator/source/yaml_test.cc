// YAML as Ansible reads it: values, places, refusals.
#include <gtest/gtest.h>

#include <random>

#include "orchestrator/source/yaml_node.h"

namespace drover {
namespace {

SourceFilePtr File(std::string text) {
  return std::make_shared<SourceFile>(SourceFile{"f.yml", std::move(text)});
}

// The document's value as JSON, or its errors.
std::string Read(const std::string& text) {
  const auto node = ParseYaml(File(text));
  if (!node) return Format(node.error());
  return ToValue(*node).dump();
}

struct Case {
  std::string text;
  std::string want;
};

TEST(YamlScalar, MeansWhatPyYamlSaysItMeans) {
  const std::vector<Case> cases = {
      {"yes", "true"},
      {"Off", "false"},
      {"y", "\"y\""},
      {"oN", "\"oN\""},
      {"~", "null"},
      {"NULL", "null"},
      {"nULL", "\"nULL\""},
      {"0777", "511"},
      {"010", "8"},
      {"08", "\"08\""},
      {"0o17", "\"0o17\""},
      {"0x10", "16"},
      {"0b101", "5"},
      {"1_000", "1000"},
      {"+1", "1"},
      {"-0", "0"},
      {"0_", "0"},
      {"1e3", "\"1e3\""},
      {"1.5e3", "\"1.5e3\""},
      {"1.5e+3", "1500.0"},
      {"5.", "5.0"},
      {".5", "0.5"},
      {"-.5", "\"-.5\""},
      {"1.2.3", "\"1.2.3\""},
      {"12:30", "750"},
      {"190:20:30", "685230"},
      {"12:60", "\"12:60\""},
      {"12:30.5", "750.5"},
      {"012:30", "\"012:30\""},
      {"2024-01-02", "\"2024-01-02\""},
      {"2001-12-14t21:59:43.10-05:00", "\"2001-12-14T21:59:43.100000-05:00\""},
      {"2001-12-14 21:59:43Z", "\"2001-12-14T21:59:43+00:00\""},
      {"2024-1-2", "\"2024-1-2\""},
      {"'12'", "\"12\""},
      {"\"yes\"", "\"yes\""},
      {"!!str 12", "\"12\""},
      {"!!int '12'", "12"},
      {"!!float 3", "3.0"},
      {"!!bool 'Yes'", "true"},
      {"! 12", "\"12\""},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"10.0.0.1", "\"10.0.0.1\""},
      {"-", "[null]"},
      {".", "\".\""},
      {"+", "\"+\""},
  };
  for (const Case& test : cases) EXPECT_EQ(Read(test.text), test.want) << test.text;
}

TEST(YamlKeys, BecomeStringsAsJsonPrintsThem) {
  EXPECT_EQ(Read("yes: 1\n~: 2\n0x10: 3\n1.0: 4\n\"5\": 6\n"),
            R"({"true":1,"null":2,"16":3,"1.0":4,"5":6})");
}

TEST(YamlMerge, OwnKeysWinAndTheFirstOfAListWins) {
  EXPECT_EQ(Read("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: [*a, *b], x: 9}\n"),
            R"({"a":{"x":1,"y":2},"b":{"y":3,"z":4},"c":{"y":2,"z":4,"x":9}})");
  EXPECT_EQ(Read("a: {\"<<\": {x: 1}}"), R"({"a":{"<<":{"x":1}}})");
}

TEST(YamlJson, AJsonFileFollowsJsonsRules) {
  EXPECT_EQ(Read(R"({"a": 1e3, "b": "\ud83d\ude00\/", "c": [true, null, -0.5]})"),
            "{\"a\":1000.0,\"b\":\"😀/\",\"c\":[true,null,-0.5]}");
  EXPECT_EQ(Read("{a: 1e3}"), R"({"a":"1e3"})");
}

TEST(YamlDocument, ValuesMayBeEmpty) {
  EXPECT_EQ(Read("a:\nb:\n  c:\n"), R"({"a":null,"b":{"c":null}})");
  EXPECT_EQ(Read("? a\n? b\n: 1\n"), R"({"a":null,"b":1})");
  EXPECT_EQ(Read("{a, b: , c: 1}"), R"({"a":null,"b":null,"c":1})");
  EXPECT_EQ(Read("- a:\n- \n-\n"), R"([{"a":null},null,null])");
}

TEST(YamlDocument, EmptyFilesAreNull) {
  for (const char* text : {"", "# only a comment\n", "---\n", "--- \n...\n", "\n\n"}) {
    EXPECT_EQ(Read(text), "null") << text;
  }
}

TEST(YamlPlaces, PointAtKeysValuesAndAliases) {
  const auto node = ParseYaml(File("é: &x [1]\nb:\n  c: *x\n  d:\n"));
  ASSERT_TRUE(node);
  const auto& first = node->entries[0];
  EXPECT_EQ(first.value.place.line, 1);
  EXPECT_EQ(first.value.place.column, 4);
  const YamlNode* b = node->Find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->place.line, 3);
  EXPECT_EQ(b->place.column, 3);
  EXPECT_EQ(b->Find("c")->place.line, 3);
  EXPECT_EQ(b->Find("c")->place.column, 6);
  EXPECT_EQ(b->Find("c")->items.size(), 1U);
  EXPECT_TRUE(b->Find("d")->is_null());
  EXPECT_EQ(b->Find("e"), nullptr);
}

TEST(YamlErrors, SayWhereAndWhat) {
  const std::vector<Case> cases = {
      {"a: 1\nb: 2\na: 3\n", "f.yml:3:1: error: the key \"a\" is given twice"},
      {"yes: 1\ntrue: 2\n", "f.yml:2:1: error: the key \"true\" is given twice"},
      {"{\"a\": 1, \"a\": 2}", "f.yml:1:10: error: the key \"a\" is given twice"},
      {"a: 1\n--- \nb: 2\n", "f.yml:2:1: error: a second document begins here"},
      {"{a: 1} x\n", "f.yml:1:8: error: this stands behind the end of the document"},
      {"a:\n\t- b\n", "f.yml:2:1: error: a tab cannot indent YAML"},
      {"a: 1\n\tb: 2\n", "f.yml:2:1: error: a tab cannot indent YAML"},
      {"a: b: c\n", "f.yml:1:5: error: a \":\" is not expected here"},
      {"a: \"x\nb: 1\n", "f.yml:1:4: error: this quote is never closed"},
      {"a: 'it''s\n", "f.yml:1:4: error: this quote is never closed"},
      {"a: [1, 2\nb: 3\n", "f.yml:2:2: error: the list opened with \"[\" is not closed here"},
      {"a: *nothing\n", "f.yml:1:4: error: there is no anchor of this name above"},
      {"a: &a [*a]\n", "f.yml:1:8: error: this alias stands inside the value that it names"},
      {"a: @x\n", "f.yml:1:4: error: text cannot begin with this character"},
      {"a: \"\\q\"\n", "error: there is no such escape in double quotes"},
      {"a: {{ x }}\n", "f.yml:1:4: error: a key must be a single word or text"},
      {"? [a]\n: 1\n", "f.yml:1:3: error: a key must be a single word or text"},
      {"a: !vault |\n  abc\n", "f.yml:1:4: error: vault is not supported yet"},
      {"a: !unsafe x\n", "f.yml:1:4: error: the tag !unsafe is not supported yet"},
      {"a: !!binary aGk=\n", "f.yml:1:4: error: the tag !!binary is not known"},
      {"a: !!int x\n", "f.yml:1:4: error: \"x\" is no !!int"},
      {"a: 1\nb\n", "f.yml:2:1: error: a \":\" is missing behind this key"},
      {"a: 1\nb\nc: 2\n", "f.yml:3:2: error: a \":\" is not expected here"},
      {"[a, : b]", "f.yml:1:5: error: a key is missing in front of \":\""},
      {"a: <<\n", "f.yml:1:4: error: a bare \"<<\" has no meaning"},
      {"a: =\n", "f.yml:1:4: error: a bare \"=\" has no meaning"},
      {"a: 2024-02-30\n", "f.yml:1:4: error: there is no date 2024-02-30"},
      {"a: 99999999999999999999\n", "f.yml:1:4: error: the number 99999999999999999999 does not"},
      {"a: {<<: 1}\n", "f.yml:1:9: error: \"<<\" merges a mapping"},
      {"é: \"a\x01\"\n", "f.yml:1:6: error: YAML does not allow this control character"},
  };
  for (const Case& test : cases) {
    const std::string got = Read(test.text);
    EXPECT_NE(got.find(test.want), std::string::npos) << test.text << "\n" << got;
  }
}

TEST(YamlErrors, DuplicateKeyNamesTheFirstPlace) {
  EXPECT_NE(Read("a: 1\na: 2\n").find("the first one is at f.yml:1:1"), std::string::npos);
}

TEST(YamlErrors, AreAllTold) {
  const auto node = ParseYaml(File("a: !vault x\nb: =\nc: 1\nc: 2\n"));
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().size(), 3U);
}

TEST(YamlLimits, DeepNestingIsRefused) {
  EXPECT_NE(Read(std::string(200, '[') + std::string(200, ']')).find("nested deeper than 100"),
            std::string::npos);
  EXPECT_NE(Read("a: " + std::string(200, '[') + "x").find("nested deeper than 100"),
            std::string::npos);
  EXPECT_NE(Read(std::string(100000, '[')).find("nested"), std::string::npos);
}

TEST(YamlLimits, AliasBombIsRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 9; ++k) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_NE(Read(bomb).find("grows too large by its aliases"), std::string::npos);
}

TEST(YamlRobustness, MutatedAndTruncatedTextNeverCrashes) {
  const std::string seed_text =
      "# c\nall: &a\n  hosts: {h1: , \"h2\": {x: 'q', y: [1, 2.5, ~]}}\n  vars:\n    <<: *b\n"
      "    t: |\n      text\n    u: >-\n      more\n    v: !!int 5\n? k\n: \"\\u00e9\\n\"\n";
  std::mt19937 random(20240601);
  std::size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = seed_text.substr(0, random() % (seed_text.size() + 1));
    for (unsigned k = random() % 6; k > 0 && !text.empty(); --k) {
      text[random() % text.size()] = static_cast<char>(
          random() % 3 == 0 ? random() % 256 : "{}[]:,-?&*!|>'\"%@` \n\t#<="[random() % 24]);
    }
    if (!ParseYaml(File(text))) ++refused;
  }
  EXPECT_GT(refused, 500U);
}

}  // namespace
}  // namespace drover
