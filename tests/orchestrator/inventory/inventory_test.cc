// Groups, membership, order and the merging of variables.
#include "orchestrator/inventory/inventory.h"

#include <gtest/gtest.h>

#include <chrono>

#include "orchestrator/inventory/load.h"
#include "orchestrator/inventory/print.h"
#include "tests/orchestrator/inventory/temporary_folder.h"

namespace drover {
namespace {

using Names = std::vector<std::string>;

Inventory Load(const std::string& text) {
  const TemporaryFolder folder;
  auto loaded = LoadInventory({folder.Write("h", text)}, "");
  EXPECT_TRUE(loaded) << Format(loaded.error());
  return loaded ? std::move(loaded->inventory) : Inventory();
}

TEST(InventoryGroups, HostsInOtherGroupsLeaveUngrouped) {
  const Inventory inventory = Load("one\ntwo\n[g]\ntwo\n[all]\nthree\n");
  EXPECT_EQ(inventory.FindGroup("ungrouped")->hosts, (Names{"one", "three"}));
  EXPECT_EQ(inventory.GroupsOf("two"), Names{"g"});
  EXPECT_EQ(inventory.GroupsOf("three"), Names{"ungrouped"});
}

TEST(InventoryGroups, HostsComeLevelByLevel) {
  const Inventory inventory = Load("top\n[deep]\nd1\n[a:children]\ndeep\n[b]\nb1\nd1\n[a]\na1\n");
  EXPECT_EQ(inventory.HostNames(), (Names{"top", "a1", "b1", "d1"}));
  EXPECT_EQ(inventory.HostsOf("a"), (Names{"a1", "d1"}));
  EXPECT_EQ(inventory.HostsOf("nowhere"), Names{});
}

TEST(InventoryGroups, GroupNamesAreSortedAndIncludeAncestors) {
  const Inventory inventory = Load("[z]\nh\n[m:children]\nz\n[a:children]\nm\n");
  EXPECT_EQ(inventory.GroupsOf("h"), (Names{"a", "m", "z"}));
}

TEST(InventoryVars, ChildBeatsParentWhateverThePriority) {
  const Inventory inventory =
      Load("[p:children]\nc\n[c]\nh\n[p:vars]\nv=p\nansible_group_priority=9\n[c:vars]\nv=c\n");
  EXPECT_EQ(inventory.VarsOf("h").dump(), R"({"v":"c"})");
}

TEST(InventoryVars, PriorityThenNameDecideAmongEquals) {
  const Inventory by_name = Load("[a]\nh\n[b]\nh\n[a:vars]\nv=a\n[b:vars]\nv=b\n");
  EXPECT_EQ(by_name.VarsOf("h").dump(), R"({"v":"b"})");
  const Inventory by_priority =
      Load("[a]\nh\n[b]\nh\n[a:vars]\nv=a\nansible_group_priority=2\n[b:vars]\nv=b\n");
  EXPECT_EQ(by_priority.VarsOf("h").dump(), R"({"v":"a"})");
}

TEST(InventoryVars, TheLongestWayDownCounts) {
  const Inventory inventory = Load(
      "[bottom]\nh\n[x]\nh\n[l1:children]\nl2\nbottom\n[l2:children]\nbottom\n"
      "[bottom:vars]\nv=bottom\n[l2:vars]\nv=l2\n[x:vars]\nv=x\n");
  EXPECT_EQ(inventory.FindGroup("bottom")->depth, 3);
  EXPECT_EQ(inventory.VarsOf("h").dump(), R"({"v":"bottom"})");
}

TEST(InventoryVars, UnknownHostsHaveNone) { EXPECT_EQ(Load("h\n").VarsOf("nobody").dump(), "{}"); }

TEST(InventoryPrint, FollowsPythonsJson) {
  Value value = Value::object();
  value["z"] = Value::array();
  value["a"] = Value::object();
  value["é"] = "tab\t \"q\" \x01 ü";
  value["f"] = Value::array({1.0, 1e16, 1e-7, 0.1, true, nullptr, -5});
  EXPECT_EQ(PrintJson(value),
            "{\n    \"a\": {},\n    \"f\": [\n        1.0,\n        1e+16,\n        1e-07,\n"
            "        0.1,\n        true,\n        null,\n        -5\n    ],\n    \"z\": [],\n"
            "    \"é\": \"tab\\t \\\"q\\\" \\u0001 ü\"\n}");
}

TEST(InventoryPrint, GraphAndHostsLookLikeAnsibles) {
  const Inventory inventory = Load("top\n[p:children]\nc\n[c]\nh1\nh2\n");
  EXPECT_EQ(PrintGraph(inventory, "").value(),
            "@all:\n  |--@ungrouped:\n  |  |--top\n  |--@p:\n  |  |--@c:\n  |  |  |--h1\n"
            "  |  |  |--h2\n");
  EXPECT_EQ(PrintGraph(inventory, "c").value(), "@c:\n  |--h1\n  |--h2\n");
  EXPECT_EQ(PrintHosts(inventory, "c").value(), "  hosts (2):\n    h1\n    h2\n");
  EXPECT_FALSE(PrintGraph(inventory, "x"));
  EXPECT_FALSE(PrintHost(inventory, "c"));
  EXPECT_EQ(PrintHost(inventory, "top").value(), "{}\n");
}

// Ansible needs 10 s for such an inventory; a quadratic step anywhere would need minutes.
TEST(InventorySpeed, TenThousandHostsLoadInLinearTime) {
  const TemporaryFolder folder;
  std::string text = "[all:vars]\na=1\n";
  for (int group = 0; group < 100; ++group) {
    text += "[g" + std::to_string(group) + "]\n";
    for (int host = 0; host < 100; ++host) {
      text += "host-" + std::to_string(group * 100 + host) +
              " ansible_host=10.0.0.1 x=" + std::to_string(host) + "\n";
    }
  }
  text += "[site:children]\n";
  for (int group = 0; group < 100; ++group) text += "g" + std::to_string(group) + "\n";
  const std::string path = folder.Write("hosts", text);
  const auto begin = std::chrono::steady_clock::now();
  const auto loaded = LoadInventory({path}, "");
  ASSERT_TRUE(loaded);
  std::size_t vars = 0;
  for (const std::string& host : loaded->inventory.HostNames()) {
    vars += loaded->inventory.VarsOf(host).size();
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(vars, 30000U);
  // Far above what it takes, far below what quadratic code takes.
  EXPECT_LT(took, std::chrono::seconds(5));
  RecordProperty("milliseconds", static_cast<int>(took / std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace drover
