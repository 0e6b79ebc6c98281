#include <set>

#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

CompiledRun MustCompile(const std::string& text, const CompileOptions& options = {}) {
  auto run = CompileText(text, options);
  EXPECT_TRUE(run) << (run ? "" : Format(run.error()));
  return run ? std::move(*run) : CompiledRun{};
}

std::vector<std::string> TaskNames(const CompiledPlay& play) {
  std::vector<std::string> names;
  for (const auto& task : play.tasks) names.push_back(task.name);
  return names;
}

constexpr const char* kPrune = "Settle: kept across reboots, what left the playbook removed";

TEST(CompiledRun, ConditionsSkipHostsWithTheirReason) {
  const auto run = MustCompile(
      "- hosts: directors\n  tasks:\n    - vip: {address: '{{ vip }}', interface: eth0}\n"
      "      when: inventory_hostname == groups['directors'][0]\n");
  const auto& hosts = run.plays[0].tasks[0].hosts;
  EXPECT_TRUE(std::holds_alternative<Task>(hosts.at("lb1")[0].action));
  EXPECT_EQ(std::get<std::string>(hosts.at("lb2")[0].action),
            "when: inventory_hostname == groups['directors'][0]");
  EXPECT_TRUE(run.states.at("lb2").empty());
}

TEST(CompiledRun, ArgumentsOfSkippedTasksAreNotWorkedOut) {
  const auto run = MustCompile(
      "- hosts: lb1\n  tasks:\n    - command: '{{ nope }}'\n      when: nope is defined\n");
  EXPECT_EQ(std::get<std::string>(run.plays[0].tasks[0].hosts.at("lb1")[0].action),
            "when: nope is defined");
}

TEST(CompiledRun, LoopsMakeOneRoundPerItem) {
  const auto run = MustCompile(
      "- hosts: lb1\n  tasks:\n    - command: 'echo {{ n.a }} {{ i }}'\n      loop: [{a: 1}, {a: "
      "2}]\n"
      "      loop_control: {loop_var: n, index_var: i, label: 'no {{ n.a }}'}\n"
      "      when: n.a != 2\n"
      "    - command: 'echo {{ item }}'\n      with_items: []\n");
  const auto& rounds = run.plays[0].tasks[0].hosts.at("lb1");
  ASSERT_EQ(rounds.size(), 2U);
  EXPECT_EQ(rounds[0].item, "no 1");
  EXPECT_EQ(std::get<CommandTask>(std::get<Task>(rounds[0].action).action).argv,
            (std::vector<std::string>{"echo", "1", "0"}));
  EXPECT_TRUE(std::holds_alternative<std::string>(rounds[1].action));
  EXPECT_EQ(std::get<std::string>(run.plays[0].tasks[1].hosts.at("lb1")[0].action),
            "the loop has no items");
}

TEST(CompiledRun, ItemsOfSecretTasksAreNotShown) {
  const auto run = MustCompile(
      "- hosts: lb1\n  tasks:\n    - command: ls\n      loop: [secret]\n      no_log: true\n");
  EXPECT_EQ(run.plays[0].tasks[0].hosts.at("lb1")[0].item, "(censored due to no_log)");
}

TEST(CompiledRun, VariablesFollowAnsiblesOrder) {
  CompileOptions options;
  options.extra_vars = Value{{"c", "extra"}};
  const auto run = MustCompile(
      "- hosts: lb1\n  vars: {vip: play, b: play, c: play}\n  tasks:\n"
      "    - command: 'echo {{ vip }} {{ b }} {{ c }}'\n      vars: {b: task, c: task}\n",
      options);
  const auto& task = std::get<Task>(run.plays[0].tasks[0].hosts.at("lb1")[0].action);
  EXPECT_EQ(std::get<CommandTask>(task.action).argv,
            (std::vector<std::string>{"echo", "play", "task", "extra"}));
}

TEST(CompiledRun, MagicVariablesAreThere) {
  const auto run = MustCompile(
      "- hosts: real_servers\n  tasks:\n    - command: \"echo {{ inventory_hostname }} {{ "
      "group_names "
      "| join }} {{ play_hosts | length }} {{ hostvars['lb1'].ansible_host }} {{ "
      "ansible_check_mode }} {{ playbook_dir }} {{ groups['all'] | length }}\"\n");
  const auto& task = std::get<Task>(run.plays[0].tasks[0].hosts.at("rs2")[0].action);
  EXPECT_EQ(std::get<CommandTask>(task.action).argv,
            (std::vector<std::string>{"echo", "rs2", "real_servers", "3", "10.0.0.11", "False", ".",
                                      "6"}));
}

TEST(CompiledRun, TagsLeaveTasksOutButNotTheirState) {
  const std::string text =
      "- hosts: lb1\n  tasks:\n    - sysctl: {net.ipv4.ip_forward: 1}\n      tags: net\n"
      "    - command: '{{ undefined_when_left_out }}'\n      tags: never\n"
      "    - vip: {address: '{{ vip }}', interface: eth0}\n      tags: vip\n";
  CompileOptions options;
  options.tags = {"vip"};
  const auto run = MustCompile(text, options);
  EXPECT_EQ(TaskNames(run.plays[0]), (std::vector<std::string>{"vip", kPrune}));
  EXPECT_EQ(run.states.at("lb1").sysctls.size(), 1U);
  EXPECT_EQ(run.states.at("lb1").addresses.size(), 1U);
}

TEST(CompiledRun, PruningEndsTheLastPlayWithClusterTasksOfEachHost) {
  const auto run = MustCompile(
      "- hosts: lb1\n  tasks:\n    - sysctl: {net.ipv4.ip_forward: 1}\n"
      "- hosts: all\n  tasks:\n    - command: ls\n"
      "- hosts: rs1\n  tasks:\n    - command: ls\n");
  ASSERT_EQ(TaskNames(run.plays[0]), (std::vector<std::string>{"sysctl", kPrune}));
  ASSERT_EQ(TaskNames(run.plays[1]), (std::vector<std::string>{"command", kPrune}));
  ASSERT_EQ(TaskNames(run.plays[2]), (std::vector<std::string>{"command", kPrune}));
  const auto& prune = run.plays[0].tasks[1];
  EXPECT_TRUE(prune.implicit);
  const auto& task = std::get<Task>(prune.hosts.at("lb1")[0].action);
  EXPECT_EQ(std::get<PruneTask>(task.action).whole, run.states.at("lb1"));
  EXPECT_FALSE(run.plays[1].tasks[1].hosts.contains("lb1"));
  EXPECT_FALSE(run.plays[1].tasks[1].hosts.contains("rs1"));
  EXPECT_TRUE(run.plays[1].tasks[1].hosts.contains("rs2"));
  EXPECT_TRUE(run.plays[2].tasks[1].hosts.contains("rs1"));
}

TEST(CompiledRun, TaskNumbersAreUniqueInTheWholeRun) {
  const auto run = MustCompile(
      "- hosts: all\n  tasks:\n    - command: ls\n      loop: [1, 2]\n- hosts: lb1\n  tasks:\n    "
      "- "
      "command: ls\n");
  std::set<std::uint32_t> ids;
  std::size_t count = 0;
  for (const auto& play : run.plays) {
    for (const auto& task : play.tasks) {
      for (const auto& [host, rounds] : task.hosts) {
        for (const auto& round : rounds) {
          ids.insert(std::get<Task>(round.action).id);
          ++count;
        }
      }
    }
  }
  EXPECT_EQ(count, 6U * 2 + 1 + 6);
  EXPECT_EQ(ids.size(), count);
}

TEST(CompiledRun, LimitNarrowsPlaysAndMayEmptySome) {
  CompileOptions options;
  options.limit = "rs2";
  const auto run = MustCompile(
      "- hosts: directors\n  tasks:\n    - command: ls\n- hosts: real_servers\n  tasks:\n    - "
      "command: ls\n",
      options);
  EXPECT_TRUE(run.plays[0].hosts.empty());
  EXPECT_EQ(run.plays[1].hosts, std::vector<std::string>{"rs2"});
  EXPECT_EQ(run.connections.size(), 1U);
  EXPECT_EQ(CompileErrors("- hosts: directors\n  tasks: []\n", options),
            "--limit \"rs2\" leaves no host of the playbook");
}

TEST(CompiledRun, KeywordsReachTheTasks) {
  CompileOptions options;
  options.check = true;
  const auto run = MustCompile(
      "- hosts: lb1\n  no_log: true\n  tasks:\n    - name: Say {{ vip }}\n      command: ls\n"
      "      changed_when: false\n      ignore_errors: yes\n      timeout: 5\n"
      "    - command: ls\n      no_log: false\n      check_mode: false\n      diff: true\n",
      options);
  const auto& first = run.plays[0].tasks[0];
  EXPECT_EQ(first.name, "Say 10.0.0.100");
  EXPECT_TRUE(first.secret);
  const auto& task = std::get<Task>(first.hosts.at("lb1")[0].action);
  EXPECT_EQ(task.name, "Say 10.0.0.100");
  EXPECT_TRUE(task.check && task.secret && task.ignore_errors);
  EXPECT_EQ(task.timeout, std::chrono::seconds(5));
  EXPECT_FALSE(std::get<CommandTask>(task.action).reports_change);
  const auto& second = std::get<Task>(run.plays[0].tasks[1].hosts.at("lb1")[0].action);
  EXPECT_FALSE(second.check || second.secret);
  EXPECT_TRUE(second.diff);
}

TEST(CompiledRun, HostsMayBeATemplateOfExtraVariables) {
  CompileOptions options;
  options.extra_vars = Value{{"target", "rs1"}};
  EXPECT_EQ(MustCompile("- hosts: '{{ target }}'\n  tasks: []\n", options).plays[0].hosts,
            std::vector<std::string>{"rs1"});
  EXPECT_EQ(CompileErrors("- hosts: '{{ target }}'\n  tasks: []\n"),
            "site.yml:1:14: undefined variable \"target\"");
}

TEST(CompiledRun, OrderAndRunOnce) {
  const auto run = MustCompile(
      "- hosts: real_servers\n  order: reverse_sorted\n  tasks:\n    - command: ls\n      "
      "run_once: "
      "true\n");
  EXPECT_EQ(run.plays[0].hosts, (std::vector<std::string>{"rs3", "rs2", "rs1"}));
  ASSERT_EQ(run.plays[0].tasks[0].hosts.size(), 1U);
  EXPECT_TRUE(run.plays[0].tasks[0].hosts.contains("rs3"));
}

TEST(CompiledRun, WarnsOfDirectorsThatComeBeforeTheirRealServers) {
  const std::string servers =
      "- hosts: real_servers\n  tasks:\n    - real_server: {vip: 10.0.0.100}\n";
  const std::string directors =
      "- hosts: lb1\n  tasks:\n    - virtual_service: {address: \"10.0.0.100:80\", "
      "real_servers: [rs1, rs2]}\n";
  const auto late = [](const CompiledRun& run) {
    std::string names;
    for (const Diagnostic& warning : run.warnings) {
      if (warning.message.find("before a later play") != std::string::npos) {
        names += warning.message.find("rs1") != std::string::npos ? "rs1 " : "rs2 ";
      }
    }
    return names;
  };
  EXPECT_EQ(late(MustCompile(directors + servers)), "rs1 rs2 ");
  EXPECT_EQ(late(MustCompile(servers + directors)), "");
}

}  // namespace
}  // namespace drover
