// What every kernel owes converge about what packets find their way by: tunnels, routes, filters of
// ARP, firewall marks.

#include "node-helper/converge/converge.h"
#include "tests/contract/contract_node.h"
#include "tests/contract/states.h"

namespace drover {
namespace {

PathPart Way(const std::string& gateway) {
  return Route{Prefix::Parse("10.99.0.0/16").value(), Ip(gateway)};
}
PathPart Filter(const std::string& sender) { return ArpFilter{Ip("10.0.0.100"), Ip(sender)}; }
PathPart Mark(const std::string& endpoint, std::uint32_t mark) {
  return PacketMark{Tcp(endpoint), mark};
}

class PathContract : public testing::Test {
 protected:
  void SetUp() override {
    node_ = MakeContractNode();
    MustApply(kernel(), AddAddress{At("eth0", "10.0.0.21/24")});
  }
  Kernel& kernel() { return node_->kernel(); }
  std::vector<PathPart> Path() { return MustObserve(kernel()).path; }
  std::unique_ptr<ContractNode> node_;
};

TEST_F(PathContract, PartsAreObservedAsTheyWereSetUntilTheyAreRemoved) {
  for (const PathPart& part : {PathPart(Tunnel{"lvs-ipip", TunnelKind::kIpip, Ip("10.0.0.21")}),
                               PathPart(Tunnel{"lvs-gre", TunnelKind::kGre, Ip("10.0.0.21")}),
                               PathPart(GueReceiver{6080}), Way("10.0.0.1"), Filter("10.0.0.21"),
                               Mark("10.0.0.100:80", 7), Mark("[2001:db8::1]:443", 0xFFFFFFFF),
                               PathPart(PacketMark{{Transport::kUdp, Ip("10.0.0.100"), 53}, 1}),
                               PathPart(PacketMark{{Transport::kTcp, Ip("10.0.0.100"), 80},
                                                   1,
                                                   {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})}) {
    MustApply(kernel(), AddPathPart{part});
    EXPECT_EQ(Path(), std::vector{part}) << NameOf(part);
    MustApply(kernel(), RemovePathPart{part});
    EXPECT_EQ(Path(), std::vector<PathPart>{}) << NameOf(part);
  }
}

TEST_F(PathContract, ConvergeSetsChangesAndLeavesAlone) {
  DesiredState desired;
  desired.path = {Way("10.0.0.1"), Filter("10.0.0.21"), Mark("10.0.0.100:80", 1),
                  Mark("10.0.0.100:443", 1)};
  ASSERT_TRUE(Converge(kernel(), desired).ok());
  EXPECT_EQ(Path(), Canonical(desired).path);
  EXPECT_TRUE(Converge(kernel(), desired).done.empty());
  desired.path = {Way("10.0.0.2"), Filter("10.0.0.22"), Mark("10.0.0.100:80", 2),
                  Mark("10.0.0.100:443", 1)};
  const ConvergeReport report = Converge(kernel(), desired);
  ASSERT_TRUE(report.ok()) << report.error->message;
  EXPECT_EQ(report.done.size(), 3U);
  EXPECT_EQ(Path(), Canonical(desired).path);
}

TEST_F(PathContract, WithATunnelComeItsAddressAndItsSettings) {
  DesiredState desired;
  desired.path = {Tunnel{"lvs-ipip", TunnelKind::kIpip, Ip("10.0.0.21")}};
  desired.addresses = {At("lvs-ipip", "10.0.0.100/32")};
  ASSERT_TRUE(Converge(kernel(), desired).ok());
  EXPECT_TRUE(Converge(kernel(), desired).done.empty());
  const ConvergeReport gone = Prune(kernel(), desired, {}, {});
  ASSERT_TRUE(gone.ok()) << gone.error->message;
  EXPECT_EQ(Path(), std::vector<PathPart>{});
}

TEST_F(PathContract, GueGoesOnToADeviceOfIpipAndHasItsPortAlone) {
  DesiredState desired;
  desired.path = {Tunnel{"lvs-ipip", TunnelKind::kIpip, Ip("10.0.0.21")}, GueReceiver{6080},
                  GueReceiver{6081}};
  const ConvergeReport set = Converge(kernel(), desired);
  ASSERT_TRUE(set.ok()) << set.error->message;
  EXPECT_EQ(Path(), desired.path);
  EXPECT_TRUE(Converge(kernel(), desired).done.empty());
  const Status again = kernel().Apply({AddPathPart{GueReceiver{6080}}, ""});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kExists) << again.error().message;
  DesiredState less = desired;
  less.path.pop_back();
  ASSERT_TRUE(Prune(kernel(), desired, less, {}).ok());
  EXPECT_EQ(Path(), less.path);
}

TEST_F(PathContract, StaleRemovalsAreToldByTheirCodeAndName) {
  for (const PathPart& part : {Way("10.0.0.1"), Filter("10.0.0.21"), PathPart(GueReceiver{6080})}) {
    const Status removed = kernel().Apply({RemovePathPart{part}, ""});
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code, ErrorCode::kNotFound) << removed.error().message;
    EXPECT_NE(removed.error().message.find(NameOf(part) + ": it is not there"), std::string::npos)
        << removed.error().message;
  }
}

}  // namespace
}  // namespace drover
