#include "node-helper/tasks/init_system.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

// A node whose init scripts and systemctl are played by a set of running and enabled services.
class Init : public ::testing::Test {
 protected:
  Init() {
    std::filesystem::create_directories(root_ / "etc/init.d");
    std::filesystem::create_directories(root_ / "etc/rc2.d");
    std::ofstream(root_ / "etc/init.d/nginx");
    std::filesystem::permissions(root_ / "etc/init.d/nginx", std::filesystem::perms::owner_all);
  }

  std::unique_ptr<InitSystem> Open() {
    return OpenInitSystem({[this](const ProcessSpec& spec) { return Play(spec); }}, root_.path());
  }

  Result<ProcessOutcome> Play(const ProcessSpec& spec) {
    ProcessOutcome outcome;
    const std::string& verb = spec.argv.at(1);
    const std::string unit = spec.argv.back();
    if (spec.argv[0] == "systemctl") {
      log_ += verb + " " + unit + "; ";
      if (verb == "show") {
        outcome.command.stdout_text = unit != "nginx.service"
                                          ? "LoadState=not-found\nActiveState=inactive\n"
                                      : running_ ? "LoadState=loaded\nActiveState=active\n"
                                                 : "LoadState=loaded\nActiveState=inactive\n";
      } else if (verb == "is-enabled") {
        outcome.command.stdout_text = "disabled\n";
        outcome.command.exit_code = 1;
      }
      return outcome;
    }
    log_ += std::filesystem::path(spec.argv[0]).filename().string() + " " + verb + "; ";
    if (verb == "status") outcome.command.exit_code = running_ ? 0 : 3;
    if (verb == "start") running_ = starts_;
    if (verb == "stop") running_ = false;
    return outcome;
  }

  TempFolder root_;
  std::string log_;
  bool running_ = false;
  bool starts_ = true;
};

TEST_F(Init, ScriptsAreAskedWithStatus) {
  const auto init = Open();
  EXPECT_FALSE(init->Look("absent")->exists);
  EXPECT_TRUE(init->Look("nginx")->exists);
  EXPECT_FALSE(init->Look("nginx")->running);
  EXPECT_FALSE(init->Look("nginx")->enabled);
  running_ = true;
  std::ofstream(root_ / "etc/rc2.d/S01nginx");
  EXPECT_TRUE(init->Look("nginx")->running);
  EXPECT_TRUE(init->Look("nginx")->enabled);
}

TEST_F(Init, StartIsDoneWhenTheScriptSaysItRuns) {
  EXPECT_TRUE(Open()->Tell("nginx", "start"));
  EXPECT_EQ(log_, "nginx status; nginx start; nginx status; ");
}

TEST_F(Init, SystemdIsUsedWhereItRuns) {
  std::filesystem::create_directories(root_ / "run/systemd/system");
  const auto init = Open();
  EXPECT_FALSE(init->Look("absent")->exists);
  const auto status = init->Look("nginx");
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->exists);
  EXPECT_FALSE(status->running);
  EXPECT_FALSE(status->enabled);
  log_.clear();
  EXPECT_TRUE(init->Tell("nginx", "reload"));
  EXPECT_TRUE(init->Enable("nginx", true));
  EXPECT_EQ(log_, "reload nginx.service; enable nginx.service; ");
}

TEST_F(Init, WithoutToolsForLinksEnablingSaysWhatIsMissing) {
  const Status enabled = Open()->Enable("nginx", true);
  ASSERT_FALSE(enabled);
  EXPECT_NE(enabled.error().message.find("update-rc.d"), std::string::npos);
}

}  // namespace
}  // namespace drover
