// What every kernel owes converge about addresses.

#include "tests/contract/contract_node.h"
#include "tests/contract/states.h"

namespace drover {
namespace {

class AddressContract : public testing::Test {
 protected:
  Status Add(const InterfaceAddress& address) { return kernel_.Apply({AddAddress{address}, ""}); }
  Status Remove(const InterfaceAddress& address) {
    return kernel_.Apply({RemoveAddress{address}, ""});
  }
  std::unique_ptr<ContractNode> node_ = MakeContractNode();
  Kernel& kernel_ = node_->kernel();
};

TEST_F(AddressContract, AddedAddressIsObservedUntilItIsRemoved) {
  for (const InterfaceAddress& address :
       {At("lo", "10.9.0.100/32"), At("eth0", "10.9.0.100/24"), At("lo", "2001:db8:9::100/128"),
        At("eth0", "2001:db8:9::100/64"), At("lo", "127.0.0.9/8")}) {
    const DesiredState before = MustObserve(kernel_);
    ASSERT_TRUE(Add(address)) << address.prefix.ToString();
    EXPECT_TRUE(Holds(MustObserve(kernel_), address)) << address.prefix.ToString();
    ASSERT_TRUE(Remove(address)) << address.prefix.ToString();
    EXPECT_EQ(MustObserve(kernel_), before);
  }
}

TEST_F(AddressContract, AnnouncedAddressIsObservedWithoutTheWish) {
  for (const std::string prefix : {"10.9.0.100/32", "2001:db8:9::100/64"}) {
    for (const std::string interface : {"lo", "eth0"}) {
      InterfaceAddress address = At(interface, prefix);
      address.announce = true;
      ASSERT_TRUE(Add(address)) << interface << " " << prefix;
      EXPECT_TRUE(Holds(MustObserve(kernel_), At(interface, prefix)));
    }
  }
}

TEST_F(AddressContract, AddingWhatIsThereIsExists) {
  for (const InterfaceAddress& address :
       {At("lo", "10.9.0.1/32"), At("eth0", "2001:db8:9::1/64")}) {
    ASSERT_TRUE(Add(address));
    const Status again = Add(address);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kExists);
    EXPECT_NE(again.error().message.find(address.prefix.ToString() + " on " + address.interface),
              std::string::npos)
        << again.error().message;
  }
}

TEST_F(AddressContract, RemovingWhatIsMissingIsNotFound) {
  for (const InterfaceAddress& address :
       {At("lo", "10.9.0.1/32"), At("eth0", "2001:db8:9::1/64")}) {
    const Status removed = Remove(address);
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code, ErrorCode::kNotFound);
    EXPECT_NE(removed.error().message.find("on " + address.interface), std::string::npos);
  }
}

TEST_F(AddressContract, MissingInterfaceIsNamed) {
  const Status added = Add(At("eth9", "10.9.0.1/32"));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(added.error().message, "address 10.9.0.1/32 on eth9: there is no interface eth9");
  const Status rehearsed = kernel_.Rehearse({AddAddress{At("eth9", "10.9.0.1/32")}, ""});
  ASSERT_FALSE(rehearsed);
  EXPECT_EQ(rehearsed.error(), added.error());
  EXPECT_TRUE(kernel_.Rehearse({AddAddress{At("lo", "10.9.0.1/32")}, ""}));
}

TEST_F(AddressContract, Ipv4KeepsOneAddressWithTwoPrefixLengthsAndIpv6DoesNot) {
  ASSERT_TRUE(Add(At("eth0", "10.9.0.1/32")));
  ASSERT_TRUE(Add(At("eth0", "10.9.0.1/24")));
  ASSERT_TRUE(Add(At("eth0", "2001:db8:9::1/128")));
  const Status second = Add(At("eth0", "2001:db8:9::1/64"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kExists);
}

TEST_F(AddressContract, RemovingThePrimaryAddressOfANetworkKeepsTheOthers) {
  for (const char* prefix : {"10.9.0.1/24", "10.9.0.2/24", "10.9.0.3/24"}) {
    ASSERT_TRUE(Add(At("eth0", prefix)));
  }
  ASSERT_TRUE(Remove(At("eth0", "10.9.0.1/24")));
  const DesiredState observed = MustObserve(kernel_);
  EXPECT_FALSE(Holds(observed, At("eth0", "10.9.0.1/24")));
  EXPECT_TRUE(Holds(observed, At("eth0", "10.9.0.2/24")));
  EXPECT_TRUE(Holds(observed, At("eth0", "10.9.0.3/24")));
}

}  // namespace
}  // namespace drover
