// group_vars/ and host_vars/: what is found, what hides what, what beats what.
#include "orchestrator/inventory/vars_files.h"

#include <gtest/gtest.h>

#include "orchestrator/inventory/load.h"
#include "tests/orchestrator/inventory/temporary_folder.h"

namespace drover {
namespace {

std::string VarsOf(const std::vector<std::string>& sources, const std::string& playbook_dir,
                   const std::string& host) {
  const auto loaded = LoadInventory(sources, playbook_dir);
  if (!loaded) return Format(loaded.error());
  return loaded->inventory.VarsOf(host).dump();
}

TEST(InventoryVarsFiles, FollowTheOrderOfTheReference) {
  const TemporaryFolder folder;
  const std::string hosts = folder.Write(
      "inv/hosts", "[p:children]\nc\n[c]\nh v8=8\n[all:vars]\nv2=2\nv3=2\n[c:vars]\nv3=3\nv4=3\n");
  folder.Write("inv/group_vars/all", "{v4: 4, v5: 4}");
  folder.Write("play/group_vars/all", "{v5: 5, v6: 5}");
  folder.Write("inv/group_vars/c", "{v6: 6, v7: 6}");
  folder.Write("play/group_vars/p", "{v7: 7, v8: 7}");
  folder.Write("inv/host_vars/h", "{v9: 9, v10: 9}");
  folder.Write("play/host_vars/h", "{v10: 10}");
  EXPECT_EQ(VarsOf({hosts}, folder.Path("play"), "h"),
            R"({"v2":2,"v3":3,"v4":4,"v5":5,"v6":6,"v7":7,"v8":8,"v9":9,"v10":10})");
}

TEST(InventoryVarsFiles, TheFirstNameHidesTheOthers) {
  const TemporaryFolder folder;
  const std::string hosts = folder.Write("hosts", "[web]\nw1\nw2\n");
  folder.Write("group_vars/web/b.yml", "a: 1\n");
  folder.Write("group_vars/web/a.yml", "{a: 0, b: 1}\n");
  folder.Write("group_vars/web/.x.yml", "hidden: 1\n");
  folder.Write("group_vars/web/x.txt", "hidden: 1\n");
  folder.Write("group_vars/web/sub/c.json", R"({"c": 1})");
  folder.Write("group_vars/web.yml", "hidden: 1\n");
  folder.Write("host_vars/w2.yml", "d: 1\n");
  folder.Write("host_vars/w2.yaml", "hidden: 1\n");
  EXPECT_EQ(VarsOf({hosts}, "", "w1"), R"({"a":1,"b":1,"c":1})");
  EXPECT_EQ(VarsOf({hosts}, "", "w2"), R"({"a":1,"b":1,"c":1,"d":1})");
}

TEST(InventoryVarsFiles, LaterDirectoriesBeatEarlierOnes) {
  const TemporaryFolder folder;
  const std::string first = folder.Write("1/hosts", "[p:children]\nc\n[c]\nh\n");
  const std::string second = folder.Write("2/hosts", "h\n");
  folder.Write("1/group_vars/c", "v: child in the first\n");
  folder.Write("2/group_vars/p", "v: parent in the second\n");
  EXPECT_EQ(VarsOf({first, second}, "", "h"), R"({"v":"parent in the second"})");
  EXPECT_EQ(VarsOf({second, first}, "", "h"), R"({"v":"child in the first"})");
}

TEST(InventoryVarsFiles, PriorityInAFileIsAnOrdinaryVariable) {
  const TemporaryFolder folder;
  const std::string hosts = folder.Write("hosts", "[a]\nh\n[b]\nh\n");
  folder.Write("group_vars/a", "{v: a, ansible_group_priority: 9}");
  folder.Write("group_vars/b", "v: b\n");
  EXPECT_EQ(VarsOf({hosts}, "", "h"), R"({"v":"b","ansible_group_priority":9})");
}

TEST(InventoryVarsFiles, BrokenOnesAreErrorsWithTheirPlace) {
  const TemporaryFolder folder;
  const std::string hosts = folder.Write("hosts", "[web]\nw1\n");
  folder.Write("group_vars/web", "- a\n");
  folder.Write("host_vars/w1", "$ANSIBLE_VAULT;1.1;AES256\n6162\n");
  folder.Write("host_vars/unknown", "- never read\n");
  folder.Write("group_vars/all", "a: 1\na: 2\n");
  const std::string errors = VarsOf({hosts}, "", "w1");
  EXPECT_NE(errors.find("group_vars/web:1:1: error: a file of variables must be a mapping"),
            std::string::npos)
      << errors;
  EXPECT_NE(errors.find("host_vars/w1:1:1: error: vault is not supported yet"), std::string::npos);
  EXPECT_NE(errors.find("group_vars/all:2:1: error: the key \"a\" is given twice"),
            std::string::npos);
  EXPECT_EQ(errors.find("unknown"), std::string::npos);
}

TEST(InventoryVarsFiles, EmptyFilesAreFine) {
  const TemporaryFolder folder;
  const std::string hosts = folder.Write("hosts", "h\n");
  folder.Write("host_vars/h", "---\n");
  EXPECT_EQ(VarsOf({hosts}, "", "h"), "{}");
}

}  // namespace
}  // namespace drover
