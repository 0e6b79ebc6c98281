#include <gtest/gtest.h>

#include "orchestrator/playbook/load.h"
#include "orchestrator/playbook/modules.h"

namespace drover {
namespace {

using Files = std::map<std::string, std::string>;

Parsed<Playbook> Read(const std::string& text, const Files& files = {}) {
  const auto file = std::make_shared<SourceFile>(SourceFile{"p/site.yml", text});
  return ReadPlaybook(file, [&](const std::string& path) -> Parsed<SourceFilePtr> {
    const auto found = files.find(path);
    if (found == files.end()) return Wrong(Place{}, "no such file " + path);
    return SourceFilePtr(std::make_shared<SourceFile>(SourceFile{path, found->second}));
  });
}

// "line:column message [hint]" of every diagnostic, one per line.
std::string Errors(const std::string& text, const Files& files = {}) {
  const auto playbook = Read(text, files);
  if (playbook) return "no error";
  std::string all;
  for (const auto& d : playbook.error()) {
    all += std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " " + d.message;
    if (!d.hint.empty()) all += " [" + d.hint + "]";
    all += "\n";
  }
  return all;
}

TEST(PlaybookReader, PlaysAndTasksKeepTheirKeywords) {
  const auto playbook = Read(R"(
- name: Web
  hosts: web
  become: yes
  tags: [all_of_it]
  gather_facts: no
  remote_user: ops
  order: reverse_sorted
  vars: {a: 1}
  vars_files: [more.yml]
  tasks:
    - name: First
      ansible.builtin.command: echo "{{ a }}"
      changed_when: false
      when: a == 1
      tags: x, y
      timeout: 30
    - apt: name=nginx state=present
      ignore_errors: true
      no_log: true
      loop: [1, 2]
      loop_control: {loop_var: n, label: "no {{ n }}"}
)",
                             {{"p/more.yml", "b: 2\n"}});
  ASSERT_TRUE(playbook) << Format(playbook.error());
  ASSERT_EQ(playbook->plays.size(), 1U);
  const Play& play = playbook->plays[0];
  EXPECT_EQ(play.name, "Web");
  EXPECT_TRUE(play.keywords.become);
  EXPECT_EQ(play.remote_user, "ops");
  EXPECT_EQ(play.order, Play::Order::kReverseSorted);
  ASSERT_EQ(play.vars_files.size(), 1U);
  EXPECT_EQ(ToValue(play.vars_files[0]).dump(), R"({"b":2})");
  ASSERT_EQ(play.tasks.size(), 2U);
  const PlaybookTask& first = play.tasks[0];
  EXPECT_EQ(first.module, "command");
  EXPECT_EQ(first.free_form->scalar, "echo \"{{ a }}\"");
  EXPECT_FALSE(first.reports_change);
  EXPECT_EQ(first.keywords.tags, (std::vector<std::string>{"x", "y", "all_of_it"}));
  EXPECT_EQ(first.timeout, std::chrono::seconds(30));
  const PlaybookTask& second = play.tasks[1];
  EXPECT_EQ(second.module, "package");
  EXPECT_EQ(ToValue(second.arguments).dump(), R"({"name":"nginx","state":"present"})");
  EXPECT_TRUE(second.keywords.ignore_errors.value_or(false));
  EXPECT_TRUE(second.keywords.no_log.value_or(false));
  EXPECT_EQ(second.loop->variable, "n");
  EXPECT_EQ(playbook->files.size(), 2U);
}

TEST(PlaybookReader, TheShapeOfThePlaybookIsChecked) {
  EXPECT_EQ(Errors("hosts: all\n"),
            "1:1 a playbook is a list of plays, not mapping [begin the play with \"- \"]\n");
  EXPECT_EQ(Errors("- 5\n"), "1:3 a play is a mapping, not integer\n");
  EXPECT_EQ(Errors("- name: x\n"), "1:3 the play has no \"hosts\"\n");
  EXPECT_EQ(Errors("- hosts: a\n  tasks: 5\n"),
            "2:10 \"tasks\" takes a list of tasks, not integer\n");
  EXPECT_EQ(Errors("- hosts: a\n  tasks: [command]\n"),
            "2:11 a task is a mapping with a module's name as key, not string\n");
  EXPECT_EQ(Errors("- hosts: {a: b}\n"), "1:10 \"hosts\" takes a pattern or a list of patterns\n");
  EXPECT_EQ(Errors("[]"), "0:0 the playbook has no plays\n");
}

PlayPolicy PolicyOf(const std::string& keywords) {
  const auto playbook = Read("- hosts: a\n" + keywords);
  EXPECT_TRUE(playbook) << keywords;
  return playbook ? playbook->plays[0].policy : PlayPolicy{};
}

TEST(PlaybookReader, SerialTakesNumbersPercentagesAndLists) {
  using Sizes = std::vector<BatchSize>;
  EXPECT_EQ(PolicyOf("  serial: 2\n").serial, (Sizes{{2, false}}));
  EXPECT_EQ(PolicyOf("  serial: \"30%\"\n").serial, (Sizes{{30, true}}));
  EXPECT_EQ(PolicyOf("  serial: [1, \"5\", 100%]\n").serial,
            (Sizes{{1, false}, {5, false}, {100, true}}));
  EXPECT_EQ(PolicyOf("  serial: -1\n").serial, (Sizes{{0, false}}));
  EXPECT_EQ(PolicyOf("  max_fail_percentage: 20\n").max_fail_percentage, 20);
  EXPECT_TRUE(PolicyOf("  any_errors_fatal: yes\n").any_errors_fatal);
}

TEST(PlaybookReader, AnUpdateBlockHasNomadsNames) {
  const PlayPolicy policy = PolicyOf(
      "  update: {max_parallel: 25%, canary: 1, hold: 30s, min_healthy_time: 5s,\n"
      "           healthy_deadline: 2m, stagger: 1s}\n");
  UpdatePolicy want;
  want.max_parallel = {25, true};
  want.canary = 1;
  want.hold = std::chrono::seconds(30);
  want.min_healthy_time = std::chrono::seconds(5);
  want.healthy_deadline = std::chrono::minutes(2);
  want.stagger = std::chrono::seconds(1);
  EXPECT_EQ(policy.update, want);
  EXPECT_TRUE(PolicyOf("  update: {canary: 1, hold: manual}\n").update->hold_for_operator);
}

TEST(PlaybookReader, WrongPortionsAreNamedAtTheirPlaces) {
  EXPECT_EQ(Errors("- hosts: a\n  serial: many\n"),
            "2:11 \"serial\" takes a number of hosts or a percentage as in \"30%\"\n");
  EXPECT_EQ(Errors("- hosts: a\n  max_fail_percentage: 101\n"),
            "2:24 \"max_fail_percentage\" takes a number from 0 to 100\n");
  EXPECT_EQ(Errors("- hosts: a\n  update: {canery: 1}\n"),
            "2:12 unknown key \"canery\" of \"update\" [did you mean \"canary\"?]\n");
  EXPECT_EQ(Errors("- hosts: a\n  update: {hold: 5s}\n"),
            "2:11 \"hold\" needs a \"canary\" behind which it holds\n");
}

TEST(PlaybookReader, UnknownKeywordsAreNamedWithTheNearestOne) {
  EXPECT_EQ(Errors("- host: a\n"),
            "1:3 unknown keyword \"host\" of a play [did you mean \"hosts\"?]\n"
            "1:3 the play has no \"hosts\"\n");
  EXPECT_EQ(Errors("- hosts: a\n  tasks:\n    - command: ls\n      wen: true\n"),
            "4:7 unknown keyword \"wen\" [did you mean \"when\"?]\n");
}

TEST(PlaybookReader, AnsiblesOtherKeywordsAreNamedAsSuch) {
  EXPECT_EQ(Errors("- hosts: a\n  strategy: free\n"),
            "2:3 keyword \"strategy\" is an Ansible keyword that this version of Drover does not "
            "carry out\n");
  EXPECT_EQ(Errors("- hosts: a\n  tasks:\n    - command: ls\n      register: x\n"),
            "4:7 keyword \"register\" is an Ansible keyword that this version of Drover does not "
            "carry out [no later task can depend on a result yet; wait_for waits for ports and "
            "paths]\n");
  EXPECT_EQ(Errors("- hosts: a\n  tasks:\n    - command: ls\n      with_dict: {}\n"),
            "4:7 keyword \"with_dict\" is an Ansible keyword that this version of Drover does not "
            "carry out [use loop]\n");
}

TEST(PlaybookReader, ModulesAreKnownByNameAndByTheirKeys) {
  struct Row {
    const char* task;
    const char* want;
  };
  const std::vector<Row> rows = {
      {"virtual_servce: {}",
       "3:7 unknown module \"virtual_servce\" [did you mean "
       "\"virtual_service\"?]\n"},
      {"shell: ls",
       "3:7 Drover runs no shell [use command; a script can be put there with copy "
       "and run with command]\n"},
      {"debug: {msg: x}",
       "3:7 module \"debug\" is an Ansible module that this version of Drover does not carry out "
       "[use command, or do this part with Ansible]\n"},
      {"ansible.builtin.vip: {}",
       "3:7 unknown module \"ansible.builtin.vip\" [did you mean "
       "\"vip\"?]\n"},
      {"vip: {adress: 10.0.0.1}",
       "3:13 unknown key \"adress\" of module \"vip\" [did you mean \"address\"?]\n"},
      {"copy: {src: a, dest: /b, force: no}",
       "3:32 key \"force\" of module \"copy\" is Ansible's, this version of Drover does not carry "
       "it out\n"},
      {"vip: [1]", "3:12 module \"vip\" takes a mapping, not list\n"},
      {"name: x", "3:7 the task names no module\n"},
      {"copy: src=a b",
       "3:19 \"b\" is no argument of the form key=value [write the arguments as a "
       "mapping below the module's name]\n"},
      {"{command: ls, copy: {src: a, dest: /b}}",
       "3:21 the task names two modules: \"command\" and \"copy\" [begin a new task with \"- "
       "\"]\n"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Errors("- hosts: a\n  tasks:\n    - " + std::string(row.task) + "\n"), row.want)
        << row.task;
  }
}

TEST(PlaybookReader, TemplatesAreCheckedBeforeAnyHostIsLookedAt) {
  EXPECT_EQ(Errors("- hosts: a\n  tasks:\n    - vip: {address: '{{ x | defalt(1) }}'}\n"),
            "3:30 unknown filter \"defalt\" [did you mean \"default\"?]\n");
  EXPECT_EQ(Errors("- hosts: a\n  vars: {b: '{{ x'}\n"),
            "2:14 template tag is never closed: \"}}\" is missing\n");
  EXPECT_EQ(Errors("- hosts: a\n  tasks:\n    - command: ls\n      when: a ==\n"),
            "4:17 expected a value in the template, found end of the expression\n");
}

TEST(PlaybookReader, KeywordsHaveTypes) {
  struct Row {
    const char* line;
    const char* want;
  };
  const std::vector<Row> rows = {
      {"become: maybe", "4:15 keyword \"become\" takes true or false, not string\n"},
      {"become: '{{ x }}'", "4:15 keyword \"become\" takes true or false, not a template\n"},
      {"become_user: nobody", "4:20 Drover becomes root and nobody else, not \"nobody\"\n"},
      {"timeout: -1", "4:16 keyword \"timeout\" takes a number from 0 to 2592000, not -1\n"},
      {"loop: 5", "4:13 \"loop\" takes a list, not integer\n"},
      {"changed_when: x == 1",
       "4:21 \"changed_when\" can be true or false, at module \"command\" only\n"},
      {"vars: [a]", "4:13 \"vars\" takes a mapping of names and values, not list\n"},
      {"vars: {a-b: 1}",
       "4:14 \"a-b\" is no name of a variable [names are made of letters, digits "
       "and \"_\", and begin with no digit]\n"},
      {"loop_control: {label: x}", "4:21 \"loop_control\" stands without \"loop\"\n"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(
        Errors("- hosts: a\n  tasks:\n    - command: ls\n      " + std::string(row.line) + "\n"),
        row.want)
        << row.line;
  }
}

TEST(PlaybookReader, AllErrorsAreSaidAtOnce) {
  EXPECT_EQ(Errors("- hosts: a\n  tasks:\n    - vop: {}\n    - vip: {x: 1}\n- host: b\n"),
            "3:7 unknown module \"vop\" [did you mean \"vip\"?]\n"
            "4:13 unknown key \"x\" of module \"vip\" [one of: address, addresses, interface, "
            "prefix, announce]\n"
            "5:3 unknown keyword \"host\" of a play [did you mean \"hosts\"?]\n"
            "5:3 the play has no \"hosts\"\n");
}

TEST(PlaybookReader, ErrorsInFilesOfVariablesNameTheFile) {
  EXPECT_EQ(Errors("- hosts: a\n  vars_files: [x.yml]\n"), "2:16 no such file p/x.yml\n");
  const auto playbook = Read("- hosts: a\n  vars_files: x.yml\n", {{"p/x.yml", "- 1\n"}});
  ASSERT_FALSE(playbook);
  EXPECT_EQ(playbook.error()[0].place.file->name, "p/x.yml");
  EXPECT_EQ(playbook.error()[0].message, "a file of variables is a mapping, not list");
}

TEST(PlaybookReader, BrokenYamlIsAnErrorWithItsPlace) {
  const auto playbook = Read("- hosts: a\n  tasks: [\n");
  ASSERT_FALSE(playbook);
  EXPECT_GT(playbook.error()[0].place.line, 0);
}

}  // namespace
}  // namespace drover
