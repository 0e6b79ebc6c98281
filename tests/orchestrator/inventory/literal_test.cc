// The typing table of INI values.
#include "orchestrator/inventory/literal.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace drover {
namespace {

struct Case {
  std::string text;
  std::string want;  // JSON
};

TEST(InventoryLiteral, IsPythonsLiteralOrText) {
  const std::vector<Case> cases = {
      {"1", "1"},
      {"-5", "-5"},
      {"+5", "5"},
      {"- 5", "-5"},
      {"-(5)", "-5"},
      {"--5", "\"--5\""},
      {"-(-5)", "\"-(-5)\""},
      {"-True", "\"-True\""},
      {"00", "0"},
      {"01", "\"01\""},
      {"08", "\"08\""},
      {"0777", "\"0777\""},
      {"01.5", "1.5"},
      {"0x10", "16"},
      {"0X_f", "15"},
      {"0o17", "15"},
      {"0b11", "3"},
      {"1_000", "1000"},
      {"1__0", "\"1__0\""},
      {"1_", "\"1_\""},
      {"1.10", "1.1"},
      {".5", "0.5"},
      {"5.", "5.0"},
      {"1e3", "1000.0"},
      {"1e", "\"1e\""},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"True", "true"},
      {"False", "false"},
      {"None", "null"},
      {"true", "\"true\""},
      {"yes", "\"yes\""},
      {"null", "\"null\""},
      {"2.0.1", "\"2.0.1\""},
      {"2024-01-01", "\"2024-01-01\""},
      {"1+2", "\"1+2\""},
      {"1L", "\"1L\""},
      {"", "\"\""},
      {"'1'", "\"1\""},
      {"'a' \"b\"", "\"ab\""},
      {"'a' b'b'", R"("'a' b'b'")"},
      {"b'x'", "\"x\""},
      {"r'\\n'", "\"\\\\n\""},
      {"'''it's'''", "\"it's\""},
      {"'\\x41\\u00e9\\101\\q'", "\"AéA\\\\q\""},
      {"'unclosed", "\"'unclosed\""},
      {"'C:\\New'", R"("'C:\\New'")"},
      {"[1, 'x', [2.0, None]]", "[1,\"x\",[2.0,null]]"},
      {"[1,]", "[1]"},
      {"[1,,2]", "\"[1,,2]\""},
      {"[1 2]", "\"[1 2]\""},
      {"1,2", "[1,2]"},
      {"1,", "[1]"},
      {",", "\",\""},
      {"(1)", "1"},
      {"(1,)", "[1]"},
      {"()", "[]"},
      {"{'a': 1, 'b': {}}", "{\"a\":1,\"b\":{}}"},
      {"{'a': 1, 'a': 2}", "{\"a\":2}"},
      {"{1: 2, None: 3, 1.5: 4}", "{\"1\":2,\"null\":3,\"1.5\":4}"},
      {"{'a': 1, 'b'}", "\"{'a': 1, 'b'}\""},
      {"{{ var }}", "\"{{ var }}\""},
      {"1 # c", "1"},
      {"'x' # c", "\"x\""},
      {"v # c", "\"v # c\""},
  };
  for (const Case& test : cases) {
    const LiteralReading reading = ReadLiteral(test.text);
    EXPECT_EQ(reading.problem, "") << test.text;
    EXPECT_EQ(reading.value.dump(), test.want) << test.text;
  }
}

TEST(InventoryLiteral, WhatJsonCannotHoldIsRefused) {
  for (const char* text :
       {"{1, 2}", "set()", "1j", "1+2j", "...", "[b'x']", "{[1]: 2}", "{(1, 2): 3}",
        "99999999999999999999", "-(18446744073709551615)", "'\\ud800'", "'\\N{DASH}'"}) {
    EXPECT_NE(ReadLiteral(text).problem, "") << text;
  }
}

TEST(InventoryLiteral, DeepBracketsAreText) {
  const std::string deep = std::string(100000, '[');
  EXPECT_EQ(ReadLiteral(deep).value.get<std::string>(), deep);
  const std::string signs = std::string(100000, '-');
  EXPECT_EQ(ReadLiteral(signs).value.get<std::string>(), signs);
}

TEST(InventoryLiteral, RandomTextNeverCrashes) {
  std::mt19937 random(7);
  constexpr std::string_view kAlphabet = "[](){},:'\"\\+-.019xobejrTrueNone# _\xc3\xa9";
  std::size_t literals = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (unsigned k = random() % 12; k > 0; --k) {
      text.push_back(kAlphabet[random() % kAlphabet.size()]);
    }
    const LiteralReading reading = ReadLiteral(text);
    if (reading.problem.empty() && reading.value != Value(text)) ++literals;
  }
  EXPECT_GT(literals, 100U);
}

}  // namespace
}  // namespace drover
