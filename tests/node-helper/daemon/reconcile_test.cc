#include "node-helper/daemon/reconcile.h"

#include <gtest/gtest.h>

#include "node-helper/daemon/node_wants.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/node-helper/store/samples.h"

namespace drover {
namespace {

using std::chrono::seconds;

const Reconciler::Time kStart{seconds{1000}};

TEST(Reconcile, SetsEverythingOfEveryOwnerOnce) {
  FakeKernel kernel;
  kernel.SetSysctlValue("net/ipv4/conf/all/arp_ignore", "0");
  const DesiredState wanted =
      NodeWants({RecordOf("dns", State({Vip("10.0.0.53/32")})),
                 RecordOf("web", State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}, {Web()}))});
  Reconciler reconciler;
  const LookReport report = reconciler.Look(kernel, wanted, nullptr, kStart);
  EXPECT_TRUE(report.failures.empty());
  EXPECT_EQ(report.done.size(), 6U);
  EXPECT_TRUE(reconciler.Look(kernel, wanted, nullptr, kStart).done.empty());
}

TEST(Reconcile, WhatTwoOwnersShareIsWantedOnce) {
  const DesiredState wanted =
      NodeWants({RecordOf("dns", State({Vip("10.0.0.100/32")}, {ArpIgnore("1")})),
                 RecordOf("web", State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}))});
  EXPECT_EQ(wanted, State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}));
}

TEST(Reconcile, AddressOfAnInstanceIsNotSetAsAFixedOneToo) {
  DesiredState state = State({Vip("10.0.0.100/32", "eth0"), Vip("10.0.0.100/32", "lo")});
  VrrpInstance instance;
  instance.name = "web";
  instance.interface = "eth0";
  instance.addresses = {Prefix::Parse("10.0.0.100/32").value()};
  state.vrrp_instances = {instance};
  EXPECT_EQ(NodeWants({RecordOf("web", state)}).addresses,
            (std::vector<InterfaceAddress>{Vip("10.0.0.100/32", "lo")}));
}

// The interface eth1 comes late in the boot: what is on eth0 does not wait for it.
TEST(Reconcile, MissingInterfaceKeepsNothingElseBackAndIsTriedAgainEverLessOften) {
  FakeKernel kernel;
  const DesiredState wanted = State({Vip("10.0.0.101/32", "eth1"), Vip("10.0.0.100/32", "eth0")},
                                    {Sysctl{"net/ipv4/conf/eth1/arp_ignore", "1"}}, {Web()});
  Reconciler reconciler;
  EXPECT_EQ(reconciler.Look(kernel, wanted, nullptr, kStart).failures.size(), 2U);
  EXPECT_EQ(kernel.state().addresses.size(), 1U);
  EXPECT_EQ(kernel.state().services.size(), 1U);
  kernel.AddInterface("eth1");
  kernel.SetSysctlValue("net/ipv4/conf/eth1/arp_ignore", "0");
  // Not yet tried again, but still said.
  EXPECT_EQ(reconciler.Look(kernel, wanted, nullptr, kStart + seconds{0}).failures.size(), 1U);
  EXPECT_TRUE(reconciler.Look(kernel, wanted, nullptr, kStart + seconds{2}).failures.empty());
  EXPECT_EQ(kernel.state().addresses.size(), 2U);
}

TEST(Reconcile, AfreshTriesAtOnce) {
  FakeKernel kernel;
  const DesiredState wanted = State({Vip("10.0.0.101/32", "eth1")});
  Reconciler reconciler;
  reconciler.Look(kernel, wanted, nullptr, kStart);
  kernel.AddInterface("eth1");
  reconciler.StartAfresh();
  EXPECT_TRUE(reconciler.Look(kernel, wanted, nullptr, kStart).failures.empty());
}

TEST(Reconcile, QuickChangesNeedNoObservationAndAreKnownToTheNextOne) {
  FakeKernel kernel;
  Reconciler reconciler;
  DesiredState wanted = State({}, {}, {Web()});
  reconciler.Look(kernel, wanted, nullptr, kStart);
  const int looks = kernel.observations();
  wanted.services[0].destinations[0].weight = 0;
  EXPECT_EQ(reconciler.ApplyQuickly(kernel, wanted, nullptr).done.size(), 1U);
  EXPECT_EQ(reconciler.ApplyQuickly(kernel, wanted, nullptr).done.size(), 0U);
  EXPECT_EQ(kernel.observations(), looks);
  EXPECT_EQ(kernel.state().services[0].destinations[0].weight, 0U);
}

TEST(Reconcile, DelayGrowsToAMinute) {
  EXPECT_EQ(RetryDelay(1), seconds{1});
  EXPECT_EQ(RetryDelay(2), seconds{2});
  EXPECT_EQ(RetryDelay(4), seconds{8});
  EXPECT_EQ(RetryDelay(7), seconds{60});
  EXPECT_EQ(RetryDelay(100000), seconds{60});
}

}  // namespace
}  // namespace drover
