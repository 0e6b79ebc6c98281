#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

constexpr const char* kPlay = "- hosts: lb1\n  tasks: []\n";

HostConnection ConnectionOf(const Value& vars, const std::string& text = kPlay,
                            const CompileOptions& options = {}) {
  auto inventory = SmallCluster();
  for (const auto& [name, value] : vars.items()) inventory.FindHost("lb1")->vars[name] = value;
  const auto run = CompileText(text, options, inventory);
  EXPECT_TRUE(run) << (run ? "" : Format(run.error()));
  return run ? run->connections.at("lb1") : HostConnection{};
}

TEST(Connection, DefaultsLeaveTheRestToSshConfig) {
  const auto connection = ConnectionOf({});
  EXPECT_EQ(connection.kind, HostConnection::Kind::kSsh);
  EXPECT_EQ(connection.address, "10.0.0.11");
  EXPECT_FALSE(connection.port);
  EXPECT_EQ(connection.user, "");
  EXPECT_FALSE(connection.become);
}

TEST(Connection, LegacySpellingsWin) {
  const auto connection = ConnectionOf({{"ansible_host", "new"},
                                        {"ansible_ssh_host", "old"},
                                        {"ansible_port", 1},
                                        {"ansible_ssh_port", "2222"},
                                        {"ansible_user", "new"},
                                        {"ansible_ssh_user", "old"}});
  EXPECT_EQ(connection.address, "old");
  EXPECT_EQ(connection.port, 2222);
  EXPECT_EQ(connection.user, "old");
}

TEST(Connection, InventoryBeatsPlayAndPlayBeatsCommandLine) {
  CompileOptions options;
  options.remote_user = "cli";
  const std::string play = "- hosts: lb1\n  remote_user: play\n  tasks: []\n";
  EXPECT_EQ(ConnectionOf({}, kPlay, options).user, "cli");
  EXPECT_EQ(ConnectionOf({}, play, options).user, "play");
  EXPECT_EQ(ConnectionOf({{"ansible_user", "{{ vip }}"}}, play, options).user, "10.0.0.100");
  options.extra_vars = Value{{"ansible_user", "extra"}};
  EXPECT_EQ(ConnectionOf({{"ansible_user", "inventory"}}, play, options).user, "extra");
}

TEST(Connection, RetriesAreAnsiblesVariableOrTheCommandLines) {
  CompileOptions options;
  options.connect_retries = 2;
  EXPECT_EQ(ConnectionOf({}, kPlay, options).connect_retries, 2);
  EXPECT_EQ(ConnectionOf({{"ansible_ssh_retries", "5"}}, kPlay, options).connect_retries, 5);
}

TEST(Connection, AnyBecomeElevatesTheSession) {
  EXPECT_TRUE(ConnectionOf({{"ansible_become", "yes"}}).become);
  EXPECT_TRUE(ConnectionOf({}, "- hosts: lb1\n  become: true\n  tasks: []\n").become);
  EXPECT_TRUE(
      ConnectionOf({}, "- hosts: lb1\n  tasks:\n    - command: ls\n      become: true\n").become);
  CompileOptions options;
  options.become = true;
  options.become_password = "secret";
  EXPECT_TRUE(ConnectionOf({}, kPlay, options).become);
  EXPECT_EQ(ConnectionOf({}, kPlay, options).become_password, "secret");
}

TEST(Connection, WhatCannotBeCarriedOutIsAnError) {
  const auto errors = [](const Value& vars, const std::string& text = kPlay) {
    auto inventory = SmallCluster();
    for (const auto& [name, value] : vars.items()) inventory.FindHost("lb1")->vars[name] = value;
    return CompileErrors(text, {}, inventory);
  };
  EXPECT_EQ(errors({{"ansible_port", 70000}}),
            "host \"lb1\": ansible_port takes a number from 1 to 65535, not 70000");
  EXPECT_EQ(errors({{"ansible_connection", "winrm"}}),
            "host \"lb1\": ansible_connection \"winrm\" is not carried out by this version [known "
            "are ssh and local]");
  EXPECT_EQ(errors({{"ansible_become", true}, {"ansible_become_user", "nobody"}}),
            "host \"lb1\": Drover becomes root and nobody else, not \"nobody\" "
            "(ansible_become_user)");
  EXPECT_EQ(errors({}, "- hosts: lb1\n  tasks: []\n- hosts: lb1\n  remote_user: x\n  tasks: []\n"),
            "site.yml:3:3: host \"lb1\" would be reached in another way than in an earlier play "
            "(user, address, port or connection) [give the host the same connection in all plays, "
            "best in the inventory]");
}

TEST(Connection, SettingsWithoutEffectAreWarnedAbout) {
  auto inventory = SmallCluster();
  inventory.FindHost("lb1")->vars["ansible_ssh_common_args"] = "-o X=y";
  const auto run = CompileText(kPlay, {}, inventory);
  ASSERT_TRUE(run);
  ASSERT_EQ(run->warnings.size(), 1U);
  EXPECT_EQ(run->warnings[0].message,
            "host \"lb1\": ansible_ssh_common_args has no effect, because Drover runs no ssh "
            "command");
}

}  // namespace
}  // namespace drover
