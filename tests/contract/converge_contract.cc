// Plan, apply, observe: the promises of converge, on any kernel.

#include <algorithm>

#include "node-helper/converge/converge.h"
#include "node-helper/converge/dry_run_kernel.h"
#include "node-helper/converge/plan.h"
#include "tests/contract/contract_node.h"
#include "tests/contract/states.h"

namespace drover {
namespace {

constexpr int kRandomSteps = 40;

const std::vector<std::string> kKeys = {
    "net/ipv4/conf/all/arp_ignore", "net/ipv4/conf/all/arp_announce",
    "net/ipv4/conf/eth0/arp_ignore", "net/ipv4/conf/eth0/send_redirects",
    "net/ipv4/ip_local_port_range"};

class ConvergeContract : public testing::Test {
 protected:
  std::unique_ptr<ContractNode> node_ = MakeContractNode();
  Kernel& kernel_ = node_->kernel();
};

// Values as the kernel prints them, so that "0x1" and "1" compare equal; lengths that the kernel
// chose or moved into its limits are left out.
DesiredState Plain(DesiredState state) {
  for (SyncDaemon& daemon : state.sync_daemons) {
    if (daemon.max_length != 1200) daemon.max_length = 0;
  }
  for (Sysctl& sysctl : state.sysctls) {
    if (sysctl.value == "0x1") sysctl.value = "1";
  }
  return Canonical(std::move(state));
}

TEST_F(ConvergeContract, AfterConvergingNothingIsLeftToPlan) {
  std::mt19937 random(20260101);
  for (int step = 0; step < kRandomSteps; ++step) {
    const DesiredState desired = RandomState(random, TestsServices());
    ASSERT_TRUE(ValidateState(desired));
    const ConvergeReport report = Converge(kernel_, desired);
    ASSERT_TRUE(report.ok()) << "step " << step << ": " << report.error->message;
    const auto plan = Plan(desired, MustObserve(kernel_, kKeys));
    ASSERT_TRUE(plan) << plan.error().message;
    for (const Change& change : *plan) ADD_FAILURE() << step << ": " << OneLine(Describe(change));
    const ConvergeReport again = Converge(kernel_, desired);
    EXPECT_TRUE(again.ok());
    EXPECT_TRUE(again.done.empty());
  }
}

TEST_F(ConvergeContract, EveryAppliedChangeDoesWhatAdvanceSays) {
  std::mt19937 random(20260102);
  for (int step = 0; step < kRandomSteps; ++step) {
    const DesiredState desired = RandomState(random, TestsServices());
    DesiredState expected = MustObserve(kernel_, kKeys);
    const auto plan = Plan(desired, expected);
    ASSERT_TRUE(plan) << plan.error().message;
    for (const Change& change : *plan) {
      const Status applied = kernel_.Apply(change);
      ASSERT_TRUE(applied) << OneLine(Describe(change)) << ": " << applied.error().message;
      expected = Advance(expected, change);
      ASSERT_EQ(Plain(MustObserve(kernel_, kKeys)), Plain(expected)) << OneLine(Describe(change));
    }
  }
}

TEST_F(ConvergeContract, WhatIsNotDesiredIsNotTouched) {
  const InterfaceAddress foreign_address = At("eth0", "10.9.7.7/24");
  MustApply(kernel_, AddAddress{foreign_address});
  MustApply(kernel_, SetSysctl{{"net/ipv4/conf/lo/arp_ignore", "2"}, ""});
  VirtualService foreign_service;
  foreign_service.key = Tcp("10.9.7.7:8080");
  foreign_service.scheduler = "sed";
  foreign_service.destinations = {Real("10.9.7.8", 8080)};
  if (TestsServices()) {
    MustApply(kernel_, AddService{foreign_service});
    MustApply(kernel_, AddDestination{foreign_service.key, foreign_service.destinations[0]});
  }
  std::mt19937 random(20260103);
  DesiredState owned;
  for (int step = 0; step < 10; ++step) {
    const DesiredState desired = RandomState(random, TestsServices());
    ASSERT_TRUE(Converge(kernel_, desired).ok());
    ASSERT_TRUE(Prune(kernel_, owned, desired, {}).ok());
    owned = desired;
    const DesiredState observed = MustObserve(kernel_, {"net/ipv4/conf/lo/arp_ignore"});
    EXPECT_TRUE(Holds(observed, foreign_address));
    EXPECT_EQ(observed.sysctls.at(0).value, "2");
    if (!TestsServices()) continue;
    const VirtualService* found = Find(observed, foreign_service.key);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found, foreign_service);
  }
}

TEST_F(ConvergeContract, PruneLeavesNothingOfWhatWasOwned) {
  std::mt19937 random(20260104);
  const DesiredState before = MustObserve(kernel_, kKeys);
  std::map<std::string, std::string> originals;
  for (const Sysctl& sysctl : before.sysctls) originals[sysctl.key] = sysctl.value;
  for (int step = 0; step < 10; ++step) {
    const DesiredState owned = RandomState(random, TestsServices());
    ASSERT_TRUE(Converge(kernel_, owned).ok());
    const ConvergeReport pruned = Prune(kernel_, owned, {}, originals);
    ASSERT_TRUE(pruned.ok()) << pruned.error->message;
    ASSERT_EQ(MustObserve(kernel_, kKeys), before);
    EXPECT_TRUE(Prune(kernel_, owned, {}, originals).done.empty());
  }
}

TEST_F(ConvergeContract, DryRunPlansWhatTheRunDoesAndChangesNothing) {
  std::mt19937 random(20260105);
  for (int step = 0; step < 10; ++step) {
    const DesiredState first = RandomState(random, TestsServices());
    const DesiredState second = RandomState(random, TestsServices());
    const DesiredState before = MustObserve(kernel_, kKeys);
    DryRunKernel dry(kernel_);
    const ConvergeReport dry_first = Converge(dry, first);
    const ConvergeReport dry_second = Converge(dry, second);
    EXPECT_EQ(MustObserve(kernel_, kKeys), before);
    // The reasons quote values as they were written ("0x1") or as the kernel shows them ("1").
    const auto lines = [](const ConvergeReport& report) {
      std::vector<std::string> texts;
      for (const Change& change : report.done) {
        const ChangeText text = Describe(change);
        texts.push_back(text.verb + " " + text.resource + " " + text.after);
      }
      return texts;
    };
    EXPECT_EQ(lines(dry_first), lines(Converge(kernel_, first)));
    EXPECT_EQ(lines(dry_second), lines(Converge(kernel_, second)));
  }
}

TEST_F(ConvergeContract, SettingsThatResetOthersSettle) {
  // Switching ip_forward on makes the kernel set accept_redirects to 0 (inet_forward_change).
  MustApply(kernel_, SetSysctl{{"net/ipv4/conf/all/accept_redirects", "1"}, ""});
  MustApply(kernel_, SetSysctl{{"net/ipv4/ip_forward", "0"}, ""});
  MustApply(kernel_, SetSysctl{{"net/ipv4/conf/all/accept_redirects", "1"}, ""});
  DesiredState desired;
  desired.sysctls = {{"net/ipv4/conf/all/accept_redirects", "1"}, {"net/ipv4/ip_forward", "1"}};
  const ConvergeReport report = Converge(kernel_, desired);
  ASSERT_TRUE(report.ok()) << report.error->message;
  EXPECT_EQ(Canonical(MustObserve(kernel_, SysctlKeys(desired))).sysctls, desired.sysctls);
  EXPECT_TRUE(Converge(kernel_, desired).done.empty());
}

TEST_F(ConvergeContract, FailureStopsAndSaysWhatWasDone) {
  DesiredState desired;
  desired.sysctls = {{"net/ipv4/conf/all/arp_ignore", "1"}};
  desired.addresses = {At("lo", "10.9.0.1/32"), At("eth9", "10.9.0.2/32"), At("lo", "10.9.0.3/32")};
  MustApply(kernel_, SetSysctl{{"net/ipv4/conf/all/arp_ignore", "0"}, ""});
  const ConvergeReport report = Converge(kernel_, desired);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->message, "address 10.9.0.2/32 on eth9: there is no interface eth9");
  EXPECT_EQ(report.done.size(), 2U);
  ASSERT_TRUE(report.failed);
  EXPECT_EQ(std::get<AddAddress>(report.failed->action).address, desired.addresses[1]);
  EXPECT_FALSE(Holds(MustObserve(kernel_), desired.addresses[2]));
}

}  // namespace
}  // namespace drover
