// The whole kit on a network of its own: what hangs together is put back in the order that works.

#include "node-helper/undo/undo_kit.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "tests/node-helper/undo/own_network.h"

namespace drover {
namespace {

class UndoKitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!EnterOwnNetwork()) GTEST_SKIP() << "needs root";
    MustRun(
        "ip address add 2001:db8:9::1/64 dev eth0 nodad && ip route add default via 10.9.0.254 "
        "&& ip -6 route add default via 2001:db8:9::fe");
  }
  std::map<std::string, std::string> Capture() {
    std::map<std::string, std::string> captured;
    for (const auto& part : kit_.parts) captured[part->name()] = part->Capture().value();
    return captured;
  }
  std::size_t Restore(const std::map<std::string, std::string>& captured) {
    std::vector<ChangeText> done;
    for (const auto& part : kit_.parts) {
      const Status restored = part->Restore(captured.at(part->name()), done);
      EXPECT_TRUE(restored) << part->name() << ": " << restored.error().message;
    }
    return done.size();
  }
  static std::string State() {
    return Output(
        "ip -o address | grep -v 'scope link' | sed 's/ nodad//'; ip -4 route; ip -6 "
        "route | grep -v fe80; ip -o link | sed -E 's/state.*//; "
        "s/,LOWER_UP|,M-DOWN|NO-CARRIER,//g; "
        "s/qdisc [a-z]+//'; sysctl -e net.ipv4.ip_forward net.ipv6.conf.eth0.disable_ipv6");
  }

  UndoKit kit_ = MakeUndoKit([] { return HeldElsewhere(); }, RunProcess);
};

TEST_F(UndoKitTest, IPv6ThatWasSwitchedOffComesBackWithItsAddressesAndRoutes) {
  const std::string before = State();
  for (const char* cut :
       {"sysctl -qw net.ipv6.conf.all.disable_ipv6=1", "ip link set eth0 mtu 1000",
        "ip link set eth0 down && sysctl -qw net.ipv4.ip_forward=1", "ip address flush dev eth0"}) {
    const auto captured = Capture();
    MustRun(cut);
    EXPECT_NE(State(), before) << cut;
    EXPECT_GT(Restore(captured), 0U) << cut;
    EXPECT_EQ(State(), before) << cut;
    EXPECT_EQ(Restore(captured), 0U) << cut;
  }
}

TEST_F(UndoKitTest, RememberingIsCheapEnoughForEveryRun) {
  for (int turn = 0; turn < 3; ++turn) {
    for (const auto& part : kit_.parts) {
      const auto started = std::chrono::steady_clock::now();
      const std::string captured = part->Capture().value();
      const auto took = std::chrono::steady_clock::now() - started;
      std::printf("%-10s %7zu bytes %6.1f ms\n", part->name().c_str(), captured.size(),
                  std::chrono::duration<double, std::milli>(took).count());
      EXPECT_LT(captured.size(), std::size_t{256} << 10);
    }
  }
}

}  // namespace
}  // namespace drover
