#include "node-helper/tasks/converge_task.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "node-helper/converge/dry_run_kernel.h"
#include "node-helper/store/ownership.h"
#include "node-helper/tasks/uninstall_task.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/node-helper/store/samples.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

// A node with a fake kernel and a store in a folder of its own; speaks of playbooks and runs.
class Node : public ::testing::Test {
 protected:
  Node() : store_(folder_ / "state") {
    kernel_.SetSysctlValue("net/ipv4/conf/all/arp_ignore", "0");
    context_.store = &store_;
    context_.kernel = [this](bool check) -> Result<Kernel*> {
      if (!check) return &kernel_;
      dry_.emplace(kernel_);
      return &*dry_;
    };
  }

  TaskResult Converge(const DesiredState& state, const std::string& owner = "web",
                      bool check = false) {
    return RunConvergeTask(ConvergeTask{state}, check, CourseOf(owner), context_);
  }
  TaskResult Prune(const DesiredState& whole, const std::string& owner = "web",
                   bool check = false) {
    return RunPruneTask(PruneTask{whole}, check, CourseOf(owner), context_);
  }
  void Rollout(const DesiredState& state, const std::string& owner = "web") {
    const TaskResult converged = Converge(state, owner);
    ASSERT_NE(converged.status, TaskStatus::kFailed) << converged.message;
    const TaskResult pruned = Prune(state, owner);
    ASSERT_NE(pruned.status, TaskStatus::kFailed) << pruned.message;
  }
  OwnerRecord Record(const std::string& owner = "web") { return store_.Load(owner).value(); }
  // Changes with every write: the file is replaced.
  ino_t Inode(const std::string& owner = "web") {
    struct stat info {};
    return ::stat((folder_ / ("state/owners/" + owner + "/current.json")).c_str(), &info) == 0
               ? info.st_ino
               : 0;
  }
  bool KernelHas(const DesiredState& state) {
    return RunConvergeTask(ConvergeTask{state}, true, CourseOf("nobody"), context_).status ==
           TaskStatus::kOk;
  }
  static ProgramCourse CourseOf(const std::string& owner) {
    ProgramCourse course;
    course.run.owner = owner;
    course.run.playbook = owner + ".yml";
    return course;
  }

  const DesiredState all_ = State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}, {Web()});
  TempFolder folder_;
  Store store_;
  FakeKernel kernel_;
  std::optional<DryRunKernel> dry_;
  TaskContext context_;
};

TEST_F(Node, FirstRunSetsAndRecords) {
  const TaskResult result = Converge(all_);
  EXPECT_EQ(result.status, TaskStatus::kChanged);
  EXPECT_EQ(result.changes.size(), 5U);  // sysctl, service, two destinations, address
  EXPECT_FALSE(Record().complete);
  EXPECT_EQ(Prune(all_).status, TaskStatus::kOk);
  EXPECT_TRUE(Record().complete);
  EXPECT_EQ(Record().generation, 1U);
  EXPECT_EQ(Record().state, all_);
  EXPECT_EQ(Record().run.playbook, "web.yml");
  EXPECT_TRUE(KernelHas(all_));
}

TEST_F(Node, SecondRunChangesAndWritesNothing) {
  Rollout(all_);
  const ino_t inode = Inode();
  kernel_.ForgetApplied();
  EXPECT_EQ(Converge(all_).status, TaskStatus::kOk);
  EXPECT_EQ(Prune(all_).status, TaskStatus::kOk);
  EXPECT_TRUE(kernel_.applied().empty());
  EXPECT_EQ(Inode(), inode);
}

TEST_F(Node, DriftIsRepairedWithoutAWrite) {
  Rollout(all_);
  const ino_t inode = Inode();
  kernel_.state().services.clear();
  EXPECT_EQ(Converge(all_).status, TaskStatus::kChanged);
  EXPECT_EQ(Inode(), inode);
}

TEST_F(Node, CheckSaysWhatARunDoesAndDoesNothing) {
  const TaskResult checked = Converge(all_, "web", true);
  EXPECT_EQ(checked.status, TaskStatus::kChanged);
  EXPECT_TRUE(kernel_.applied().empty());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "state"));
  EXPECT_EQ(Converge(all_).changes, checked.changes);
  Prune(all_);
  const ino_t inode = Inode();
  const TaskResult prune = Prune(State({}), "web", true);
  EXPECT_EQ(prune.status, TaskStatus::kChanged);
  EXPECT_EQ(Inode(), inode);
  EXPECT_TRUE(KernelHas(all_));
  EXPECT_EQ(Prune(State({})).changes, prune.changes);
}

// Whatever the kernel refuses, and whenever the helper is killed: what it set is in the record.
TEST_F(Node, EverythingThatWasSetIsRecordedWhereverItStops) {
  for (int nth = 1; nth <= 5; ++nth) {
    kernel_ = FakeKernel();
    kernel_.SetSysctlValue("net/ipv4/conf/all/arp_ignore", "0");
    std::filesystem::remove_all(folder_ / "state");
    kernel_.FailNth(nth, Error{ErrorCode::kDenied, "killed here"});
    const TaskResult result = Converge(all_);
    ASSERT_EQ(result.status, TaskStatus::kFailed) << nth;
    EXPECT_EQ(result.code, ErrorCode::kDenied);
    EXPECT_EQ(result.changes.size(), static_cast<std::size_t>(nth - 1));
    EXPECT_EQ(Record().state, all_) << nth;
    EXPECT_FALSE(Record().complete);
    EXPECT_EQ(Record().original_sysctls.at("net/ipv4/conf/all/arp_ignore"), "0");
    EXPECT_TRUE(Record().adopted.empty());
    // The next run completes it, and a node without the playbook is as before.
    Rollout(all_);
    EXPECT_TRUE(KernelHas(all_));
    Rollout(State({}));
    EXPECT_TRUE(kernel_.state().addresses.empty() && kernel_.state().services.empty());
    EXPECT_EQ(kernel_.state().sysctls.at(0).value, "0");
  }
}

TEST_F(Node, FullDiskStopsBeforeTheKernelIsTouched) {
  std::filesystem::create_directories(folder_ / "state");
  // A file where the folder should be refuses the record as a full disk does.
  ASSERT_EQ(::mknod((folder_ / "state/owners").c_str(), S_IFIFO | 0600, 0), 0);
  const TaskResult result = Converge(all_);
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_TRUE(kernel_.applied().empty());
}

TEST_F(Node, PruneRemovesWhatLeftThePlaybookAndKeepsWhatTagsLeftOut) {
  Rollout(State({Vip("10.0.0.100/32"), Vip("10.0.0.101/32")}, {ArpIgnore("1")}, {Web()}));
  kernel_.state().services.push_back(Web("rr", "10.0.0.200"));  // by hand, nobody's
  // --tags: no converge task; the playbook still names one address and the service.
  const TaskResult pruned = Prune(State({Vip("10.0.0.100/32")}, {}, {Web()}));
  EXPECT_EQ(pruned.status, TaskStatus::kChanged);
  EXPECT_EQ(pruned.changes.size(), 2U);  // the address, the sysctl back to 0
  EXPECT_EQ(kernel_.state().sysctls.at(0).value, "0");
  EXPECT_EQ(kernel_.state().addresses.size(), 1U);
  EXPECT_EQ(kernel_.state().services.size(), 2U);
  EXPECT_EQ(Record().state, State({Vip("10.0.0.100/32")}, {}, {Web()}));
  EXPECT_EQ(Record().generation, 2U);
}

TEST_F(Node, SharedResourceStaysUntilItsLastOwnerGoes) {
  const DesiredState shared = State({Vip("10.0.0.100/32")}, {ArpIgnore("1")});
  Rollout(shared, "web");
  Rollout(shared, "dns");
  Rollout(State({}), "web");
  EXPECT_TRUE(KernelHas(shared));
  Rollout(State({}), "dns");
  EXPECT_TRUE(kernel_.state().addresses.empty());
  EXPECT_EQ(kernel_.state().sysctls.at(0).value, "0");
}

TEST_F(Node, OtherValueOfAnotherOwnerFailsAndChangesNothing) {
  Rollout(State({}, {ArpIgnore("1")}), "web");
  kernel_.ForgetApplied();
  const TaskResult result = Converge(State({Vip("10.0.0.9/32")}, {ArpIgnore("2")}), "dns");
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_NE(result.message.find("web owns it with 1"), std::string::npos) << result.message;
  EXPECT_TRUE(kernel_.applied().empty());
  EXPECT_EQ(Inode("dns"), 0U);
}

TEST_F(Node, UnknownSysctlIsNotRecorded) {
  const TaskResult result = Converge(State({}, {Sysctl{"net/ipv4/no_such", "1"}}));
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_NE(result.message.find("net.ipv4.no_such"), std::string::npos);
  EXPECT_EQ(Inode(), 0U);
}

TEST_F(Node, WhatTheKernelWouldRefuseIsNeitherBegunNorRecorded) {
  kernel_.RemoveIpvs();
  const TaskResult checked = Converge(all_, "web", true);
  const TaskResult result = Converge(all_);
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_NE(result.message.find("service tcp 10.0.0.100:80"), std::string::npos);
  EXPECT_EQ(result, checked);
  EXPECT_TRUE(kernel_.applied().empty());
  EXPECT_EQ(Inode(), 0U);
}

TEST_F(Node, ReleaseLeavesAdoptedResourcesAndRestoresSysctls) {
  kernel_.state().addresses.push_back(Vip("10.0.0.101/32"));
  Rollout(State({Vip("10.0.0.100/32"), Vip("10.0.0.101/32")}, {ArpIgnore("1")}, {Web()}));
  std::vector<ChangeText> changes;
  ASSERT_TRUE(ReleaseOwner(kernel_, store_, "web", changes));
  EXPECT_EQ(changes.size(), 3U);
  EXPECT_EQ(kernel_.state().addresses, std::vector<InterfaceAddress>{Vip("10.0.0.101/32")});
  EXPECT_TRUE(kernel_.state().services.empty());
  EXPECT_EQ(kernel_.state().sysctls.at(0).value, "0");
  EXPECT_TRUE(store_.LoadAll()->empty());
}

TEST_F(Node, PruneSeesToTheServiceOnlyWhenSomethingIsRecorded) {
  int asked = 0;
  context_.ensure_service = [&](bool) -> Result<std::vector<ChangeText>> {
    ++asked;
    return std::vector<ChangeText>{ChangeText{"add", "service", "", "", ""}};
  };
  EXPECT_EQ(Prune(State({})).status, TaskStatus::kOk);
  EXPECT_EQ(asked, 0);
  Converge(all_);
  EXPECT_EQ(Prune(all_).changes.size(), 1U);
  EXPECT_EQ(asked, 1);
}

TEST_F(Node, UninstallGivesBackWhatTheOwnerHadAndTheHelperBehindTheLastOne) {
  int removed = 0;
  context_.remove_helper = [&](std::vector<ChangeText>& done) -> Status {
    ++removed;
    done.push_back({"remove", "folder", "", "", ""});
    return {};
  };
  Rollout(all_);
  Rollout(State({Vip("10.0.0.101/32")}), "other");
  ProgramCourse web = CourseOf("web");
  ProgramCourse other = CourseOf("other");
  EXPECT_EQ(RunUninstallTask(/*check=*/true, web, context_).changes.size(), 3U);
  EXPECT_TRUE(KernelHas(all_));

  EXPECT_EQ(RunUninstallTask(/*check=*/false, web, context_).changes.size(), 3U);
  EXPECT_EQ(removed, 0);
  EXPECT_EQ(kernel_.state().addresses, std::vector<InterfaceAddress>{Vip("10.0.0.101/32")});

  EXPECT_EQ(RunUninstallTask(/*check=*/true, other, context_).changes.back().resource,
            "node-helper, its service and its files");
  EXPECT_EQ(RunUninstallTask(/*check=*/false, other, context_).changes.back().resource, "folder");
  EXPECT_EQ(removed, 1);
  EXPECT_TRUE(kernel_.state().addresses.empty());
}

TEST_F(Node, UninstallSaysWhatItDidBeforeItFailed) {
  context_.remove_helper = [](std::vector<ChangeText>& /*done*/) -> Status {
    return Fail(ErrorCode::kInternal, "the service does not stop");
  };
  Rollout(all_);
  ProgramCourse web = CourseOf("web");
  const TaskResult result = RunUninstallTask(/*check=*/false, web, context_);
  EXPECT_EQ(result.status, TaskStatus::kFailed);
  EXPECT_EQ(result.message, "the service does not stop");
  EXPECT_EQ(result.changes.size(), 3U);
}

}  // namespace
}  // namespace drover
