#include "orchestrator/run/command_line.h"

#include <gtest/gtest.h>

#include <map>

namespace drover {
namespace {

Environment Env(std::map<std::string, std::string> values) {
  return [values](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

CommandLineOrExit Parse(const std::vector<std::string>& arguments,
                        std::map<std::string, std::string> environment = {}) {
  return ParseCommandLine("rollout", "help", arguments, Env(std::move(environment)));
}

TEST(CommandLine, TakesAnsiblesOptions) {
  const auto [line, exit] = Parse({"site.yml", "-i",
                                   "a.yml",    "-i",
                                   "b,",       "-l",
                                   "web",      "-t",
                                   "x,y",      "-t",
                                   "z",        "--skip-tags",
                                   "s",        "-e",
                                   "a=1",      "-e",
                                   "{b: 2}",   "-C",
                                   "-D",       "-f",
                                   "3",        "-vvv",
                                   "-u",       "root",
                                   "-b",       "--private-key",
                                   "id",       "-T",
                                   "5",        "--accept-new-host-keys",
                                   "--output", "json"});
  ASSERT_FALSE(exit);
  EXPECT_EQ(line.playbook, "site.yml");
  EXPECT_EQ(line.inventories, (std::vector<std::string>{"a.yml", "b,"}));
  EXPECT_EQ(line.limit, "web");
  EXPECT_EQ(line.tags, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(line.skip_tags, std::vector<std::string>{"s"});
  EXPECT_EQ(line.extra_vars, (std::vector<std::string>{"a=1", "{b: 2}"}));
  EXPECT_TRUE(line.check);
  EXPECT_TRUE(line.diff);
  EXPECT_EQ(line.forks, 3);
  EXPECT_EQ(line.verbosity, 3);
  EXPECT_EQ(line.remote_user, "root");
  EXPECT_TRUE(line.become);
  EXPECT_EQ(line.private_key_file, "id");
  EXPECT_EQ(line.timeout, 5);
  EXPECT_TRUE(line.accept_new_host_keys);
  EXPECT_EQ(line.output, "json");
}

TEST(CommandLine, PlaybookMayStandBehindTheOptions) {
  const auto [line, exit] = Parse({"-i", "a.yml", "-C", "site.yml"});
  ASSERT_FALSE(exit);
  EXPECT_EQ(line.playbook, "site.yml");
  EXPECT_EQ(line.inventories, std::vector<std::string>{"a.yml"});
}

TEST(CommandLine, InventoryComesFromTheEnvironmentWhenNotGiven) {
  struct Case {
    std::map<std::string, std::string> environment;
    std::vector<std::string> want;
  };
  const std::vector<Case> cases = {
      {{}, {}},
      {{{"ANSIBLE_INVENTORY", "a.yml"}}, {"a.yml"}},
      {{{"ANSIBLE_INVENTORY", "a.yml,b.yml"}}, {"a.yml", "b.yml"}},
      {{{"ANSIBLE_INVENTORY", "h1,h2,"}}, {"h1,h2,"}},
      {{{"ANSIBLE_INVENTORY", "a.yml"}, {"DROVER_INVENTORY", "d.yml"}}, {"d.yml"}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Parse({"site.yml"}, c.environment).line.inventories, c.want);
  }
  EXPECT_EQ(Parse({"site.yml", "-i", "x"}, {{"ANSIBLE_INVENTORY", "a"}}).line.inventories,
            std::vector<std::string>{"x"});
}

TEST(CommandLine, MisuseEndsWithOneAndHelpWithZero) {
  for (const std::vector<std::string>& bad : {std::vector<std::string>{},
                                              {"site.yml", "--no-such"},
                                              {"site.yml", "-f", "0"},
                                              {"site.yml", "--output", "xml"},
                                              {"site.yml", "--debug", "everything"},
                                              {"site.yml", "other.yml"}}) {
    testing::internal::CaptureStderr();
    const auto exit = Parse(bad).exit;
    EXPECT_FALSE(testing::internal::GetCapturedStderr().empty());
    EXPECT_EQ(exit, 1);
  }
  testing::internal::CaptureStdout();
  EXPECT_EQ(Parse({"--help"}).exit, 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("--limit"), std::string::npos);
}

TEST(CommandLine, DebugModesAreListedWithoutAPlaybook) {
  EXPECT_TRUE(Parse({"--debug", "list"}).line.debug.contains("list"));
  EXPECT_EQ(Parse({"site.yml", "--debug", "explain,stats"}).line.debug,
            (std::set<std::string>{"explain", "stats"}));
}

TEST(CommandLine, WatchMayStandAloneOrTakeSeconds) {
  const auto watch = [](const std::vector<std::string>& arguments) {
    const auto [line, exit] = ParseCommandLine("status", "help", arguments, Env({}));
    EXPECT_FALSE(exit);
    EXPECT_EQ(line.playbook, "site.yml");
    return line.watch;
  };
  EXPECT_EQ(watch({"site.yml", "-i", "a,"}), std::nullopt);
  EXPECT_EQ(watch({"site.yml", "-i", "a,", "--watch"}), 1.0);
  EXPECT_EQ(watch({"--watch", "site.yml", "-i", "a,"}), 1.0);
  EXPECT_EQ(watch({"--watch", "0.5", "site.yml", "-i", "a,"}), 0.5);
  EXPECT_EQ(watch({"--watch=2", "site.yml", "-i", "a,"}), 2.0);
}

TEST(CommandLine, HandoverHasItsOwnOptionsAndNoneOfARollout) {
  const auto parse = [](const std::vector<std::string>& arguments) {
    return ParseCommandLine("handover", "help", arguments, Env({}));
  };
  const auto [line, exit] =
      parse({"site.yml", "-i", "a,", "--instance", "web", "--back", "--sync-wait", "0"});
  ASSERT_FALSE(exit);
  EXPECT_EQ(line.instance, "web");
  EXPECT_TRUE(line.back);
  EXPECT_EQ(line.sync_wait, 0);
  EXPECT_EQ(parse({"site.yml", "-i", "a,"}).line.sync_wait, 60);
  EXPECT_TRUE(parse({"site.yml", "-i", "a,", "--tags", "x"}).exit);
  EXPECT_TRUE(parse({"site.yml", "-i", "a,", "--sync-wait", "-1"}).exit);
}

TEST(CommandLine, HostsStandBeforeThePlaybook) {
  const auto parse = [](const std::string& command, const std::vector<std::string>& arguments) {
    return ParseCommandLine(command, "help", arguments, Env({}));
  };
  const auto on = parse("maintenance", {"on", "rs1", "rs2", "site.yml", "-i", "hosts", "--drain",
                                        "90s", "--reason", "new disk"});
  ASSERT_FALSE(on.exit);
  EXPECT_EQ(on.line.turn, "on");
  EXPECT_EQ(on.line.hosts, (std::vector<std::string>{"rs1", "rs2"}));
  EXPECT_EQ(on.line.playbook, "site.yml");
  EXPECT_EQ(on.line.drain, std::chrono::seconds(90));
  EXPECT_EQ(on.line.reason, "new disk");
  const auto list = parse("maintenance", {"list", "site.yml"});
  ASSERT_FALSE(list.exit);
  EXPECT_EQ(list.line.playbook, "site.yml");
  const auto add = parse("add", {"-i", "hosts", "rs4", "site.yml", "--host-var", "a=1",
                                 "--host-var", "b=2", "--ready-timeout", "5m"});
  ASSERT_FALSE(add.exit);
  EXPECT_EQ(add.line.hosts, std::vector<std::string>{"rs4"});
  EXPECT_EQ(add.line.host_vars, (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_EQ(add.line.ready_timeout, std::chrono::minutes(5));
  const auto remove = parse("remove", {"rs4", "site.yml", "--drain", "0", "--force"});
  ASSERT_FALSE(remove.exit);
  EXPECT_EQ(remove.line.drain, std::chrono::seconds(0));
  EXPECT_TRUE(remove.line.force);
  const auto replace =
      parse("replace", {"rs3", "rs4", "site.yml", "--update-inventory", "--drain", "10s",
                        "--host-var", "ansible_host=10.0.0.24", "--ready-timeout", "90s"});
  ASSERT_FALSE(replace.exit);
  EXPECT_EQ(replace.line.hosts, (std::vector<std::string>{"rs3", "rs4"}));
  EXPECT_EQ(replace.line.playbook, "site.yml");
  EXPECT_TRUE(replace.line.update_inventory);
  EXPECT_EQ(replace.line.drain, std::chrono::seconds(10));
  EXPECT_EQ(replace.line.ready_timeout, std::chrono::seconds(90));
  EXPECT_EQ(replace.line.host_vars, std::vector<std::string>{"ansible_host=10.0.0.24"});
  const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
      {"replace", {"rs3", "site.yml"}},
      {"replace", {"rs3", "rs3", "site.yml"}},
      {"replace", {"rs2", "rs3", "rs4", "site.yml"}},
      {"maintenance", {"maybe", "rs1", "site.yml"}},
      {"maintenance", {"on", "site.yml"}},
      {"maintenance", {"on"}},
      {"maintenance", {"list", "rs1", "site.yml"}},
      {"add", {"site.yml"}},
      {"remove", {"rs1", "site.yml", "-l", "x"}},
      {"remove", {"rs1", "site.yml", "--drain", "soon"}},
  };
  for (const auto& [command, arguments] : wrong) {
    EXPECT_EQ(parse(command, arguments).exit, 1) << command << " " << arguments.front();
  }
}

}  // namespace
}  // namespace drover
