#include "node-helper/converge/converge.h"

#include <gtest/gtest.h>

#include "node-helper/converge/dry_run_kernel.h"
#include "tests/fakes/fake_kernel.h"

namespace drover {
namespace {

InterfaceAddress At(const std::string& interface, const std::string& prefix) {
  return InterfaceAddress{interface, Prefix::Parse(prefix).value()};
}

DesiredState Vip() {
  DesiredState desired;
  desired.addresses = {At("lo", "10.0.0.100/32")};
  desired.sysctls = {{"net/ipv4/conf/all/arp_ignore", "1"}};
  return desired;
}

FakeKernel Node() {
  FakeKernel kernel;
  kernel.SetSysctlValue("net/ipv4/conf/all/arp_ignore", "0");
  return kernel;
}

TEST(Converge, SecondRunSendsNothingAndLooksOnce) {
  FakeKernel kernel = Node();
  EXPECT_EQ(Converge(kernel, Vip()).done.size(), 2U);
  kernel.ForgetApplied();
  const int before = kernel.observations();
  const ConvergeReport again = Converge(kernel, Vip());
  EXPECT_EQ(again, ConvergeReport{});
  EXPECT_TRUE(kernel.applied().empty());
  EXPECT_EQ(kernel.observations(), before + 1);
}

TEST(Converge, RefusalEndsItAndWhatWasDoneStays) {
  FakeKernel kernel = Node();
  kernel.FailNth(2, {ErrorCode::kDenied, "address 10.0.0.100/32 on lo: not permitted"});
  const ConvergeReport report = Converge(kernel, Vip());
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::kDenied);
  ASSERT_TRUE(report.failed);
  EXPECT_EQ(Describe(*report.failed).resource, "address 10.0.0.100/32 on lo");
  ASSERT_EQ(report.done.size(), 1U);
  EXPECT_EQ(Describe(report.done[0]).resource, "sysctl net.ipv4.conf.all.arp_ignore");
  EXPECT_EQ(std::get<SetSysctl>(report.done[0].action).before, "0");
  const ConvergeReport next = Converge(kernel, Vip());
  EXPECT_TRUE(next.ok());
  EXPECT_EQ(next.done.size(), 1U);
}

TEST(Converge, StaleObservationIsPlannedAgain) {
  for (const ErrorCode code : {ErrorCode::kExists, ErrorCode::kNotFound}) {
    FakeKernel kernel = Node();
    kernel.FailNth(2, {code, "somebody was faster"});
    const ConvergeReport report = Converge(kernel, Vip());
    EXPECT_TRUE(report.ok());
    EXPECT_FALSE(report.failed);
    EXPECT_EQ(report.done.size(), 2U);
  }
}

// A kernel on which somebody else undoes every change at once.
class Contested : public FakeKernel {
 public:
  Status Apply(const Change& change) override {
    const DesiredState before = state();
    Status applied = FakeKernel::Apply(change);
    state() = before;
    return applied;
  }
};

TEST(Converge, GivesUpWhenItDoesNotSettle) {
  Contested kernel;
  DesiredState desired;
  desired.addresses = {At("lo", "10.0.0.100/32")};
  const ConvergeReport report = Converge(kernel, desired);
  ASSERT_TRUE(report.error);
  EXPECT_NE(report.error->message.find("address 10.0.0.100/32 on lo: does not settle"),
            std::string::npos)
      << report.error->message;
  EXPECT_EQ(kernel.applied().size(), static_cast<std::size_t>(kMaxRounds));
}

TEST(Converge, GivesUpWhenItIsStaleForEver) {
  class AlwaysStale : public FakeKernel {
   public:
    Status Apply(const Change& /*change*/) override {
      return Fail(ErrorCode::kExists, "address 10.0.0.100/32 on lo: it is already there");
    }
  };
  AlwaysStale kernel;
  DesiredState desired;
  desired.addresses = {At("lo", "10.0.0.100/32")};
  const ConvergeReport report = Converge(kernel, desired);
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::kExists);
  EXPECT_EQ(kernel.observations(), kMaxRounds);
}

TEST(Converge, MissingSysctlIsAnErrorBeforeAnythingIsTouched) {
  FakeKernel kernel;
  const ConvergeReport report = Converge(kernel, Vip());
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->message,
            "sysctl net.ipv4.conf.all.arp_ignore: this kernel has no such setting");
  EXPECT_FALSE(report.failed);
  EXPECT_TRUE(kernel.applied().empty());
}

TEST(Converge, AnnouncesOnlyWhatItAdds) {
  FakeKernel kernel;
  DesiredState desired;
  desired.addresses = {At("eth0", "10.0.0.100/32")};
  desired.addresses[0].announce = true;
  ASSERT_TRUE(Converge(kernel, desired).ok());
  ASSERT_TRUE(Converge(kernel, desired).ok());
  EXPECT_EQ(kernel.announced(), std::vector<std::string>{"10.0.0.100"});
}

TEST(DryRunKernel, LaterTasksSeeWhatEarlierOnesWouldHaveDone) {
  FakeKernel kernel = Node();
  DryRunKernel dry(kernel);
  EXPECT_EQ(Converge(dry, Vip()).done.size(), 2U);
  EXPECT_TRUE(Converge(dry, Vip()).done.empty());
  DesiredState more = Vip();
  more.addresses.push_back(At("lo", "10.0.0.101/32"));
  EXPECT_EQ(Converge(dry, more).done.size(), 1U);
  EXPECT_EQ(Prune(dry, more, {}, {{"net/ipv4/conf/all/arp_ignore", "0"}}).done.size(), 3U);
  EXPECT_TRUE(kernel.applied().empty());
}

TEST(DryRunKernel, AsksTheKernelOncePerKey) {
  FakeKernel kernel = Node();
  kernel.SetSysctlValue("net/ipv4/ip_forward", "0");
  DryRunKernel dry(kernel);
  ASSERT_TRUE(dry.Observe({"net/ipv4/conf/all/arp_ignore"}));
  ASSERT_TRUE(dry.Observe({"net/ipv4/conf/all/arp_ignore", "net/ipv4/none"}));
  ASSERT_TRUE(dry.Observe({"net/ipv4/none"}));
  EXPECT_EQ(kernel.observations(), 2);
  const auto both = dry.Observe({"net/ipv4/ip_forward", "net/ipv4/conf/all/arp_ignore"});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->sysctls.size(), 2U);
}

TEST(DryRunKernel, RefusesWhatTheKernelWouldRefuse) {
  FakeKernel kernel;
  kernel.RemoveIpvs();
  DryRunKernel dry(kernel);
  DesiredState desired;
  desired.addresses = {At("eth9", "10.0.0.100/32")};
  EXPECT_EQ(Converge(dry, desired).error->message,
            "address 10.0.0.100/32 on eth9: there is no interface eth9");
  VirtualService service;
  service.key = FwmarkKey{7, Family::kIpv4};
  desired = {};
  desired.services = {service};
  EXPECT_EQ(Converge(dry, desired).error->message,
            "service fwmark 7 ipv4: this kernel has no ip_vs");
}

}  // namespace
}  // namespace drover
