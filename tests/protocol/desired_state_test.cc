// Sysctl names, merging of parts, canonical order.

#include "protocol/desired_state.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

InterfaceAddress Address(const std::string& prefix, const std::string& interface) {
  return InterfaceAddress{.interface = interface, .prefix = *Prefix::Parse(prefix)};
}

TEST(SysctlKey, ReadsBothSpellingsAsSysctlDoes) {
  EXPECT_EQ(*ParseSysctlKey("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
  EXPECT_EQ(*ParseSysctlKey("net/ipv4/conf/eth0.5/arp_ignore"), "net/ipv4/conf/eth0.5/arp_ignore");
  EXPECT_EQ(*ParseSysctlKey("net.ipv4.conf.eth0/5.arp_ignore"), "net/ipv4/conf/eth0.5/arp_ignore");
  EXPECT_EQ(SysctlKeyForPeople("net/ipv4/ip_forward"), "net.ipv4.ip_forward");
  EXPECT_EQ(SysctlKeyForPeople("net/ipv4/conf/eth0.5/arp_ignore"),
            "net/ipv4/conf/eth0.5/arp_ignore");
}

TEST(SysctlKey, CannotLeaveProcSys) {
  for (const std::string text : {"", "net", "net//x", "/net/x", "net/../../etc/passwd", "net/./x",
                                 "net.ipv4.", "a b.c", "net\n.x", "../x", "net/x/.."}) {
    EXPECT_FALSE(ParseSysctlKey(text)) << text;
  }
}

TEST(SysctlValue, FoldsBlanksAsTheKernelPrintsTables) {
  EXPECT_EQ(NormalizeSysctlValue("4096\t131072\t6291456\n"), "4096 131072 6291456");
  EXPECT_EQ(NormalizeSysctlValue("  1 "), "1");
  EXPECT_EQ(NormalizeSysctlValue(""), "");
}

TEST(MergeInto, TakesTheSameResourceTwiceWhenBothAgree) {
  DesiredState whole;
  whole.sysctls = {{"net/ipv4/ip_forward", "1"}};
  DesiredState part = whole;
  part.addresses = {Address("10.0.0.100/32", "lo")};
  ASSERT_TRUE(MergeInto(whole, part));
  EXPECT_EQ(whole.sysctls.size(), 1U);
  EXPECT_EQ(whole.addresses.size(), 1U);
}

TEST(MergeInto, RefusesAContradictionAndLeavesTheWholeAlone) {
  DesiredState whole;
  whole.sysctls = {{"net/ipv4/ip_forward", "1"}};
  DesiredState part;
  part.addresses = {Address("10.0.0.100/32", "lo")};
  part.sysctls = {{"net/ipv4/ip_forward", "0"}};
  const DesiredState before = whole;
  const Status status = MergeInto(whole, part);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "sysctl net.ipv4.ip_forward is asked for twice, with different settings");
  EXPECT_EQ(whole, before);
}

TEST(ValidateState, NamesWhatIsNamedTwice) {
  DesiredState state;
  state.addresses = {Address("10.0.0.1/32", "lo"), Address("10.0.0.1/24", "lo")};
  const Status status = ValidateState(state);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "address 10.0.0.1 on lo is named twice");
}

TEST(ValidateAddress, RefusesInterfacesThatCannotBe) {
  for (const std::string name : {"", "a/b", "eth 0", "a-name-that-is-long", ".."}) {
    EXPECT_FALSE(ValidateAddress(Address("10.0.0.1/32", name))) << name;
  }
  EXPECT_TRUE(ValidateAddress(Address("10.0.0.1/32", "eth0.100")));
  EXPECT_FALSE(ValidateAddress(Address("0.0.0.0/32", "lo")));
  EXPECT_FALSE(ValidateAddress(Address("224.0.0.1/32", "lo")));
  EXPECT_FALSE(ValidateAddress(Address("10.0.0.1/0", "lo")));
}

TEST(Canonical, SortsResourcesButKeepsTheOrderOfRealServers) {
  VirtualService service;
  service.key = SocketKey{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80};
  service.destinations = {Destination{.address = *IpAddress::Parse("10.0.0.9"), .port = 80},
                          Destination{.address = *IpAddress::Parse("10.0.0.1"), .port = 80}};
  DesiredState state;
  state.services = {service};
  state.sysctls = {{"net/b", "1"}, {"net/a", "1"}};
  const DesiredState sorted = Canonical(state);
  EXPECT_EQ(sorted.sysctls.front().key, "net/a");
  EXPECT_EQ(sorted.services.front().destinations, service.destinations);
}

}  // namespace
}  // namespace drover
