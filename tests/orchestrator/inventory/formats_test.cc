// Inventory files of every format: what they give, and how they are refused.
#include <gtest/gtest.h>

#include <random>

#include "orchestrator/inventory/builder.h"
#include "orchestrator/inventory/load.h"
#include "orchestrator/inventory/print.h"
#include "tests/orchestrator/inventory/temporary_folder.h"

namespace drover {
namespace {

// Loads one file; gives --list without blanks, or the errors with the folder taken off.
std::string Load(const std::string& name, const std::string& text) {
  const TemporaryFolder folder;
  const auto loaded = LoadInventory({folder.Write(name, text)}, "");
  if (loaded) {
    const std::string list = PrintList(loaded->inventory);
    return Value::parse(list).dump();
  }
  std::string errors = Format(loaded.error());
  const std::string prefix = folder.Path() + "/";
  for (std::size_t at = errors.find(prefix); at != std::string::npos; at = errors.find(prefix)) {
    errors.erase(at, prefix.size());
  }
  return errors;
}

struct Case {
  std::string text;
  std::string want;
};

TEST(InventoryIni, ErrorsNamePlaceAndReason) {
  const std::vector<Case> cases = {
      {"[web:vars]\na=1\n",
       "hosts.x:1:2: error: [web:vars] is for a group that is declared nowhere"},
      {"[a:children]\nweb\n[wbe]\n",
       "hosts.x:2:1: error: [a:children] names the group \"web\", which is declared nowhere\n"
       "  web\n  ^\n  hint: did you mean \"wbe\"?"},
      {"[a:host]\n", "hosts.x:1:1: error: there is no section type \"host\""},
      {"[a b]\n", "hosts.x:1:1: error: this is no section header"},
      {"[a] ; c\n", "hosts.x:1:1: error: this is no section header"},
      {"[1:3]\n", "hosts.x:1:1: error: there is no section type \"3\""},
      {"[a:vras]\nx = 1\n", "hint: did you mean \"vars\"?"},
      {"[a]\nh x = 1\n", "hosts.x:2:3: error: expected name=value here, not \"x\""},
      {"h1, h2\n", "hosts.x:1:5: error: expected name=value here, not \"h2\""},
      {"h =1\n", "hosts.x:1:3: error: expected name=value here"},
      {"h a='x\n", "hosts.x:1:5: error: this quote is never closed"},
      {"h a=x\\\n", "hosts.x:1:6: error: nothing stands behind this backslash"},
      {"[a:vars]\nx\n[a]\n", "hosts.x:2:1: error: expected name=value here"},
      {"[a]\n[a:vars]\n=1\n", "hosts.x:3:1: error: a variable needs a name"},
      {"[a:children]\nb c\n", "hosts.x:2:2: error: expected one group name on this line"},
      {"[a]\n[a:children]\na\n", "hosts.x:3:1: error: the group \"a\" cannot be a child of itself"},
      {"[a]\n[b]\n[a:children]\nb\n[b:children]\na\n",
       "hosts.x:6:1: error: the group \"a\" is above \"b\" already"},
      {"[a:children]\nall\n", "hosts.x:2:1: error: the group \"all\" cannot be a child"},
      {"web:\n", "hosts.x:1:1: error: a host name cannot end in \":\""},
      {"---\n", "hosts.x:1:1: error: \"---\" begins a YAML file"},
      {"w[3:1]\n", "hosts.x:1:1: error: the host range [3:1] runs backwards"},
      {"h x={1,2}\n", "hosts.x:1:3: error: this is a Python set"},
      {"[a]\n[a:vars]\nansible_group_priority=high\n",
       "hosts.x:3:24: error: ansible_group_priority must be a whole number"},
      {"\"\" a=1\n", "hosts.x:1:1: error: a host needs a name"},
      {"ok\n\xff\n", "hosts.x:2:1: error: this byte is not valid UTF-8"},
      {"#!/bin/sh\n", "hosts.x: error: inventory scripts are not run yet"},
      {"$ANSIBLE_VAULT;1.1;AES256\n", "hosts.x:1:1: error: vault is not supported yet"},
  };
  for (const Case& test : cases) {
    const std::string got = Load("hosts.x", test.text);
    EXPECT_NE(got.find(test.want), std::string::npos) << test.text << "\ngot: " << got;
  }
}

TEST(InventoryIni, AllErrorsOfAFileAreTold) {
  const std::string got = Load("hosts.x", "h x\n[a b]\n[c:vars]\n");
  EXPECT_NE(got.find(":1:3:"), std::string::npos) << got;
  EXPECT_NE(got.find(":2:1:"), std::string::npos) << got;
  EXPECT_NE(got.find(":3:2:"), std::string::npos) << got;
}

TEST(InventoryIni, HostLineAfterVarsSectionIsError) {
  const std::string got = Load("hosts.x", "[a]\nh1\n[a:vars]\nx=1\nh2\n");
  EXPECT_NE(got.find("hosts.x:5:1: error: expected name=value here"), std::string::npos) << got;
}

TEST(InventoryIni, ByteOrderMarkIsAccepted) {
  EXPECT_EQ(Load("hosts.x", "\xEF\xBB\xBF[a]\nh\n"), Load("hosts.x", "[a]\nh\n"));
}

TEST(InventoryIni, VariablesOfAHostNamedLikeAGroupGoToTheGroup) {
  const TemporaryFolder folder;
  const auto loaded = LoadInventory({folder.Write("h", "[web]\nw1\n[x]\nweb a=1\n")}, "");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->inventory.VarsOf("w1").dump(), R"({"a":1})");
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_NE(loaded->warnings[0].message.find("both a host and a group"), std::string::npos);
}

TEST(InventoryYaml, ErrorsNamePlaceAndReason) {
  const std::vector<Case> cases = {
      {"web:\n  host:\n    h: \n",
       "f.yml:2:3: error: a group has no key \"host\"\n"
       "    host:\n    ^\n  hint: did you mean \"hosts\"?"},
      {"web:\n  hosts:\n    - h1\n", "f.yml:3:5: error: hosts must be a mapping, not a list"},
      {"web:\n  hosts:\n    h1: [1]\n",
       "f.yml:3:9: error: the variables of \"h1\" must be a mapping"},
      {"web:\n  hosts:\n    1.5: \n", "f.yml:3:5: error: a host's name must be text, not 1.5"},
      {"1: \n", "f.yml:1:1: error: a group's name must be text, not 1"},
      {"web: [h1]\n", "f.yml:1:6: error: the group \"web\" must be a mapping"},
      {"web:\n  vars: x\n", "f.yml:2:9: error: vars must be a mapping"},
      {"web:\n  hosts: {h: }\n  hosts: {i: }\n",
       "f.yml:3:3: error: the key \"hosts\" is given twice"},
      {"a:\n  children:\n    b:\n      children:\n        a:\n",
       "f.yml:3:5: error: the group \"b\" is above \"a\" already"},
      {"plugin: aws_ec2\nregions: [x]\n", "f.yml:1:9: error: this configures an inventory plugin"},
      {"- h1\n", "f.yml:1:1: error: a YAML inventory is a mapping of groups"},
      {"all:\n  hosts: {w[2:1]: }\n", "f.yml:2:"},
      {"all:\n  vars:\n    p: !vault |\n      x\n", "f.yml:3:8: error: vault is not supported yet"},
  };
  for (const Case& test : cases) {
    const std::string got = Load("f.yml", test.text);
    EXPECT_NE(got.find(test.want), std::string::npos) << test.text << "\ngot: " << got;
  }
}

TEST(InventoryFormat, IsFoundByEndingAndContent) {
  const std::string ini = Load("a.x", "[web]\nw1\n");
  EXPECT_EQ(Load("hosts", "[web]\nw1\n"), ini);
  EXPECT_EQ(Load("hosts", "web:\n  hosts:\n    w1:\n"), ini);
  EXPECT_EQ(Load("hosts.yml", "[web]\nw1\n"), ini);
  EXPECT_EQ(Load("hosts.json", R"({"web": {"hosts": {"w1": null}}})"), ini);
  EXPECT_EQ(Load("x.json", R"({"_meta": {"hostvars": {}}, "web": ["w1"]})"), ini);
  EXPECT_NE(Load("hosts", "web:\n  hosts:\n w1:\n").find("error"), std::string::npos);
  EXPECT_NE(Load("hosts.toml", "[web]\n").find("TOML inventories are not supported"),
            std::string::npos);
}

TEST(InventorySource, MissingOnesAreErrorsWithAHint) {
  const auto missing = LoadInventory({"web1"}, "");
  ASSERT_FALSE(missing);
  EXPECT_EQ(Format(missing.error()),
            "web1: error: there is no such inventory\n"
            "  hint: a list of host names needs a comma: -i web1,");
  EXPECT_FALSE(LoadInventory({}, ""));
}

TEST(InventorySource, HostListsKeepOrderAndPorts) {
  const auto loaded = LoadInventory({"b,a:2222, c,,a"}, "");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->inventory.HostNames(), (std::vector<std::string>{"b", "a", "c"}));
  EXPECT_EQ(loaded->inventory.VarsOf("a").dump(), R"({"ansible_port":2222})");
  EXPECT_FALSE(LoadInventory({"web[1:3],"}, ""));
}

TEST(InventorySource, DirectoriesPassOverIniFilesWithAWarning) {
  const TemporaryFolder folder;
  const std::string ini = folder.Write("hosts.ini", "[web]\nw1\n");
  EXPECT_FALSE(LoadInventory({folder.Path()}, ""));
  folder.Write("more", "m1\n");
  const auto loaded = LoadInventory({folder.Path()}, "");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->inventory.HostNames(), std::vector<std::string>{"m1"});
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_EQ(loaded->warnings[0].place.file->name, ini);
  EXPECT_TRUE(LoadInventory({ini}, ""));
}

// Reads text as a file of that name would be read, without a disk; true when it is fine.
bool ReadText(const std::string& text, bool ini) {
  const auto file = std::make_shared<SourceFile>(SourceFile{"f", text});
  Inventory inventory;
  InventoryBuilder builder(inventory);
  if (ini) {
    ReadIniInventory(file, builder);
  } else {
    const auto root = ParseYaml(file);
    if (!root) return false;
    if (IsListInventory(*root)) {
      ReadListInventory(*root, builder);
    } else {
      ReadYamlInventory(*root, builder);
    }
  }
  inventory.Finish();
  EXPECT_NE(PrintList(inventory), "");
  return !builder.failed();
}

TEST(InventoryRobustness, MutatedFilesNeverCrash) {
  const std::string seeds[] = {
      "lone a=1\n[web]\nweb[1:3]:22 x='q' y=\"[1, 2]\" # "
      "c\n[s:children]\nweb\n[s:vars]\nk={'a':1}\n",
      "all:\n  hosts: {h[1:2]: {a: 1}}\n  vars: {x: [1]}\n  children:\n    web: {hosts: w}\n",
      R"({"_meta": {"hostvars": {"a": {"x": 1}}}, "g": {"hosts": ["a"], "children": ["k"]}})"};
  std::mt19937 random(3);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < 6000; ++i) {
    std::string text = seeds[i % 3];
    if (random() % 2 == 0) text.resize(random() % (text.size() + 1));
    for (unsigned k = random() % 5; k > 0 && !text.empty(); --k) {
      text[random() % text.size()] = static_cast<char>(
          random() % 4 == 0 ? random() % 256 : "[]:=,'\"\\#{}- \n"[random() % 14]);
    }
    if (!ReadText(text, i % 3 == 0)) ++refused;
  }
  EXPECT_GT(refused, 1000U);
  EXPECT_LT(refused, 6000U);
}

}  // namespace
}  // namespace drover
