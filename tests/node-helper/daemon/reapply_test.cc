#include "node-helper/daemon/reapply.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_kernel.h"
#include "tests/node-helper/store/samples.h"

namespace drover {
namespace {

TEST(Reapply, SetsEverythingOfEveryOwnerOnce) {
  FakeKernel kernel;
  kernel.SetSysctlValue("net/ipv4/conf/all/arp_ignore", "0");
  const std::vector<OwnerRecord> records = {
      RecordOf("dns", State({Vip("10.0.0.53/32")})),
      RecordOf("web", State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}, {Web()}))};
  const ReapplyReport report = Reapply(kernel, records);
  EXPECT_TRUE(report.failures.empty());
  EXPECT_EQ(report.done.size(), 6U);
  EXPECT_TRUE(Reapply(kernel, records).done.empty());
}

// The interface eth1 comes late in the boot: what is on eth0 does not wait for it.
TEST(Reapply, MissingInterfaceKeepsNothingElseBack) {
  FakeKernel kernel;
  const std::vector<OwnerRecord> records = {
      RecordOf("web", State({Vip("10.0.0.101/32", "eth1"), Vip("10.0.0.100/32", "eth0")},
                            {Sysctl{"net/ipv4/conf/eth1/arp_ignore", "1"}}, {Web()}))};
  const ReapplyReport report = Reapply(kernel, records);
  EXPECT_EQ(report.failures.size(), 2U);
  EXPECT_EQ(kernel.state().addresses.size(), 1U);
  EXPECT_EQ(kernel.state().services.size(), 1U);
  kernel.AddInterface("eth1");
  kernel.SetSysctlValue("net/ipv4/conf/eth1/arp_ignore", "0");
  EXPECT_TRUE(Reapply(kernel, records).failures.empty());
  EXPECT_EQ(kernel.state().addresses.size(), 2U);
}

TEST(Reapply, DelayGrowsToAMinute) {
  EXPECT_EQ(RetryDelay(1), std::chrono::seconds{1});
  EXPECT_EQ(RetryDelay(2), std::chrono::seconds{2});
  EXPECT_EQ(RetryDelay(4), std::chrono::seconds{8});
  EXPECT_EQ(RetryDelay(7), std::chrono::seconds{60});
  EXPECT_EQ(RetryDelay(100000), std::chrono::seconds{60});
}

}  // namespace
}  // namespace drover
