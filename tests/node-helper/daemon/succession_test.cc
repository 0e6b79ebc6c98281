#include "node-helper/daemon/succession.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kVip = IpAddress::V4({10, 0, 0, 100});
const IpAddress kBefore = IpAddress::V4({10, 0, 0, 11});

VirtualService Service(const IpAddress& address, std::uint16_t port, Transport transport) {
  VirtualService service;
  service.key = SocketKey{transport, address, port};
  return service;
}

DesiredState Director() {
  DesiredState wants;
  wants.sync_daemons = {SyncDaemon{SyncRole::kMaster, "eth0"}};
  VrrpInstance instance;
  instance.name = "web";
  instance.addresses = {Prefix::Host(kVip)};
  wants.vrrp_instances = {instance};
  wants.services = {Service(kVip, 80, Transport::kTcp), Service(kVip, 53, Transport::kUdp),
                    Service(IpAddress::V4({10, 0, 0, 101}), 80, Transport::kTcp)};
  return wants;
}

TEST(Succession, TcpServicesOnTheAddressesOfTheInstanceArePassedOn) {
  Succession succession;
  const Succession::Time now{seconds(100)};
  EXPECT_TRUE(succession.Wanted(Director(), now).empty());
  succession.Ahead("web", {kBefore, "eth0"}, now);
  const std::vector<PassedOn> wanted = {{{Transport::kTcp, kVip, 80}, kBefore, "eth0"}};
  EXPECT_EQ(succession.Wanted(Director(), now), wanted);
  DesiredState excluded = Director();
  std::swap(excluded.vrrp_instances[0].addresses, excluded.vrrp_instances[0].excluded_addresses);
  EXPECT_EQ(succession.Wanted(excluded, now), wanted);
}

TEST(Succession, ItEndsWithTheTimeThatTheKernelNeedsToTell) {
  Succession succession;
  const Succession::Time now{seconds(100)};
  succession.Ahead("web", {kBefore, "eth0"}, now);
  succession.Moved("web", {"backup", "master", ""}, now + seconds(3));
  ASSERT_TRUE(succession.Deadline(now));
  const Succession::Time end = *succession.Deadline(now);
  EXPECT_LT(end, now + seconds(3) + kUntilTold);
  EXPECT_FALSE(succession.Wanted(Director(), end - milliseconds(1)).empty());
  EXPECT_TRUE(succession.Wanted(Director(), end).empty());
  EXPECT_FALSE(succession.Deadline(end));
}

TEST(Succession, WhoBecomesNoMasterPassesNothingOn) {
  Succession succession;
  const Succession::Time now{seconds(100)};
  succession.Ahead("web", {kBefore, "eth0"}, now);
  succession.Moved("web", {"backup", "fault", "the link is down"}, now);
  EXPECT_TRUE(succession.Wanted(Director(), now).empty());
  // The master fell silent: there is nobody to pass anything to.
  succession.Moved("web", {"backup", "master", "fell silent"}, now);
  EXPECT_TRUE(succession.Wanted(Director(), now).empty());
}

TEST(Succession, WithoutSynchronisationNothingIsPassedOn) {
  Succession succession;
  const Succession::Time now{seconds(100)};
  succession.Ahead("web", {kBefore, "eth0"}, now);
  DesiredState wants = Director();
  wants.sync_daemons.clear();
  EXPECT_TRUE(succession.Wanted(wants, now).empty());
  EXPECT_EQ(LingeringUntilTold(wants), wants.vrrp_instances);
}

TEST(Succession, AMasterLingersUntilItHasToldOfItsConnections) {
  DesiredState wants = Director();
  EXPECT_EQ(LingeringUntilTold(wants)[0].linger, kUntilTold);
  wants.vrrp_instances[0].linger = seconds(5);
  EXPECT_EQ(LingeringUntilTold(wants)[0].linger, seconds(5));
  wants.vrrp_instances[0].linger = milliseconds(0);
  EXPECT_EQ(LingeringUntilTold(wants)[0].linger, milliseconds(0));
}

}  // namespace
}  // namespace drover
