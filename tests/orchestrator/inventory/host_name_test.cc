// Ranges and ports in host patterns.
#include "orchestrator/inventory/host_name.h"

#include <gtest/gtest.h>

#include <random>

namespace drover {
namespace {

std::string Join(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " ") + name;
  return out;
}

struct Case {
  std::string pattern;
  std::string want;
  int port = 0;  // none
};

TEST(InventoryHostPattern, ExpandsRangesAndPorts) {
  const std::vector<Case> cases = {
      {"web", "web"},
      {"web:22", "web", 22},
      {"10.0.0.1:22", "10.0.0.1", 22},
      {"::1", "::1"},
      {"fe80::1:22", "fe80::1:22"},
      {"[::1]:22", "::1", 22},
      {"[web]:22", "web", 22},
      {"a..b:22", "a..b:22"},
      {"x_:22", "x_:22"},
      {"_x:22", "_x", 22},
      {"foo-.bar:22", "foo-.bar:22"},
      {"a:b:22", "a:b:22"},
      {"zürich:22", "zürich", 22},
      {"web[1:3]", "web1 web2 web3"},
      {"web[1:3]:77", "web1 web2 web3", 77},
      {"web[01:03].x", "web01.x web02.x web03.x"},
      {"web[0:10:5]", "web0 web5 web10"},
      {"db[a:c]", "dba dbb dbc"},
      {"db[y:B]", "dby dbz dbA dbB"},
      {"db[a:e:2]", "dba dbc dbe"},
      {"x[:2]", "x0 x1 x2"},
      {"x[8:011]", "x8 x9 x10 x11"},
      {"x[-1:1]", "x-1 x0 x1"},
      {"[1:2].x", "1.x 2.x"},
      {"a[1:2]b[1:2]", "a1b1 a1b2 a2b1 a2b2"},
  };
  for (const Case& test : cases) {
    const HostNames hosts = ExpandHostPattern(test.pattern);
    EXPECT_EQ(hosts.problem, "") << test.pattern;
    EXPECT_EQ(Join(hosts.names), test.want) << test.pattern;
    EXPECT_EQ(hosts.port.value_or(0), test.port) << test.pattern;
  }
}

TEST(InventoryHostPattern, RefusesRangesThatStandForNothingSensible) {
  for (const char* pattern :
       {"x[3:1]", "x[c:a]", "x[1:]", "x[1]", "x[1:2", "x]1:2[", "x[1:2:3:4]", "x[1:9:0]",
        "x[1:9:-1]", "x[001:3]", "x[a:3]", "x[ab:c]", "x[1:999999999]", "web:99999", "web:0"}) {
    EXPECT_NE(ExpandHostPattern(pattern).problem, "") << pattern;
  }
}

TEST(InventoryHostPattern, RandomTextNeverCrashes) {
  std::mt19937 random(11);
  constexpr std::string_view kAlphabet = "ab12[]:.-_:0f[]:\xc3\xa9";
  std::size_t fine = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (unsigned k = random() % 14; k > 0; --k) {
      text.push_back(kAlphabet[random() % kAlphabet.size()]);
    }
    if (ExpandHostPattern(text).problem.empty()) ++fine;
  }
  EXPECT_GT(fine, 1000U);
}

}  // namespace
}  // namespace drover
