// What every kernel owes converge about sysctls.

#include "tests/contract/contract_node.h"
#include "tests/contract/states.h"

namespace drover {
namespace {

class SysctlContract : public testing::Test {
 protected:
  Status Set(const std::string& key, const std::string& value) {
    return kernel_.Apply({SetSysctl{{key, value}, ""}, ""});
  }
  std::unique_ptr<ContractNode> node_ = MakeContractNode();
  Kernel& kernel_ = node_->kernel();
};

TEST_F(SysctlContract, SetValueIsObserved) {
  ASSERT_TRUE(Set("net/ipv4/conf/all/arp_ignore", "1"));
  ASSERT_TRUE(Set("net/ipv4/ip_local_port_range", "1024 65000"));
  const DesiredState observed =
      MustObserve(kernel_, {"net/ipv4/ip_local_port_range", "net/ipv4/conf/all/arp_ignore"});
  EXPECT_EQ(observed.sysctls,
            (std::vector<Sysctl>{{"net/ipv4/conf/all/arp_ignore", "1"},
                                 {"net/ipv4/ip_local_port_range", "1024 65000"}}));
}

TEST_F(SysctlContract, OnlyTheNamedOnesAreObservedAndMissingOnesAreLeftOut) {
  EXPECT_TRUE(MustObserve(kernel_).sysctls.empty());
  EXPECT_TRUE(MustObserve(kernel_, {"net/ipv4/conf/eth9/arp_ignore"}).sysctls.empty());
}

TEST_F(SysctlContract, SettingAMissingOneNamesIt) {
  const Status set = Set("net/ipv4/conf/eth9/arp_ignore", "1");
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(set.error().message,
            "sysctl net.ipv4.conf.eth9.arp_ignore: this kernel has no such setting");
}

}  // namespace
}  // namespace drover
