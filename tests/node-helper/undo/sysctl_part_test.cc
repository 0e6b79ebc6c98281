#include "node-helper/undo/sysctl_part.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/node-helper/undo/own_network.h"

namespace drover {
namespace {

class SysctlPartTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!EnterOwnNetwork()) GTEST_SKIP() << "needs root";
  }
  std::string Captured() { return part_->Capture().value(); }
  std::vector<std::string> Restore(const std::string& captured) {
    std::vector<ChangeText> done;
    const Status restored = part_->Restore(captured, done);
    EXPECT_TRUE(restored) << restored.error().message;
    std::vector<std::string> lines;
    for (const ChangeText& text : done) lines.push_back(OneLine(text));
    return lines;
  }

  HeldElsewhere held_;
  std::unique_ptr<UndoPart> part_ = MakeSysctlPart([this] { return held_; });
};

TEST_F(SysctlPartTest, SettingsThatCutANodeOffComeBack) {
  MustRun("sysctl -qw net.ipv4.conf.eth0.arp_ignore=1");
  const std::string before = Captured();
  EXPECT_EQ(Restore(before), std::vector<std::string>());
  MustRun(
      "sysctl -qw net.ipv4.conf.eth0.rp_filter=1 net.ipv4.conf.eth0.arp_ignore=8 "
      "net.ipv4.icmp_echo_ignore_all=1");
  EXPECT_EQ(Restore(before),
            (std::vector<std::string>{
                "change sysctl net.ipv4.conf.eth0.arp_ignore: 8 -> 1 (was so before the run)",
                "change sysctl net.ipv4.conf.eth0.rp_filter: 1 -> 0 (was so before the run)",
                "change sysctl net.ipv4.icmp_echo_ignore_all: 1 -> 0 (was so before the run)"}));
  EXPECT_EQ(Captured(), before);
}

TEST_F(SysctlPartTest, WhatTheKernelCopiesToEveryInterfaceComesBackForEach) {
  MustRun(
      "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.peer0.forwarding=0 "
      "net.ipv6.conf.peer0.disable_ipv6=1");
  const std::string before = Captured();
  for (const char* cut :
       {"sysctl -qw net.ipv4.ip_forward=0", "sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
        "sysctl -qw net.ipv6.conf.all.forwarding=1", "sysctl -qw net.ipv4.conf.all.forwarding=0"}) {
    MustRun(cut);
    EXPECT_NE(Captured(), before) << cut;
    EXPECT_FALSE(Restore(before).empty()) << cut;
    EXPECT_EQ(Captured(), before) << cut;
  }
}

TEST_F(SysctlPartTest, AnInterfaceThatIsGoneOrNewIsLeftOut) {
  MustRun("sysctl -qw net.ipv4.conf.eth0.rp_filter=1");
  const std::string before = Captured();
  MustRun(
      "ip link del eth0 && ip link add new0 type veth peer name new1 && "
      "sysctl -qw net.ipv4.conf.new0.rp_filter=2");
  EXPECT_EQ(Restore(before), std::vector<std::string>());
  EXPECT_EQ(Output("sysctl -n net.ipv4.conf.new0.rp_filter"), "2\n");
}

TEST_F(SysctlPartTest, AnInterfaceOfAnothersIsLeftAlone) {
  held_.interface = [](const std::string& name) { return name == "eth0"; };
  const std::string before = Captured();
  MustRun("sysctl -qw net.ipv4.conf.eth0.rp_filter=1 net.ipv4.conf.peer0.rp_filter=1");
  EXPECT_EQ(Restore(before),
            (std::vector<std::string>{
                "change sysctl net.ipv4.conf.peer0.rp_filter: 1 -> 0 (was so before the run)"}));
}

TEST_F(SysctlPartTest, NoSecretsAndNoStatisticsAreRemembered) {
  MustRun("sysctl -qw net.ipv6.conf.eth0.stable_secret=2001:db8::1");
  const std::string captured = Captured();
  for (const char* word : {"stable_secret", "fastopen_key", "nf_conntrack_count", "route/flush"}) {
    EXPECT_EQ(captured.find(word), std::string::npos) << word;
  }
}

TEST_F(SysctlPartTest, DamagedMemoryIsAnError) {
  std::vector<ChangeText> done;
  EXPECT_FALSE(part_->Restore("net/ipv4/ip_forward\n", done));
}

}  // namespace
}  // namespace drover
