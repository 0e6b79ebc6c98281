// The binary as a caller sees it: exit status and first complaint. No host is ever reached: every
// case ends before that.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/shell.h"

namespace drover {
namespace {

// A folder with an inventory, in which drover is run.
class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "drover_cli_XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
    Write("inv.yml",
          "all:\n  children:\n    directors:\n      hosts: {d1: {ansible_connection: local}}\n"
          "    real_servers:\n      hosts: {rs1: {ansible_host: 10.0.0.11}}\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] Ended Drover(const std::string& arguments) const {
    const std::string command =
        "cd '" + folder_.string() +
        "' && env -u DROVER_INVENTORY -u ANSIBLE_INVENTORY XDG_STATE_HOME='" + folder_.string() +
        "/state' " + "'" DROVER_BINARY "' " + arguments + " 2>&1 </dev/null";
    return RunShell(command);
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(CliTest, BadUserFilesEndWithFourAndAPlace) {
  const std::string task = "- hosts: directors\n  tasks:\n    - ";
  const std::string service = "virtual_service: {address: \"10.0.0.100:80\", forward: dr, ";
  struct Case {
    const char* name;
    std::string playbook;
    const char* place;
    const char* words;
  };
  const std::vector<Case> cases = {
      {"YAML syntax", "- hosts: [directors\n", "bad.yml:2:1: error: ", "not closed"},
      {"unknown module", task + "virtual_servce: {}\n",
       "bad.yml:3:7: error: ", "did you mean \"virtual_service\"?"},
      {"unknown key", task + "vip: {adress: 10.0.0.1}\n",
       "bad.yml:3:13: error: ", "did you mean \"address\"?"},
      {"unknown play key", "- host: all\n", "bad.yml:1:3: error: ", "did you mean \"hosts\"?"},
      {"undefined variable", task + "vip: {address: \"{{ nope }}\", interface: lo}\n",
       "bad.yml:3:26: error: ", "nope"},
      {"wrong type", task + "vip: {address: [1, 2], interface: lo}\n", "bad.yml:3:", "address"},
      {"VIP that is no address", task + "vip: {address: 10.0.0.300, interface: lo}\n",
       "bad.yml:3:22: error: ", "10.0.0.300"},
      {"port 0", task + "virtual_service: {address: \"10.0.0.1:0\", real_servers: []}\n",
       "bad.yml:3:34: error: ", "1 to 65535"},
      {"port 70000", task + "virtual_service: {address: \"10.0.0.1:70000\", real_servers: []}\n",
       "bad.yml:3:34: error: ", "1 to 65535"},
      {"DR with another port", task + service + "scheduler: rr, real_servers: [\"10.0.0.2:81\"]}\n",
       "bad.yml:3:", "cannot change the port"},
      {"unknown scheduler", task + service + "scheduler: rrr, real_servers: [10.0.0.2]}\n",
       "bad.yml:3:", "did you mean \"rr\"?"},
      {"pattern without a match", "- hosts: nosuch\n  tasks: []\n",
       "bad.yml:1:10: error: ", "nosuch"},
      {"duplicate service",
       task + service + "scheduler: rr, real_servers: [10.0.0.2]}\n    - " + service +
           "scheduler: wrr, real_servers: [10.0.0.3]}\n",
       "bad.yml:4:", "twice"},
  };
  for (const Case& c : cases) {
    Write("bad.yml", c.playbook);
    const Ended ended = Drover("rollout bad.yml -i inv.yml");
    EXPECT_EQ(ended.status, 4) << c.name << ": " << ended.text;
    EXPECT_EQ(ended.text.rfind(c.place, 0), 0U) << c.name << ": " << ended.text;
    EXPECT_NE(ended.text.find(c.words), std::string::npos) << c.name << ": " << ended.text;
    EXPECT_EQ(ended.text.find("PLAY"), std::string::npos) << c.name;
  }
}

TEST_F(CliTest, SlipsOnTheCommandLineEndWithOne) {
  Write("good.yml", "- hosts: directors\n  tasks:\n    - command: \"true\"\n");
  Write("empty.txt", "\n");
  for (const char* arguments : {"",
                                "rolout",
                                "rollout",
                                "rollout nofile.yml -i inv.yml",
                                "rollout good.yml",
                                "rollout good.yml -i nofile",
                                "rollout good.yml -i inv.yml -l nosuch",
                                "rollout good.yml -i inv.yml -l @empty.txt",
                                "rollout good.yml -i inv.yml -e nonsense",
                                "rollout good.yml -i inv.yml -e @nofile",
                                "rollout good.yml -i inv.yml --no-such-option",
                                "rollout good.yml -i inv.yml --helper /does/not/exist",
                                "verify good.yml -i inv.yml",
                                "rollout good.yml -i inv.yml --rerun failed",
                                "rollout good.yml -i inv.yml --rerun tired",
                                "apply",
                                "apply nofile",
                                "apply good.yml",
                                "rollback good.yml -i inv.yml --to x",
                                "plan good.yml -i inv.yml --output jsonl",
                                "inventory",
                                "inventory -i inv.yml"}) {
    const Ended ended = Drover(arguments);
    EXPECT_EQ(ended.status, 1) << arguments << ": " << ended.text;
    EXPECT_FALSE(ended.text.empty()) << arguments;
  }
}

TEST_F(CliTest, WhatReachesNoHostEndsWithZero) {
  Write("good.yml", "- hosts: directors\n  tasks:\n    - name: say\n      command: \"true\"\n");
  struct Case {
    const char* arguments;
    const char* words;
  };
  const std::vector<Case> cases = {
      {"--help", "rollout"},
      {"help rollout", "--limit"},
      {"version", "drover "},
      {"rollout --debug list", "explain"},
      {"rollout good.yml -i inv.yml --syntax-check", "playbook: good.yml"},
      {"rollout good.yml -i inv.yml --list-hosts", "      d1\n"},
      {"rollout good.yml -i inv.yml --list-tasks", "      say\tTAGS: []\n"},
      {"inventory -i inv.yml --host rs1", "\"ansible_host\": \"10.0.0.11\""},
      {"inventory -i inv.yml --graph", "@directors"},
  };
  for (const Case& c : cases) {
    const Ended ended = Drover(c.arguments);
    EXPECT_EQ(ended.status, 0) << c.arguments << ": " << ended.text;
    EXPECT_NE(ended.text.find(c.words), std::string::npos) << c.arguments << ": " << ended.text;
  }
}

TEST_F(CliTest, UnknownSubcommandIsMetWithTheNearest) {
  EXPECT_NE(Drover("rolout").text.find("did you mean \"rollout\"?"), std::string::npos);
}

// Each with the inventory of its name, else with the demo's.
TEST_F(CliTest, EveryExampleOfAPlaybookCompiles) {
  const std::filesystem::path source = DROVER_SOURCE;
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source / "playbooks")) {
    if (entry.path().extension() != ".yml") continue;
    ++examples;
    std::filesystem::path inventory = source / "inventory" / entry.path().filename();
    if (!std::filesystem::exists(inventory)) inventory = source / "inventory/demo.yml";
    const Ended ended = Drover("rollout '" + entry.path().string() + "' -i '" + inventory.string() +
                               "' --syntax-check");
    EXPECT_EQ(ended.status, 0) << entry.path() << ": " << ended.text;
    EXPECT_EQ(ended.text.find("warning: "), std::string::npos) << ended.text;
  }
  EXPECT_GE(examples, 2);
  Write("broken.yml", "- hosts: directors\n  tasks:\n    - virtual_service: {address: x}\n");
  EXPECT_EQ(Drover("rollout broken.yml -i inv.yml --syntax-check").status, 4);
}

}  // namespace
}  // namespace drover
