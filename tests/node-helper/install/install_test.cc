#include "node-helper/install/install.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "node-helper/install/daemon_lock.h"
#include "node-helper/install/service_files.h"
#include "node-helper/store/files.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

// A node in a folder. Its programs do what matters: make links, take the daemon's lock.
class InstallTest : public ::testing::Test {
 protected:
  InstallTest() {
    site_.root = root_.path();
    site_.state_directory = root_ / "var/lib/drover";
    site_.executable = root_ / "upload";
    std::ofstream(site_.executable) << "version 1";
    site_.run = [this](const std::vector<std::string>& argv) { return Play(argv); };
  }

  Status Play(const std::vector<std::string>& argv) {
    for (const std::string& word : argv) log_ += word + " ";
    log_ += "; ";
    if (argv[0] == "update-rc.d" && argv[2] == "defaults") {
      std::filesystem::create_directories(root_ / "etc/rc2.d");
      std::ofstream(root_ / ("etc/rc2.d/S01" + argv[1]));
    }
    if (argv[0] == "systemctl" && argv[1] == "enable") {
      const std::string wants = root_ / "etc/systemd/system/multi-user.target.wants/";
      std::filesystem::create_directories(wants);
      std::ofstream(wants + argv[2] + ".service");
    }
    const bool starts = argv[0] == site_.program() || (argv.size() > 1 && argv[1] == "restart");
    if (starts && !daemon_) daemon_.emplace(BecomeTheDaemon(root_.path()).value());
    return {};
  }
  void WithSysvinit() {
    std::filesystem::create_directories(root_ / "usr/sbin");
    std::ofstream(root_ / "usr/sbin/update-rc.d");
  }
  void WithSystemd() { std::filesystem::create_directories(root_ / "run/systemd/system"); }

  TempFolder root_;
  InstallSite site_;
  std::string log_;
  std::optional<Descriptor> daemon_;
};

TEST_F(InstallTest, InitScriptLinksAndDetachedProcess) {
  WithSysvinit();
  const auto checked = Install(site_, true);
  ASSERT_TRUE(checked);
  EXPECT_TRUE(log_.empty());
  EXPECT_FALSE(std::filesystem::exists(site_.state_directory));
  const auto changes = Install(site_, false);
  ASSERT_TRUE(changes) << changes.error().message;
  EXPECT_EQ(*changes, *checked);
  EXPECT_EQ(changes->size(), 4U);
  EXPECT_EQ(log_,
            "update-rc.d drover-node-helper defaults ; " + site_.program() + " daemon --detach ; ");
  EXPECT_EQ(ReadWholeFile(site_.program()).value(), "version 1");
  struct stat info {};
  ASSERT_EQ(::stat((root_ / "etc/init.d/drover-node-helper").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0755U);
  EXPECT_TRUE(Install(site_, false)->empty());
}

TEST_F(InstallTest, UnitUnderSystemd) {
  WithSystemd();
  ASSERT_TRUE(Install(site_, false));
  EXPECT_EQ(log_,
            "systemctl daemon-reload ; systemctl enable drover-node-helper ; "
            "systemctl restart drover-node-helper ; ");
  const auto unit = ReadWholeFile(root_ / "etc/systemd/system/drover-node-helper.service");
  ASSERT_TRUE(unit);
  EXPECT_NE(unit->find("ExecStart=" + site_.program() + " daemon\n"), std::string::npos);
  EXPECT_TRUE(Install(site_, false)->empty());
}

TEST_F(InstallTest, NewVersionIsTakenUpInPlace) {
  WithSystemd();
  ASSERT_TRUE(Install(site_, false));
  log_.clear();
  site_.upgrade = [this]() -> Status {
    const std::string folder = root_ / ("proc/" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    std::filesystem::create_symlink(site_.program(), folder + "/exe");
    return {};
  };
  std::ofstream(site_.executable) << "version 2";
  const auto changes = Install(site_, false);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->size(), 2U);
  EXPECT_EQ(log_, "");
  EXPECT_EQ(ReadWholeFile(site_.program()).value(), "version 2");
}

TEST_F(InstallTest, ADaemonThatCannotBeUpgradedIsRestarted) {
  WithSystemd();
  ASSERT_TRUE(Install(site_, false));
  log_.clear();
  site_.upgrade = []() -> Status { return Fail(ErrorCode::kUnreachable, "too old"); };
  std::ofstream(site_.executable) << "version 2";
  const auto changes = Install(site_, false);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->size(), 2U);
  EXPECT_EQ(log_, "systemctl restart drover-node-helper ; ");
  EXPECT_EQ(ReadWholeFile(site_.program()).value(), "version 2");
}

TEST_F(InstallTest, UploadIsLinkedNotCopied) {
  std::filesystem::create_directories(site_.state_directory + "/bin");
  const std::string upload = site_.state_directory + "/bin/node-helper-abc";
  ASSERT_TRUE(WriteFileAtomically(upload, "version 1", 0700));
  std::filesystem::create_symlink(upload, root_ / "exe");
  site_.executable = root_ / "exe";
  ASSERT_TRUE(Install(site_, false));
  EXPECT_TRUE(std::filesystem::equivalent(upload, site_.program()));
}

TEST_F(InstallTest, UninstallLeavesNothing) {
  WithSystemd();
  ASSERT_TRUE(Install(site_, false));
  daemon_.reset();  // systemctl disable --now
  std::vector<ChangeText> changes;
  ASSERT_TRUE(Uninstall(site_, changes));
  EXPECT_FALSE(std::filesystem::exists(site_.state_directory));
  EXPECT_FALSE(std::filesystem::exists(root_ / "run/drover"));
  EXPECT_FALSE(std::filesystem::exists(root_ / "etc/systemd/system/drover-node-helper.service"));
  EXPECT_FALSE(changes.empty());
  changes.clear();
  ASSERT_TRUE(Uninstall(site_, changes));
  EXPECT_TRUE(changes.empty());
}

TEST_F(InstallTest, OnlyOneDaemonRuns) {
  {
    const auto first = BecomeTheDaemon(root_.path());
    ASSERT_TRUE(first);
    EXPECT_EQ(RunningDaemon(root_.path()), ::getpid());
    const auto second = BecomeTheDaemon(root_.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kExists);
  }
  // The file is still there, its holder is not.
  EXPECT_FALSE(RunningDaemon(root_.path()));
}

}  // namespace
}  // namespace drover
