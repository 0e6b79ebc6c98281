// Host patterns of plays and --limit.
#include "orchestrator/inventory/pattern.h"

#include <gtest/gtest.h>

#include <random>

#include "orchestrator/inventory/load.h"
#include "tests/orchestrator/inventory/temporary_folder.h"

namespace drover {
namespace {

const Inventory& Hosts() {
  static const Inventory inventory = [] {
    const TemporaryFolder folder;
    auto loaded = LoadInventory(
        {folder.Write("h",
                      "lone\n[web]\nweb1\nweb2\nweb3\n[db]\ndb1.x\ndb2.x\n[dc1]\nweb1\ndb1.x\n"
                      "[empty]\n[site:children]\nweb\ndb\n[v6]\nfe80::1\n")},
        "");
    return std::move(loaded->inventory);
  }();
  return inventory;
}

std::string Select(std::string_view pattern) {
  const auto hosts = SelectHosts(Hosts(), pattern, {});
  if (!hosts) return Format(hosts.error());
  std::string out;
  for (const std::string& host : *hosts) out += (out.empty() ? "" : " ") + host;
  return out;
}

struct Case {
  std::string pattern;
  std::string want;
};

TEST(InventoryPattern, SelectsAsAnsibleDoes) {
  const std::vector<Case> cases = {
      {"web", "web1 web2 web3"},
      {"web,lone", "web1 web2 web3 lone"},
      {"lone:web", "lone web1 web2 web3"},
      {" db , lone ", "db1.x db2.x lone"},
      {"all", "lone web1 db1.x fe80::1 web2 web3 db2.x"},
      {"*", "lone web1 db1.x fe80::1 web2 web3 db2.x"},
      {"web:!web1", "web2 web3"},
      {"!web1:web", "web2 web3"},
      {"!web:all:&dc1", "db1.x"},
      {"&dc1", "web1 db1.x"},
      {"!site", "lone fe80::1"},
      {"web:!empty", "web1 web2 web3"},
      {"ungr*", "lone"},
      {"web?", "web1 web2 web3"},
      {"web[!1]", "web2 web3"},
      {"*.x", "db1.x db2.x"},
      {"~web[12]", "web1 web2"},
      {"~.*2", "web2 db2.x"},
      {"~(db|lone)", "db1.x db2.x lone"},
      {"web[0]", "web1"},
      {"web[-1]", "web3"},
      {"web[1:2]", "web2 web3"},
      {"web[1:]", "web2 web3"},
      {"web[0-1]", "web1 web2"},
      {"web[1:99]", "web2 web3"},
      {"site[0]", "web1"},
      {"fe80::1", "fe80::1"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(Select(test.pattern), test.want) << test.pattern;
  }
}

TEST(InventoryPattern, WhatMatchesNothingIsAnError) {
  const std::vector<Case> cases = {
      {"wbe", "no host or group matches \"wbe\"\n  hint: did you mean \"web\"?"},
      {"web:!web9", "no host or group matches \"web9\""},
      {"web:&dc2", "no host or group matches \"dc2\"\n  hint: did you mean \"dc1\"?"},
      {"empty", "the host pattern \"empty\" matches no host"},
      {"web:!web", "the host pattern \"web:!web\" matches no host"},
      {"web[9]", "\"web[9]\" selects nothing: there are 3 hosts to count"},
      {"web[2:1]", "selects nothing"},
      {"web[:2]", "\"web[:2]\" ends in no valid subscript"},
      {"w*[13]", "selects nothing"},
      {"", "the host pattern is empty"},
      {",,", "the host pattern is empty"},
      {"web:!", "a name is missing behind \"!\""},
      {"~web(", "no valid regular expression"},
      {"localhost", "Drover reaches every host over SSH"},
  };
  for (const Case& test : cases) {
    const std::string got = Select(test.pattern);
    EXPECT_NE(got.find(test.want), std::string::npos) << test.pattern << "\n" << got;
    EXPECT_TRUE(got.starts_with("error: ")) << test.pattern;
  }
}

TEST(InventoryPattern, ErrorStandsWhereThePatternWasWritten) {
  const auto file = std::make_shared<SourceFile>(SourceFile{"site.yml", "- hosts: wbe\n"});
  const auto hosts = SelectHosts(Hosts(), "wbe", Place{file, 1, 10});
  ASSERT_FALSE(hosts);
  EXPECT_TRUE(Format(hosts.error()).starts_with("site.yml:1:10: error: no host or group"));
}

TEST(InventoryLimit, NarrowsInPlayOrder) {
  const std::vector<std::string> play = {"web3", "web1", "lone"};
  EXPECT_EQ(ApplyLimit(Hosts(), play, "web").value(), (std::vector<std::string>{"web3", "web1"}));
  EXPECT_EQ(ApplyLimit(Hosts(), play, "web,!web3").value(), std::vector<std::string>{"web1"});
  EXPECT_EQ(ApplyLimit(Hosts(), play, "db").value(), std::vector<std::string>{});
  const auto wrong = ApplyLimit(Hosts(), play, "wbe");
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(Format(wrong.error()).starts_with("error: --limit: no host or group matches"));
  EXPECT_FALSE(ApplyLimit(Hosts(), play, ""));
}

TEST(InventoryPattern, RandomTextNeverCrashes) {
  std::mt19937 random(5);
  constexpr std::string_view kAlphabet = "web1*?[]!&:,~-.()|\\+^$x \xc3\xa9";
  std::size_t matched = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string pattern;
    for (unsigned k = random() % 10; k > 0; --k) {
      pattern.push_back(kAlphabet[random() % kAlphabet.size()]);
    }
    if (SelectHosts(Hosts(), pattern, {})) ++matched;
  }
  EXPECT_GT(matched, 10U);
}

}  // namespace
}  // namespace drover
