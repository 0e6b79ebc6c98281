#include "node-helper/undo/ssh_part.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "node-helper/store/files.h"
#include "tests/node-helper/store/temp_folder.h"
#include "tests/node-helper/undo/fake_init.h"

namespace drover {
namespace {

namespace fs = std::filesystem;

class SshPartTest : public ::testing::Test {
 protected:
  SshPartTest() {
    fs::create_directories(root_ / "etc/ssh/sshd_config.d");
    fs::create_directories(root_ / "root/.ssh");
    Put("etc/ssh/sshd_config", "Port 22\n");
    Put("etc/ssh/sshd_config.d/own.conf", std::string("a\0\xFF\n", 4));
    machine_.service = "sshd";
    machine_.status.running = true;
  }
  void Put(const std::string& path, const std::string& text) {
    std::ofstream(root_ / path, std::ios::trunc) << text;
  }
  std::string Get(const std::string& path) {
    return ReadWholeFile(root_ / path).value_or("(none)");
  }
  std::size_t Restore(const std::string& captured) {
    std::vector<ChangeText> done;
    const Status restored = part_->Restore(captured, done);
    EXPECT_TRUE(restored) << restored.error().message;
    return done.size();
  }

  TempFolder root_;
  Machine machine_;
  std::unique_ptr<UndoPart> part_ = MakeSshPart(std::make_unique<FakeInit>(machine_), root_.path());
};

TEST_F(SshPartTest, WhatIsAsItWasIsLeftAlone) {
  EXPECT_EQ(Restore(part_->Capture().value()), 0U);
  EXPECT_EQ(machine_.log, "");
}

TEST_F(SshPartTest, AServerThatWasStoppedRunsAgain) {
  const std::string captured = part_->Capture().value();
  machine_.status.running = false;
  EXPECT_EQ(Restore(captured), 1U);
  EXPECT_EQ(machine_.log, "start;");
  machine_.status.running = false;
  const std::string stopped = part_->Capture().value();
  EXPECT_EQ(Restore(stopped), 0U);
}

TEST_F(SshPartTest, SettingsComeBackAndAreReadAgain) {
  const std::string captured = part_->Capture().value();
  Put("etc/ssh/sshd_config", "Port 2222\n");
  fs::remove(root_ / "etc/ssh/sshd_config.d/own.conf");
  Put("etc/ssh/sshd_config.d/new.conf", "PermitRootLogin no\n");
  EXPECT_EQ(Restore(captured), 4U);
  EXPECT_EQ(Get("etc/ssh/sshd_config"), "Port 22\n");
  EXPECT_EQ(Get("etc/ssh/sshd_config.d/own.conf"), std::string("a\0\xFF\n", 4));
  EXPECT_FALSE(fs::exists(root_ / "etc/ssh/sshd_config.d/new.conf"));
  EXPECT_EQ(machine_.log, "restart;");
  EXPECT_EQ(Restore(captured), 0U);
}

TEST_F(SshPartTest, KeysComeBackWithoutARestart) {
  Put("root/.ssh/authorized_keys", "ssh-ed25519 AAAA\n");
  const std::string captured = part_->Capture().value();
  fs::remove(root_ / "root/.ssh/authorized_keys");
  EXPECT_EQ(Restore(captured), 1U);
  EXPECT_EQ(Get("root/.ssh/authorized_keys"), "ssh-ed25519 AAAA\n");
  EXPECT_EQ(machine_.log, "");
}

TEST_F(SshPartTest, DamagedMemoryIsAnErrorAtEveryLength) {
  const std::string captured = part_->Capture().value();
  for (std::size_t size = 1; size + 1 < captured.size(); ++size) {
    std::vector<ChangeText> done;
    (void)part_->Restore(captured.substr(0, size), done);
  }
  std::vector<ChangeText> done;
  for (const char* damaged : {"x", "file", "file 9 /x\nabc\n", "file -1 /x\n\n", "file x y\nz\n"}) {
    EXPECT_FALSE(part_->Restore(damaged, done)) << damaged;
  }
}

}  // namespace
}  // namespace drover
