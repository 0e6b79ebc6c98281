// Commands, packages, waiting, secrets: what RunTask makes of them. Services of the init system are
// in init_system_test.cc.
#include "node-helper/tasks/run_task.h"

#include <gtest/gtest.h>

#include <fstream>

#include "node-helper/tasks/package_task.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

class Tasks : public ::testing::Test {
 protected:
  TaskResult Run(TaskAction action) {
    task_.action = std::move(action);
    return RunTask(task_, course_, context_);
  }
  static CommandTask Shell(const std::string& script) {
    CommandTask command;
    command.argv = {"/bin/sh", "-c", script};
    return command;
  }

  Task task_;
  ProgramCourse course_;
  TaskContext context_;
};

TEST_F(Tasks, CommandThatWorksIsAChangeUnlessSaidOtherwise) {
  CommandTask command = Shell("echo hi");
  TaskResult result = Run(command);
  EXPECT_EQ(result.status, TaskStatus::kChanged);
  EXPECT_EQ(std::get<CommandOutcome>(result.detail).stdout_text, "hi\n");
  command.reports_change = false;
  EXPECT_EQ(Run(command).status, TaskStatus::kOk);
}

TEST_F(Tasks, CommandThatFailsCarriesItsOutput) {
  const TaskResult result = Run(Shell("echo why >&2; exit 4"));
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_EQ(result.message, "non-zero return code");
  EXPECT_EQ(std::get<CommandOutcome>(result.detail).exit_code, 4);
  EXPECT_EQ(std::get<CommandOutcome>(result.detail).stderr_text, "why\n");
}

TEST_F(Tasks, CreatesAndRemovesDecideAlsoInCheckMode) {
  const TempFolder folder;
  std::ofstream(folder / "there");
  CommandTask command = Shell("exit 9");
  command.chdir = folder.path();
  for (const bool check : {false, true}) {
    task_.check = check;
    command.removes = "";
    command.creates = "the*";
    EXPECT_EQ(Run(command).status, TaskStatus::kOk);
    command.creates = "";
    command.removes = folder / "absent";
    EXPECT_EQ(Run(command).status, TaskStatus::kOk);
  }
  command.removes = folder / "there";
  EXPECT_EQ(Run(command).status, TaskStatus::kChanged);  // would run
  EXPECT_TRUE(course_.unknown_changes);
}

TEST_F(Tasks, CheckModeSkipsCommands) {
  const TempFolder folder;
  task_.check = true;
  EXPECT_EQ(Run(Shell("touch " + (folder / "f"))).status, TaskStatus::kSkipped);
  EXPECT_FALSE(std::filesystem::exists(folder / "f"));
}

TEST_F(Tasks, TimeoutIsAFailureThatSaysSo) {
  task_.timeout = std::chrono::milliseconds{30};
  const TaskResult result = Run(Shell("sleep 20"));
  EXPECT_EQ(result.code, ErrorCode::kTimeout);
  EXPECT_EQ(result.message, "/bin/sh: not done after 30 ms, ended");
}

TEST_F(Tasks, SecretLeavesNothingButTheStatus) {
  task_.secret = true;
  const TaskResult result = Run(Shell("echo hunter2; exit 1"));
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_EQ(result.code, ErrorCode::kInvalid);
  EXPECT_EQ(result.message, "the reason is hidden because of no_log");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(result.detail));
  const TempFolder folder;
  FileTask file;
  file.dest = folder / "password";
  file.content = "hunter2";
  EXPECT_TRUE(Run(file).changes.empty());
}

TEST_F(Tasks, WaitingForAPath) {
  const TempFolder folder;
  WaitForTask wait;
  wait.path = folder / "f";
  wait.timeout = std::chrono::milliseconds{20};
  TaskResult result = Run(wait);
  EXPECT_EQ(result.code, ErrorCode::kTimeout);
  EXPECT_EQ(result.message,
            "waited 20 ms for " + wait.path + " to appear: No such file or directory");
  wait.present = false;
  EXPECT_EQ(Run(wait).status, TaskStatus::kOk);
  wait.present = true;
  task_.check = true;
  EXPECT_EQ(Run(wait).status, TaskStatus::kSkipped);
  std::ofstream(folder / "f");
  EXPECT_EQ(Run(wait).status, TaskStatus::kOk);
}

TEST_F(Tasks, WaitingEndsWhenNobodyWaitsForTheResult) {
  context_.abandoned = [] { return true; };
  WaitForTask wait;
  wait.path = "/no/such/file";
  EXPECT_NE(Run(wait).message.find("gave up"), std::string::npos);
}

// A package manager that keeps its packages in memory.
class FakePackages : public PackageManager {
 public:
  Result<Packages> Installed() override { return installed; }
  [[nodiscard]] std::string NameOf(const std::string& wanted) const override {
    return wanted.substr(0, wanted.find('='));
  }
  [[nodiscard]] bool Has(const Packages& have, const std::string& wanted) const override {
    return have.contains(NameOf(wanted));
  }
  Status UpdateLists() override {
    ++updates;
    return {};
  }
  Result<Packages> WouldInstall(const std::vector<std::string>& names) override {
    Packages would;
    for (const std::string& name : names) {
      const auto found = available.find(name);
      if (found == available.end()) {
        return Fail(ErrorCode::kInternal, "apt-get: E: Unable to locate package " + name);
      }
      if (!installed.contains(name) || installed[name] != found->second) would.insert(*found);
    }
    if (would.contains("nginx")) would["libc"] = "2";
    return would;
  }
  Status Install(const std::vector<std::string>& names) override {
    const auto would = WouldInstall(names);
    if (!would) return Fail(would.error());
    for (const auto& [name, version] : *would) installed[name] = version;
    return {};
  }
  Status Remove(const std::vector<std::string>& names) override {
    for (const std::string& name : names) installed.erase(name);
    return {};
  }

  Packages installed = {{"bash", "5"}};
  Packages available = {{"nginx", "1.22"}, {"bash", "5.1"}};
  int updates = 0;
};

TEST_F(Tasks, PackagesAreInstalledOnceWithTheirDependenciesNamed) {
  FakePackages manager;
  const PackageTask package{{"nginx", "bash"}, PackageState::kPresent, true};
  task_.check = true;
  const TaskResult checked = RunPackageTask(task_, package, course_, manager, context_);
  EXPECT_EQ(manager.installed.size(), 1U);
  EXPECT_EQ(manager.updates, 0);
  task_.check = false;
  const TaskResult result = RunPackageTask(task_, package, course_, manager, context_);
  ASSERT_EQ(result.changes.size(), 2U);
  EXPECT_EQ(OneLine(result.changes[0]),
            OneLine(ChangeText{"add", "package nginx", "", "1.22", "missing"}));
  EXPECT_EQ(result.changes[1].reason, "dependency");
  EXPECT_EQ(result.changes, checked.changes);
  EXPECT_EQ(manager.updates, 1);
  EXPECT_EQ(RunPackageTask(task_, package, course_, manager, context_).status, TaskStatus::kOk);
  EXPECT_EQ(manager.updates, 1);
}

TEST_F(Tasks, LatestUpgradesAndAbsentRemoves) {
  FakePackages manager;
  TaskResult result =
      RunPackageTask(task_, {{"bash"}, PackageState::kLatest, false}, course_, manager, context_);
  EXPECT_EQ(result.changes,
            (std::vector<ChangeText>{{"change", "package bash", "5", "5.1", "is 5"}}));
  result =
      RunPackageTask(task_, {{"bash"}, PackageState::kLatest, false}, course_, manager, context_);
  EXPECT_EQ(result.status, TaskStatus::kOk);
  result =
      RunPackageTask(task_, {{"bash"}, PackageState::kAbsent, false}, course_, manager, context_);
  EXPECT_EQ(result.changes.at(0).verb, "remove");
  result =
      RunPackageTask(task_, {{"bash"}, PackageState::kAbsent, false}, course_, manager, context_);
  EXPECT_EQ(result.status, TaskStatus::kOk);
}

TEST_F(Tasks, UnknownPackageHintsAtTheLists) {
  FakePackages manager;
  const TaskResult result =
      RunPackageTask(task_, {{"ngnix"}, PackageState::kPresent, false}, course_, manager, context_);
  EXPECT_EQ(result.message,
            "apt-get: E: Unable to locate package ngnix; are the package lists there? "
            "update_cache: true fetches them");
}

TEST_F(Tasks, OptionsAreNoPackageNames) {
  FakePackages manager;
  for (const char* name : {"-o", "", "nginx*", "a b", "$(x)"}) {
    EXPECT_EQ(RunPackageTask(task_, {{name}}, course_, manager, context_).status,
              TaskStatus::kFailed)
        << name;
  }
}

TEST(Packages, ReadsWhatAptAndDpkgPrint) {
  EXPECT_EQ(ParseAptSimulation("NOTE: This is only a simulation!\n"
                               "Inst libc6 [2.36-9] (2.36-9+deb12u4 Debian:12.5/stable [amd64])\n"
                               "Inst nginx (1.22.1-9 Debian:12.5/stable [all]) []\n"
                               "Conf nginx (1.22.1-9 Debian:12.5/stable [all])\n"),
            (Packages{{"libc6", "2.36-9+deb12u4"}, {"nginx", "1.22.1-9"}}));
  EXPECT_EQ(ParseDpkgList("bash\tinstalled\t5.2-2\nold\tconfig-files\t1\nbad line\n"),
            (Packages{{"bash", "5.2-2"}}));
}

}  // namespace
}  // namespace drover
