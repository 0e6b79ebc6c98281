#include "node-helper/undo/firewall_text.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

constexpr const char* kListing =
    "table ip filter {\n"
    "\tchain INPUT {\n"
    "\t\ttype filter hook input priority filter; policy accept;\n"
    "\t\ttcp dport 22  counter drop\n"
    "\t\txt match recent limit rate 5/minute counter\n"
    "\t}\n"
    "}\n"
    "table inet own {\n"
    "\tset banned {\n"
    "\t\ttype ipv4_addr\n"
    "\t\tflags dynamic,timeout\n"
    "\t\telements = { 10.0.0.1 timeout 1m,\n"
    "\t\t\t     10.0.0.2 timeout 1m }\n"
    "\t}\n"
    "\tset fixed {\n"
    "\t\ttype ipv4_addr\n"
    "\t\telements = { 10.0.0.3 }\n"
    "\t}\n"
    "}\n";

TEST(FirewallText, WhatTheDaemonSetsForMomentsIsLeftOut) {
  const auto tables =
      SplitRuleset("table ip drover_handover {\n\tchain input {\n\t}\n}\ntable ip mine {\n}\n", "");
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].name, "mine");
}

TEST(FirewallText, RulesetIsSplitIntoTables) {
  const auto tables = SplitRuleset(kListing, "");
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].family, "ip");
  EXPECT_EQ(tables[0].name, "filter");
  EXPECT_TRUE(tables[0].compatible);  // nft shows the match of xtables, and cannot read it
  EXPECT_EQ(tables[1].family, "inet");
  EXPECT_EQ(tables[1].name, "own");
  EXPECT_FALSE(tables[1].compatible);
  EXPECT_EQ(tables[0].text + tables[1].text, kListing);
}

TEST(FirewallText, TablesOfIptablesAreThoseThatNftWarnsOf) {
  const std::string listing = "table ip nat {\n}\ntable ip6 nat {\n}\n";
  const auto tables =
      SplitRuleset(listing, "# Warning: table ip6 nat is managed by iptables-nft, do not touch!\n");
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_FALSE(tables[0].compatible);
  EXPECT_TRUE(tables[1].compatible);
  // Newer ones say it in the listing.
  const auto same = SplitRuleset(
      "# Warning: table ip nat is managed by iptables-nft, do not touch!\n" + listing, "");
  EXPECT_TRUE(same.at(0).compatible);
  EXPECT_FALSE(same.at(1).compatible);
}

TEST(FirewallText, ElementsThatComeAndGoAreNoDifference) {
  const std::string stable = StableRules(kListing);
  EXPECT_EQ(stable.find("10.0.0.1"), std::string::npos);
  EXPECT_EQ(stable.find("10.0.0.2"), std::string::npos);
  EXPECT_NE(stable.find("10.0.0.3"), std::string::npos);
  EXPECT_NE(stable.find("set banned"), std::string::npos);
  EXPECT_EQ(StableRules(stable), stable);
}

TEST(FirewallText, CountersAndTimesOfASaveAreNoDifference) {
  EXPECT_EQ(StableSave("# Generated on Sat\n*filter\n:INPUT ACCEPT [12:345]\n"
                       "[1:60] -A INPUT -j DROP\nCOMMIT\n# Completed on Sat\n"),
            "*filter\n:INPUT ACCEPT\n-A INPUT -j DROP\nCOMMIT\n");
}

TEST(FirewallText, TablesThatCameAreEmptied) {
  const std::string before = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n";
  const std::string now =
      "*nat\n:PREROUTING DROP [3:4]\n:OUTPUT ACCEPT [0:0]\n:mine - [0:0]\n-A OUTPUT -j mine\n"
      "COMMIT\n*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
  EXPECT_EQ(EmptiedTables(before, now), "*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n");
  EXPECT_EQ(EmptiedTables(now, before), "");
}

TEST(FirewallText, GarbageIsSurvived) {
  for (const char* text : {"", "\n", "}", "table", "table ip {", "\tset x {", "*", ":", "[",
                           "COMMIT", "table ip filter {\n\tset x {\n\t\telements = {"}) {
    (void)SplitRuleset(text, text);
    (void)EmptiedTables(text, text);
    EXPECT_EQ(StableRules(StableRules(text)), StableRules(text)) << text;
    EXPECT_EQ(StableSave(StableSave(text)), StableSave(text)) << text;
  }
}

}  // namespace
}  // namespace drover
