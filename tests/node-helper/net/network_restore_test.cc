// A network of its own (root; skipped otherwise) that is remembered, broken as people break it, and
// put back: `ip` must see no difference.

#include "node-helper/net/network_restore.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <sstream>

#include "tests/shell.h"

namespace drover {
namespace {

class NetworkRestore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "needs root";
    MustRun(R"(set -e
      ip link set lo up
      ip link add eth0 type veth peer name peer0
      ip link add eth1 type veth peer name peer1
      for i in eth0 peer0 eth1 peer1; do ip link set $i addrgenmode none; done
      ip link set eth0 up; ip link set peer0 up; ip link set eth1 up; ip link set peer1 up
      ip address add 10.9.0.1/24 brd + dev eth0
      ip address add 10.9.0.2/24 dev eth0 label eth0:vip
      ip address add 10.9.8.1 peer 10.9.8.2/32 dev eth1
      ip address add 10.9.7.1/24 dev eth1 noprefixroute
      ip address add 10.9.6.1/24 dev eth0 valid_lft 3600 preferred_lft 1800
      ip address add 2001:db8:9::1/64 dev eth0 nodad
      ip address add 2001:db8:9::2/64 dev eth0 nodad
      ip route add default via 10.9.0.254
      ip route add 10.20.0.0/16 metric 7 nexthop via 10.9.0.3 nexthop via 10.9.0.4 weight 3
      ip route add 10.30.0.0/16 via 10.9.0.5 mtu 1400
      ip route add 10.30.0.0/16 via 10.9.0.6 metric 50 table 5
      ip route add unreachable 10.66.0.0/16
      ip route add 10.50.0.0/16 dev eth0 proto dhcp src 10.9.0.2
      ip route add 10.40.0.0/16 via 10.9.0.9 proto bird
      ip -6 route add default via 2001:db8:9::fe
      ip -6 route add 2001:db8:20::/48 nexthop via 2001:db8:9::3 nexthop via 2001:db8:9::4
      ip rule add from 10.9.0.2 lookup 5 pref 500
      ip rule add not fwmark 7 iif eth1 goto 32766 pref 501
      ip -6 rule add to 2001:db8:77::/48 blackhole)");
  }

  // What `ip` shows, but for what changes by itself; in an order of its own, because the kernel's
  // order of things that are independent of each other says nothing.
  static std::vector<std::string> State() {
    std::istringstream text(
        Output("ip -d -o link | sed -E 's/state [A-Z]+//; s/,M-DOWN|,LOWER_UP|NO-CARRIER,//g; "
               "s/qdisc [a-z]+//';"
               "ip -o address | sed -E 's/[0-9]+sec/(some)sec/g; s/ nodad| tentative//g';"
               "ip -o route show table all; ip -o -6 route show table all; ip rule; ip -6 rule"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  // The kernel does some of it a moment later (carrier, IPv6's own routes).
  static std::string LastingDifferences(const std::vector<std::string>& before) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    std::string differences = Differences(before);
    while (!differences.empty() && std::chrono::steady_clock::now() < deadline) {
      ::usleep(20000);
      differences = Differences(before);
    }
    return differences;
  }
  static std::string Differences(const std::vector<std::string>& before) {
    const std::vector<std::string> now = State();
    std::vector<std::string> lost;
    std::vector<std::string> come;
    std::set_difference(before.begin(), before.end(), now.begin(), now.end(),
                        std::back_inserter(lost));
    std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                        std::back_inserter(come));
    std::string text;
    for (const std::string& line : lost) text += "- " + line + "\n";
    for (const std::string& line : come) text += "+ " + line + "\n";
    return text;
  }
  static NetworkSnapshot Take() {
    const auto taken = TakeNetworkSnapshot();
    EXPECT_TRUE(taken) << taken.error().message;
    // What is kept on the disk is the text.
    const auto read = DecodeNetworkSnapshot(EncodeNetworkSnapshot(*taken));
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, *taken);
    return *read;
  }
  std::vector<ChangeText> Restore(const NetworkSnapshot& snapshot) {
    std::vector<ChangeText> done;
    const Status links = RestoreLinks(snapshot, held_, done);
    EXPECT_TRUE(links) << links.error().message;
    const Status routing = RestoreRouting(snapshot, held_, done);
    EXPECT_TRUE(routing) << routing.error().message;
    return done;
  }

  HeldElsewhere held_;
};

TEST_F(NetworkRestore, WhatIsAsItWasIsLeftAlone) {
  const auto before = State();
  EXPECT_EQ(Restore(Take()), std::vector<ChangeText>());
  EXPECT_EQ(Differences(before), "");
}

TEST_F(NetworkRestore, EveryWayToCutANodeOffIsUndone) {
  const std::array<const char*, 22> cuts = {
      "ip route del default",
      "ip route replace default via 10.9.0.77",
      "ip route add blackhole 0.0.0.0/1 && ip route add blackhole 128.0.0.0/1",
      "ip route add prohibit 10.9.0.0/25 table 5",
      "ip route del 10.9.0.0/24",
      "ip route flush table main",
      "ip route flush table local 2>/dev/null || ip route flush table local",
      "ip -6 route del default",
      "ip -6 route flush table main",
      "ip -6 route append default via 2001:db8:9::77",
      "ip -6 route add blackhole ::/1",
      "ip address del 10.9.0.1/24 dev eth0",
      "ip address flush dev eth0",
      "ip address add 10.9.99.1/24 dev eth0",
      "ip address del 10.9.6.1/24 dev eth0",
      "ip address change 10.9.0.1/24 dev eth0 valid_lft 30 preferred_lft 30",
      "sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1 && ip address del 10.9.0.1/24 dev eth0",
      "ip link set eth0 down",
      "ip link set eth0 down && ip link set eth1 down",
      "ip link set eth0 mtu 1400",
      "ip rule add pref 10 blackhole && ip rule del pref 32766 && ip rule del pref 500",
      "ip rule add pref 1 lookup local && ip rule del pref 0",
  };
  for (const char* cut : cuts) {
    const auto before = State();
    const NetworkSnapshot snapshot = Take();
    MustRun(cut);
    EXPECT_NE(Differences(before), "") << cut;
    EXPECT_FALSE(Restore(snapshot).empty()) << cut;
    // The routes of a daemon are its own to repeat; an interface that comes up finds them missing.
    MustRun("ip route replace 10.40.0.0/16 via 10.9.0.9 proto bird");
    EXPECT_EQ(LastingDifferences(before), "") << cut;
    EXPECT_EQ(Restore(snapshot), std::vector<ChangeText>()) << cut;
  }
}

TEST_F(NetworkRestore, InterfacesMayHaveOtherNumbersThen) {
  // Without IPv6's own table: the kernel fills it a little later.
  constexpr const char* kRoutes = "(ip -4 route show table all; ip -6 route show)";
  const NetworkSnapshot snapshot = Take();
  const std::string rules = Output("ip rule; ip -6 rule");
  const std::string routes = Output(std::string(kRoutes) + " | grep -v 'proto bird'");
  MustRun(R"(set -e
      ip link del eth0; ip link del eth1
      ip link add other type veth peer name another
      ip link add eth1 type veth peer name peer1
      ip link add eth0 type veth peer name peer0
      for i in eth0 peer0 eth1 peer1; do ip link set $i addrgenmode none; done
      ip link set peer0 up; ip link set peer1 up)");
  Restore(snapshot);
  EXPECT_EQ(Output("ip rule; ip -6 rule"), rules);
  EXPECT_EQ(Output(kRoutes), routes);
  EXPECT_EQ(Restore(snapshot), std::vector<ChangeText>());
}

TEST_F(NetworkRestore, AddressesOfOthersAreNotFoughtOver) {
  held_.address = [](const InterfaceAddress& address) {
    return address.prefix.address.ToString() == "10.9.0.100";
  };
  MustRun("ip address add 10.9.0.100/32 dev lo");
  const NetworkSnapshot master = Take();
  MustRun("ip address del 10.9.0.100/32 dev lo");
  EXPECT_EQ(Restore(master), std::vector<ChangeText>());
  const NetworkSnapshot backup = Take();
  MustRun("ip address add 10.9.0.100/24 dev eth0");
  // VRRP holds its addresses by a lease of some seconds; nobody may take one or give it back.
  MustRun("ip address add 10.9.0.101/24 dev eth0 valid_lft 5 preferred_lft 5");
  EXPECT_EQ(Restore(backup), std::vector<ChangeText>());
  EXPECT_NE(Output("ip address show dev eth0").find("10.9.0.101/24"), std::string::npos);
  const NetworkSnapshot leased = Take();
  MustRun("ip address del 10.9.0.101/24 dev eth0");
  EXPECT_EQ(Restore(leased), std::vector<ChangeText>());
}

TEST_F(NetworkRestore, AnInterfaceThatIsGoneIsNamedAndTheRestIsPutBack) {
  const NetworkSnapshot snapshot = Take();
  MustRun("ip link del eth1 && ip route del default");
  std::vector<ChangeText> done;
  const Status links = RestoreLinks(snapshot, held_, done);
  ASSERT_FALSE(links);
  EXPECT_EQ(links.error().message,
            "interface eth1: it was there before the run and is gone; only whoever made it can "
            "make it again");
  EXPECT_TRUE(RestoreRouting(snapshot, held_, done));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(OneLine(done[0]),
            "add route default via 10.9.0.254 on eth0 (was there before the run)");
}

TEST_F(NetworkRestore, ThingsAreNamedAsIpNamesThem) {
  const NetworkSnapshot snapshot = Take();
  MustRun(R"(set -e
      ip route del unreachable 10.66.0.0/16
      ip route del 10.20.0.0/16 metric 7
      ip route del 10.30.0.0/16 table 5
      ip -6 route del default
      ip rule del pref 501
      ip -6 rule del to 2001:db8:77::/48 blackhole
      ip link set eth1 mtu 1300
      ip address add 10.1.0.1/24 dev eth1)");
  std::vector<std::string> lines;
  for (const ChangeText& text : Restore(snapshot)) lines.push_back(OneLine(text));
  const std::string came = " (was not there before the run)";
  const std::string was = " (was there before the run)";
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "change interface eth1: mtu 1300 -> mtu 1500 (was so before the run)",
                       "remove address 10.1.0.1/24 on eth1" + came,
                       "add route unreachable 10.66.0.0/16" + was,
                       "add route 10.30.0.0/16 via 10.9.0.6 on eth0 table 5" + was,
                       "add route 10.20.0.0/16 via 10.9.0.3 on eth0 via 10.9.0.4 on eth0" + was,
                       "add route default via 2001:db8:9::fe on eth0 (ipv6)" + was,
                       "add rule 501: not from all fwmark 7 iif eth1 goto 32766 (ipv4)" + was,
                       "add rule 32765: from all to 2001:db8:77::/48 blackhole (ipv6)" + was,
                   }));
}

TEST_F(NetworkRestore, LookingIsCheap) {
  MustRun("for i in $(seq 1 200); do echo route add 10.77.$i.0/24 via 10.9.0.3; done | ip -b -");
  const auto started = std::chrono::steady_clock::now();
  const NetworkSnapshot snapshot = Take();
  const auto took = std::chrono::steady_clock::now() - started;
  std::printf("%zu routes, %zu bytes, %.1f ms\n", snapshot.routes.size(),
              EncodeNetworkSnapshot(snapshot).size(),
              std::chrono::duration<double, std::milli>(took).count());
  EXPECT_LT(EncodeNetworkSnapshot(snapshot).size(), std::size_t{64} << 10);
}

}  // namespace
}  // namespace drover
