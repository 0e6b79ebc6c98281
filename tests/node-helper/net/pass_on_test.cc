// The test's own node is the director that has taken over, `old` the one before: both hold the
// address, and the client has learnt that it is here now.

#include "node-helper/net/pass_on.h"

#include <gtest/gtest.h>

#include "tests/node-helper/probe/lan.h"

namespace drover {
namespace {

class PassOnTest : public ::testing::Test {
 protected:
  static constexpr const char* kVip = "10.9.0.100";

  void SetUp() override {
    if (!EnterLan()) GTEST_SKIP() << "needs root";
    ASSERT_TRUE(
        RunShell("ip addr add 10.9.0.100/32 dev br0 && sysctl -qw "
                 "net.ipv6.conf.br0.disable_ipv6=0"));
  }

  // Half of a request goes to `old`, the other half comes here.
  static bool AnswersAfterTheMove(const LanHost& client, const LanHost& old) {
    const std::string neighbour = std::string("ip neigh replace ") + kVip + " dev eth0 lladdr ";
    return client.Run("timeout 5 bash -c \"" + neighbour + old.mac() + "; exec 3<>/dev/tcp/" +
                      kVip + "/80; " + neighbour +
                      "02:00:00:00:09:01; echo GET >&3; grep -q is.old <&3\" 2>/dev/null");
  }
  static std::vector<PassedOn> To(const LanHost& old) {
    return {
        {{Transport::kTcp, *IpAddress::Parse(kVip), 80}, *IpAddress::Parse(old.address()), "br0"}};
  }
};

TEST_F(PassOnTest, AConnectionOfTheDirectorBeforeGoesOnThere) {
  const LanHost old("old", 2);
  const LanHost client("client", 3);
  ASSERT_TRUE(old.ok() && client.ok());
  ASSERT_TRUE(old.Run("ip addr add 10.9.0.100/32 dev lo"));
  ASSERT_TRUE(PassOn(To(old)));
  EXPECT_TRUE(AnswersAfterTheMove(client, old));
  ASSERT_TRUE(PassOn(To(old))) << "again, in the place of what there is";
  EXPECT_TRUE(AnswersAfterTheMove(client, old));
  ASSERT_TRUE(PassOn({}));
  EXPECT_FALSE(AnswersAfterTheMove(client, old)) << "this node resets what it does not know";
  EXPECT_FALSE(RunShell("nft list ruleset | grep -q .")) << "nothing stays";
}

TEST_F(PassOnTest, WhatASocketOfThisNodeTakesStaysHere) {
  const LanHost old("old", 2);
  const LanHost client("client", 3);
  ASSERT_TRUE(old.Run("ip addr add 10.9.0.100/32 dev lo"));
  ASSERT_TRUE(PassOn(To(old)));
  ASSERT_TRUE(
      RunShell("timeout 20 /usr/bin/python3 -m http.server 80 --bind 10.9.0.100 --directory "
               "/proc/sys/net/core >/dev/null 2>&1 & for i in $(seq 100); do ss -ltnH | grep -q "
               ":80 && exit 0; sleep "
               "0.1; done; exit 1"));
  EXPECT_TRUE(
      client.Run("ip neigh replace 10.9.0.100 dev eth0 lladdr 02:00:00:00:09:01 && curl -sf "
                 "-m 5 http://10.9.0.100/somaxconn"));
  RunShell("kill $(ss -ltnpH | sed -n \"s/.*pid=\\([0-9]*\\).*/\\1/p\")");
}

TEST_F(PassOnTest, NftShowsTheRulesAndBothFamiliesGoTogether) {
  ASSERT_TRUE(PassOn(
      {{{Transport::kTcp, *IpAddress::Parse(kVip), 80}, *IpAddress::Parse("10.9.0.2"), "br0"},
       {{Transport::kTcp, *IpAddress::Parse("2001:db8::1"), 443},
        *IpAddress::Parse("fe80::2"),
        "br0"}}));
  EXPECT_TRUE(
      RunShell("nft list table ip drover_handover | grep -q 'tcp dport 80 tcp flags ! syn "
               "dup to 10.9.0.2 device \"br0\" drop'"));
  EXPECT_TRUE(
      RunShell("nft list table ip6 drover_handover | grep -q 'tcp dport 443 tcp flags ! "
               "syn dup to fe80::2 device \"br0\" drop'"));
  ASSERT_TRUE(PassOn({}));
  EXPECT_FALSE(RunShell("nft list ruleset | grep -q ."));
}

TEST_F(PassOnTest, AnInterfaceThatIsNotThereIsNamed) {
  std::vector<PassedOn> wrong = To(LanHost("old", 2));
  wrong[0].interface = "eth7";
  const Status done = PassOn(wrong);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("eth7"), std::string::npos) << done.error().message;
}

}  // namespace
}  // namespace drover
