#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/orchestrator/compile/cluster.h"

namespace drover {
namespace {

using Words = std::vector<std::string>;

TEST(CommandModule, TakesTextArgvAndOptions) {
  EXPECT_EQ(ActionOf<CommandTask>("command: echo 'a b' {{ vip }}").argv,
            (Words{"echo", "a b", "10.0.0.100"}));
  const auto options = ActionOf<CommandTask>("command: touch x creates=/a/x chdir=/a");
  EXPECT_EQ(options.argv, (Words{"touch", "x"}));
  EXPECT_EQ(options.creates, "/a/x");
  EXPECT_EQ(options.chdir, "/a");
  const auto mapping =
      ActionOf<CommandTask>("command: {argv: [echo, 5, 'a b'], stdin: hello, removes: /y}");
  EXPECT_EQ(mapping.argv, (Words{"echo", "5", "a b"}));
  EXPECT_EQ(mapping.stdin_text, "hello\n");
  EXPECT_EQ(mapping.removes, "/y");
  EXPECT_TRUE(mapping.reports_change);
  EXPECT_EQ(CompileErrors(OneTask("command: {chdir: /}")),
            "site.yml:3:7: module \"command\" names no command [write the command behind "
            "\"command:\", or give \"cmd\" or \"argv\"]");
  EXPECT_EQ(CompileErrors(OneTask("command: echo 'open")), "site.yml:3:16: quote is never closed");
}

TEST(PackageModule, TakesNamesAndStates) {
  const auto task = ActionOf<PackageTask>("apt: {name: 'a, b', state: latest, update_cache: yes}");
  EXPECT_EQ(task.names, (Words{"a", "b"}));
  EXPECT_EQ(task.state, PackageState::kLatest);
  EXPECT_TRUE(task.update_cache);
  EXPECT_EQ(CompileErrors(OneTask("package: {name: a, state: newest}")),
            "site.yml:3:33: unknown state \"newest\" of module \"package\" [one of: present, "
            "installed, absent, removed, latest]");
  EXPECT_EQ(CompileErrors(OneTask("package: {name: --help}")),
            "site.yml:3:23: \"--help\" is no name of a package");
}

TEST(ServiceModule, TakesStateAndEnabled) {
  const auto task = ActionOf<ServiceTask>("systemd: {name: nginx, state: restarted, enabled: no}");
  EXPECT_EQ(task.name, "nginx");
  EXPECT_EQ(task.state, ServiceState::kRestarted);
  EXPECT_EQ(task.enabled, false);
  EXPECT_EQ(CompileErrors(OneTask("service: {name: nginx}")),
            "site.yml:3:7: module \"service\" needs \"state\" or \"enabled\"");
}

TEST(WaitForModule, WaitsForPortsAndPaths) {
  const auto port = ActionOf<WaitForTask>("wait_for: {port: 80, timeout: 20}");
  EXPECT_EQ(port.endpoint->ToString(), "127.0.0.1:80");
  EXPECT_TRUE(port.present);
  EXPECT_EQ(port.timeout, std::chrono::seconds(20));
  const auto path = ActionOf<WaitForTask>("wait_for: {path: /x, state: absent, sleep: 500ms}");
  EXPECT_EQ(path.path, "/x");
  EXPECT_FALSE(path.present);
  EXPECT_EQ(path.interval, std::chrono::milliseconds(500));
  EXPECT_EQ(ActionOf<WaitForTask>("wait_for: {host: rs1, port: 80}").endpoint->ToString(),
            "10.0.0.21:80");
  EXPECT_EQ(CompileErrors(OneTask("wait_for: {port: 0}")),
            "site.yml:3:24: \"port\" of module \"wait_for\" takes a number from 1 to 65535, not 0");
  EXPECT_EQ(CompileErrors(OneTask("wait_for: {timeout: 3}")),
            "site.yml:3:7: module \"wait_for\" needs \"port\" or \"path\"");
}

TEST(CopyModule, TakesContentAndAttributes) {
  const auto task = ActionOf<FileTask>(
      "copy: {content: 'vip {{ vip }}', dest: /etc/x, owner: root, mode: 0640, backup: yes}");
  EXPECT_EQ(task.dest, "/etc/x");
  EXPECT_EQ(task.content, "vip 10.0.0.100");
  EXPECT_EQ(task.attributes.owner, "root");
  EXPECT_EQ(task.attributes.mode, 0640U);
  EXPECT_TRUE(task.backup);
  EXPECT_EQ(CompileErrors(OneTask("copy: {content: x, dest: etc/x}")),
            "site.yml:3:32: \"dest\" takes an absolute path, not \"etc/x\"");
  EXPECT_EQ(CompileErrors(OneTask("copy: {content: x, dest: /etc/x, validate: 'nginx -t'}")),
            "site.yml:3:50: \"validate\" must hold %s, which stands for the new file");
  EXPECT_EQ(CompileErrors(OneTask("copy: {dest: /etc/x}")),
            "site.yml:3:7: module \"copy\" needs \"src\" or \"content\"");
}

TEST(CopyModule, ModesAreOctal) {
  const auto mode = [](const std::string& text) {
    return ActionOf<FileTask>("copy: {content: x, dest: /x, mode: " + text + "}").attributes.mode;
  };
  EXPECT_EQ(mode("0644"), 0644U);
  EXPECT_EQ(mode("'0644'"), 0644U);
  EXPECT_EQ(mode("'644'"), 0644U);
  EXPECT_EQ(mode("'4755'"), 04755U);
  EXPECT_EQ(CompileErrors(OneTask("copy: {content: x, dest: /x, mode: 644}")),
            "site.yml:3:42: mode 644 is a decimal number, not octal [write 0644 or \"0644\"]");
  EXPECT_EQ(
      CompileErrors(OneTask("copy: {content: x, dest: /x, mode: 'u=rw'}")),
      "site.yml:3:42: \"mode\" takes an octal number such as \"0644\", not \"u=rw\" [symbolic "
      "modes are not carried out by this version]");
  EXPECT_EQ(CompileErrors(OneTask("copy: {content: x, dest: /x, mode: '99999'}")).substr(0, 13),
            "site.yml:3:42");
}

// A playbook in a folder of its own, with files beside it.
class FileModules : public testing::Test {
 protected:
  FileModules() {
    std::string name = testing::TempDir() + "drover-compile-XXXXXX";
    folder_ = mkdtemp(name.data()) == nullptr ? "" : name;
  }
  ~FileModules() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = folder_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  [[nodiscard]] Parsed<CompiledRun> Run(const std::string& task) const {
    Write("site.yml", OneTask(task));
    const auto playbook = LoadPlaybook(folder_ + "/site.yml");
    if (!playbook) return Wrong(playbook.error());
    return Compile(*playbook, SmallCluster(), {});
  }

  [[nodiscard]] FileTask File(const std::string& task) const {
    const auto run = Run(task);
    EXPECT_TRUE(run) << (run ? "" : Format(run.error()));
    if (!run) return {};
    const auto& work = run->plays[0].tasks[0].hosts.at("lb1")[0].action;
    return std::get<FileTask>(std::get<Task>(work).action);
  }

  std::string folder_;
};

TEST_F(FileModules, SourcesStandInTheirFolderOrBesideThePlaybook) {
  Write("files/a.txt", std::string("in\0files", 8));
  Write("a.txt", "beside");
  Write("b.txt", "b");
  EXPECT_EQ(File("copy: {src: a.txt, dest: /etc/}").content, std::string("in\0files", 8));
  EXPECT_EQ(File("copy: {src: a.txt, dest: /etc/}").dest, "/etc/a.txt");
  EXPECT_EQ(File("copy: {src: b.txt, dest: /etc/b}").content, "b");
}

TEST_F(FileModules, TemplatesAreRenderedForTheHost) {
  Write("templates/t.conf.j2",
        "# {{ inventory_hostname }}\n{% for h in groups['real_servers'] %}\n"
        "server {{ hostvars[h].ansible_host }};\n{% endfor %}\n");
  const auto task = File("template: {src: t.conf.j2, dest: /etc/}");
  EXPECT_EQ(task.dest, "/etc/t.conf");
  EXPECT_EQ(task.content, "# lb1\nserver 10.0.0.21;\nserver 10.0.0.22;\nserver 10.0.0.23;\n");
}

TEST_F(FileModules, ErrorsInTemplatesPointIntoTheTemplate) {
  Write("templates/t.j2", "one\ntwo {{ nope }}\n");
  const auto run = Run("template: {src: t.j2, dest: /x}");
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error()[0].place.file->name, folder_ + "/templates/t.j2");
  EXPECT_EQ(run.error()[0].place.line, 2);
  EXPECT_EQ(run.error()[0].place.column, 8);
}

TEST_F(FileModules, MissingFilesAndFoldersAreErrors) {
  const auto missing = Run("copy: {src: zzz, dest: /x}");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error()[0].message.find("there is no file \"zzz\""), std::string::npos);
  EXPECT_EQ(missing.error()[0].place.column, 19);
  Write("files/d/x", "");
  const auto folder = Run("copy: {src: d, dest: /x}");
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error()[0].message.find("is a directory"), std::string::npos);
}

TEST_F(FileModules, TheHashCoversEveryFileRead) {
  Write("files/a.txt", "one");
  const auto first = Run("copy: {src: a.txt, dest: /x}");
  Write("files/a.txt", "two");
  const auto second = Run("copy: {src: a.txt, dest: /x}");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->playbook_hash.size(), 64U);
  EXPECT_NE(first->playbook_hash, second->playbook_hash);
  EXPECT_EQ(first->owner, "site");
}

}  // namespace
}  // namespace drover
