#include "orchestrator/run/extra_vars.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace drover {
namespace {

// Every `want` is what `ansible -m debug -e …` shows for the same arguments.
TEST(ExtraVars, ReadsPairsMappingsAndTheirOrderAsAnsible) {
  struct Case {
    std::vector<std::string> arguments;
    std::string want;
  };
  const std::vector<Case> cases = {
      {{}, "{}"},
      {{"a=1"}, R"({"a":"1"})"},
      {{"a=1 b=yes"}, R"({"a":"1","b":"yes"})"},
      {{"a='two words' b=\"three more words\""}, R"({"a":"two words","b":"three more words"})"},
      {{"url=http://x/?q=1"}, R"({"url":"http://x/?q=1"})"},
      {{"a="}, R"({"a":""})"},
      {{R"(a=x\ny)"}, R"({"a":"x\ny"})"},
      {{R"(a="say \"hi\"")"}, R"({"a":"say \"hi\""})"},
      {{R"({"a": 1, "b": [true, null]})"}, R"({"a":1,"b":[true,null]})"},
      {{"{a: yes, b: 0x10}"}, R"({"a":true,"b":16})"},
      {{"a=1", R"({"a": 2})", "b=3"}, R"({"a":2,"b":"3"})"},
  };
  for (const Case& c : cases) {
    const auto vars = ReadExtraVars(c.arguments);
    ASSERT_TRUE(vars) << Format(vars.error());
    EXPECT_EQ(vars->dump(), c.want) << (c.arguments.empty() ? "" : c.arguments[0]);
  }
}

TEST(ExtraVars, WhatIsNoPairOrMappingIsAnError) {
  for (const char* bad : {"a", "=1", "a=1 b", "a='open", "[1, 2]", "{a: ", "@/does/not/exist"}) {
    EXPECT_FALSE(ReadExtraVars({bad})) << bad;
  }
}

TEST(ExtraVars, FileIsReadBehindAt) {
  const std::string path = testing::TempDir() + "extra_vars_test.yml";
  std::ofstream(path) << "a: 1\nb: {c: d}\n";
  const auto vars = ReadExtraVars({"@" + path});
  std::remove(path.c_str());
  ASSERT_TRUE(vars) << Format(vars.error());
  EXPECT_EQ(vars->dump(), R"({"a":1,"b":{"c":"d"}})");
}

}  // namespace
}  // namespace drover
