// Lines that come and go in inventory files, and everything else that stays.
#include "orchestrator/inventory/edit.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

SourceFilePtr File(const std::string& name, const std::string& text) {
  return std::make_shared<SourceFile>(SourceFile{name, text});
}

const std::string kIni = R"(# The cluster.
[directors]
lb1 ansible_host=10.0.0.1

[real_servers]
rs1 ansible_host=10.0.0.21  # the first
rs2:2222 ansible_host=10.0.0.22
# rs9 is in repair

[real_servers:vars]
colour=blue
[spare]
rs2
)";

const std::string kYaml = R"(# The cluster.
all:
  vars: {vip: 10.0.0.100}   # virtual
  children:
    directors:
      hosts:
        lb1: {ansible_host: 10.0.0.1}
    real_servers:
      hosts:
        rs1: {ansible_host: 10.0.0.21}   # the first
        rs2:
          ansible_host: 10.0.0.22
          # no weight yet

    # Not in use.
    spare:
      hosts:
        rs2:
)";

struct Case {
  std::string name;
  std::string file;
  std::string text;
  NewHost host;
  std::string behind;  // the line that the new one follows
  std::string line;
};

class Adding : public ::testing::TestWithParam<Case> {};

TEST_P(Adding, PutsOneLineBelowItsNeighbours) {
  const Case& test = GetParam();
  const auto edit = AddHostLine(File(test.file, test.text), test.host);
  ASSERT_TRUE(edit) << Format(edit.error());
  std::string want = test.text;
  want.insert(want.rfind(test.behind) + test.behind.size(), test.line);
  EXPECT_EQ(edit->after, want);
  EXPECT_NE(test.line.find(edit->text), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Inventory, Adding,
    ::testing::Values(
        Case{"Ini",
             "hosts",
             kIni,
             {"rs4", "real_servers", {{"ansible_host", "10.0.0.24"}}},
             "rs2:2222 ansible_host=10.0.0.22\n",
             "rs4 ansible_host=10.0.0.24\n"},
        Case{"IniQuotes",
             "hosts.ini",
             kIni,
             {"rs4", "directors", {{"note", "two words"}}},
             "lb1 ansible_host=10.0.0.1\n",
             "rs4 note=\"two words\"\n"},
        Case{"IniEmptySection",
             "hosts",
             "[a]\nx\n[web]\n\n[b]\ny\n",
             {"z", "web", {}},
             "[web]\n",
             "z\n"},
        Case{"IniCarriageReturns", "hosts", "[web]\r\nx\r\n", {"z", "web", {}}, "x\r\n", "z\r\n"},
        Case{"Yaml",
             "hosts.yml",
             kYaml,
             {"rs4", "real_servers", {{"ansible_host", "10.0.0.24"}}},
             "          # no weight yet\n",
             "        rs4: {ansible_host: 10.0.0.24}\n"},
        Case{"YamlWithoutVariables",
             "hosts.yml",
             kYaml,
             {"rs1", "spare", {}},
             "        rs2:\n",
             "        rs1:\n"},
        Case{"YamlEmptyHosts",
             "hosts.yaml",
             "web:\n  hosts:\n  vars: {a: 1}\n",
             {"z", "web", {{"b", "yes: no"}}},
             "  hosts:\n",
             "    z: {b: \"yes: no\"}\n"}),
    [](const auto& test) { return test.param.name; });

TEST(AddHostLine, EndsAFileThatLacksItsLastNewline) {
  const auto edit = AddHostLine(File("hosts", "[web]\nx"), {"z", "web", {}});
  ASSERT_TRUE(edit);
  EXPECT_EQ(edit->after, "[web]\nx\nz\n");
}

TEST(AddHostLine, RefusesWhatItCannotDoForCertain) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"hosts.yml", "web: {hosts: {x: {}}}\n"},
      {"hosts.yml", "web:\n  hosts: {x: {}, y: {}}\n"},
      {"hosts.yml", "web:\n  vars: {a: 1}\n"},
      {"hosts.json", "{\"web\": {\"hosts\": [\"x\"]}}"},
      {"hosts", "[db]\nx\n"},
  };
  for (const auto& [name, text] : cases) {
    EXPECT_FALSE(AddHostLine(File(name, text), {"z", "web", {}})) << text;
  }
}

TEST(RemoveHostLines, TakesEveryLineOfTheHostAndNothingElse) {
  const auto ini = RemoveHostLines(File("hosts", kIni), "rs2", {});
  ASSERT_TRUE(ini) << Format(ini.error());
  std::string want = kIni;
  want.erase(want.find("rs2:2222"), std::string("rs2:2222 ansible_host=10.0.0.22\n").size());
  want.erase(want.rfind("rs2\n"), 4);
  EXPECT_EQ(ini->after, want);
  EXPECT_EQ(ini->line, 7);
  const auto yaml = RemoveHostLines(File("hosts.yml", kYaml), "rs2", {});
  ASSERT_TRUE(yaml) << Format(yaml.error());
  want = kYaml;
  want.erase(want.find("        rs2:\n"),
             std::string("        rs2:\n          ansible_host: 10.0.0.22\n"
                         "          # no weight yet\n")
                 .size());
  want.erase(want.rfind("        rs2:\n"), std::string("        rs2:\n").size());
  EXPECT_EQ(yaml->after, want);
  EXPECT_EQ(yaml->line, 11);
}

TEST(RemoveHostLines, LeavesTheHostInOtherGroups) {
  const auto refused = RemoveHostLines(File("hosts", kIni), "rs2", {"real_servers"});
  ASSERT_FALSE(refused);  // its address is on the line
  EXPECT_NE(refused.error().at(0).message.find("other groups"), std::string::npos);
  const auto spare = RemoveHostLines(File("hosts", kIni), "rs2", {"spare"});
  ASSERT_TRUE(spare) << Format(spare.error());
  EXPECT_EQ(spare->line, 13);
  const auto yaml = RemoveHostLines(File("hosts.yml", kYaml), "rs2", {"spare"});
  ASSERT_TRUE(yaml) << Format(yaml.error());
  EXPECT_EQ(yaml->text, "rs2:");
}

TEST(RemoveHostLines, AddedAndRemovedIsAsBefore) {
  for (const auto& [name, text] : {std::pair{"hosts", kIni}, std::pair{"hosts.yml", kYaml}}) {
    const auto more = AddHostLine(File(name, text), {"rs4", "real_servers", {{"a", "1"}}});
    ASSERT_TRUE(more);
    const auto less = RemoveHostLines(File(name, more->after), "rs4", {});
    ASSERT_TRUE(less) << Format(less.error());
    EXPECT_EQ(less->after, text);
  }
}

TEST(RemoveHostLines, RefusesWhatItCannotDoForCertain) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"hosts", "[web]\nrs[1:3]\n"},
      {"hosts", "[web]\nother\n"},
      {"hosts.yml", "web:\n  hosts: {rs2: {}, x: {}}\n"},
      {"hosts.yml", "web:\n  hosts:\n    rs2: &v {a: 1}\n    x: *v\n"},
  };
  for (const auto& [name, text] : cases) {
    EXPECT_FALSE(RemoveHostLines(File(name, text), "rs2", {})) << text;
  }
}

Inventory Small() {
  Inventory inventory;
  for (const char* group : {"web", "real", "site"}) inventory.AddGroup(group, {});
  for (const char* host : {"rs1", "rs2", "lb1"}) inventory.AddHost(host, {});
  for (const char* host : {"rs1", "rs2"}) inventory.AddHostToGroup(host, "real");
  inventory.AddHostToGroup("lb1", "site");
  inventory.AddHostToGroup("rs1", "web");
  inventory.AddChild("site", "real");
  inventory.Finish();
  return inventory;
}

TEST(GroupOfAll, IsTheNarrowestOne) {
  const Inventory inventory = Small();
  EXPECT_EQ(GroupOfAll(inventory, {"rs1", "rs2"}), "real");
  EXPECT_EQ(GroupOfAll(inventory, {"rs1", "lb1"}), "site");
  EXPECT_EQ(GroupOfAll(inventory, {"rs1"}), "web");
  EXPECT_EQ(GroupOfAll(inventory, {"stranger"}), "");
  EXPECT_EQ(GroupOfAll(inventory, {}), "");
}

TEST(WithGroupsBelow, FollowsChildren) {
  EXPECT_EQ(WithGroupsBelow(Small(), "site"), (std::set<std::string>{"real", "site"}));
  EXPECT_TRUE(WithGroupsBelow(Small(), "none").empty());
}

TEST(Inventory, AHostThatIsRemovedIsInNoGroup) {
  Inventory inventory = Small();
  inventory.RemoveHost("rs1");
  EXPECT_EQ(inventory.FindHost("rs1"), nullptr);
  EXPECT_EQ(inventory.HostsOf("real"), std::vector<std::string>{"rs2"});
  EXPECT_TRUE(inventory.HostsOf("web").empty());
  EXPECT_EQ(inventory.HostNames().size(), 2U);
}

}  // namespace
}  // namespace drover
