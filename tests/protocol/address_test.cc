// Addresses, prefixes and endpoints: what is read, what is refused, how it is printed.

#include "protocol/address.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(Address, ParsesAndPrintsInRfc5952Form) {
  struct Case {
    std::string text;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{{"10.0.0.1", "10.0.0.1"},
                                         {"255.255.255.255", "255.255.255.255"},
                                         {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
                                         {"::", "::"},
                                         {"::ffff:1.2.3.4", "::ffff:1.2.3.4"}}) {
    const Result<IpAddress> address = IpAddress::Parse(c.text);
    ASSERT_TRUE(address) << c.text;
    EXPECT_EQ(address->ToString(), c.want);
  }
}

TEST(Address, RefusesWhatIsNoAddress) {
  for (const std::string& text :
       {std::string(""), std::string("10.0.0"), std::string("10.0.0.256"), std::string("010.0.0.1"),
        std::string("10.0.0.1 "), std::string("10.0.0.1/24"), std::string("fe80::1%eth0"),
        std::string("web"), std::string("1.2.3.4\0x", 9), std::string("0x0a.0.0.1")}) {
    const Result<IpAddress> address = IpAddress::Parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, ErrorCode::kInvalid);
    EXPECT_NE(address.error().message.find("is no IP address"), std::string::npos);
  }
}

TEST(Address, KnowsItsKind) {
  EXPECT_TRUE(IpAddress::Parse("127.0.0.53")->is_loopback());
  EXPECT_TRUE(IpAddress::Parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::Parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress::Parse("224.0.0.18")->is_multicast());
  EXPECT_TRUE(IpAddress::Parse("ff02::12")->is_multicast());
  EXPECT_TRUE(IpAddress::Parse("0.0.0.0")->is_unspecified());
  EXPECT_FALSE(IpAddress::Parse("10.0.0.0")->is_unspecified());
}

TEST(Prefix, KeepsHostBitsAndDefaultsToTheHostAlone) {
  EXPECT_EQ(Prefix::Parse("10.0.0.7/24")->ToString(), "10.0.0.7/24");
  EXPECT_EQ(Prefix::Parse("10.0.0.7")->ToString(), "10.0.0.7/32");
  EXPECT_EQ(Prefix::Parse("2001:db8::1")->ToString(), "2001:db8::1/128");
  EXPECT_FALSE(Prefix::Parse("10.0.0.7/33"));
  EXPECT_FALSE(Prefix::Parse("10.0.0.7/"));
  EXPECT_FALSE(Prefix::Parse("10.0.0.7/-1"));
  EXPECT_FALSE(Prefix::Parse("10.0.0.7/24x"));
}

TEST(Prefix, ContainsComparesOnlyItsOwnBits) {
  const Prefix net = *Prefix::Parse("10.1.2.3/20");
  EXPECT_TRUE(net.Contains(*IpAddress::Parse("10.1.15.255")));
  EXPECT_FALSE(net.Contains(*IpAddress::Parse("10.1.16.0")));
  EXPECT_FALSE(net.Contains(*IpAddress::Parse("::1")));
  EXPECT_TRUE(Prefix::Parse("0.0.0.0/0")->Contains(*IpAddress::Parse("1.2.3.4")));
}

TEST(Endpoint, ReadsBothFamilies) {
  EXPECT_EQ(Endpoint::Parse("10.0.0.1:80")->ToString(), "10.0.0.1:80");
  EXPECT_EQ(Endpoint::Parse("[2001:db8::1]:443")->ToString(), "[2001:db8::1]:443");
}

TEST(Endpoint, SaysWhatIsWrong) {
  struct Case {
    std::string text;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{{"10.0.0.1", "has no port"},
                                         {"10.0.0.1:0", "\"0\" is no port (1 to 65535)"},
                                         {"10.0.0.1:70000", "\"70000\" is no port"},
                                         {"10.0.0.1:", "\"\" is no port"},
                                         {"10.0.0.1:+80", "is no port"},
                                         {"2001:db8::1:80", "[ADDRESS]:PORT"},
                                         {"web:80", "\"web\" is no IP address"}}) {
    const Result<Endpoint> endpoint = Endpoint::Parse(c.text);
    ASSERT_FALSE(endpoint) << c.text;
    EXPECT_NE(endpoint.error().message.find(c.want), std::string::npos) << endpoint.error().message;
  }
}

}  // namespace
}  // namespace drover
