#include "node-helper/net/network_codec.h"

#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>

#include "node-helper/net/network_plan.h"

namespace drover {
namespace {

template <typename Header>
Bytes Message(const Header& header) {
  Bytes bytes(NLMSG_ALIGN(sizeof header));
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Bytes Four(std::uint8_t last) { return {10, 9, 0, last}; }

Bytes AddressMessage(std::uint8_t last, std::uint32_t flags, std::uint32_t valid) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = 24;
  header.ifa_flags = static_cast<std::uint8_t>(flags);
  header.ifa_index = 2;
  Bytes bytes = Message(header);
  AttributeWriter writer(bytes);
  writer.Put(IFA_ADDRESS, Four(last));
  writer.Put(IFA_LOCAL, Four(last));
  writer.PutU32(IFA_FLAGS, flags);
  const ifa_cacheinfo cache{valid, valid, 77, 88};
  writer.Put(IFA_CACHEINFO, {reinterpret_cast<const std::uint8_t*>(&cache), sizeof cache});
  return bytes;
}

Bytes RouteMessage(unsigned char protocol, unsigned flags = 0) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = protocol;
  header.rtm_type = RTN_UNICAST;
  header.rtm_flags = flags;
  Bytes bytes = Message(header);
  AttributeWriter writer(bytes);
  writer.PutU32(RTA_OIF, 2);
  writer.Put(RTA_GATEWAY, Four(254));
  rtnexthop hop{};
  hop.rtnh_len = sizeof hop;
  hop.rtnh_ifindex = 3;
  hop.rtnh_flags = RTNH_F_LINKDOWN;
  writer.Put(RTA_MULTIPATH, {reinterpret_cast<const std::uint8_t*>(&hop), sizeof hop});
  return bytes;
}

template <typename Decode>
void SurvivesEveryCut(const Bytes& message, Decode decode) {
  for (std::size_t size = 0; size < message.size(); ++size) {
    const Bytes cut(message.begin(), message.begin() + static_cast<long>(size));
    (void)decode(cut);
  }
  EXPECT_FALSE(decode(Bytes(4)));
}

TEST(NetworkCodec, TruncatedMessagesAreSurvived) {
  SurvivesEveryCut(AddressMessage(1, 0, 60), DecodeAddressState);
  SurvivesEveryCut(RouteMessage(RTPROT_STATIC), DecodeRouteState);
  SurvivesEveryCut(EncodeListRules(), DecodeRuleState);
  SurvivesEveryCut(EncodeListLinks(), DecodeLinkState);
}

TEST(NetworkCodec, WhatChangesByItselfIsNotRemembered) {
  constexpr std::uint32_t kForEver = 0xFFFFFFFF;
  const auto quiet = DecodeAddressState(AddressMessage(1, IFA_F_PERMANENT, kForEver)).value();
  const auto busy =
      DecodeAddressState(
          AddressMessage(1, IFA_F_PERMANENT | IFA_F_SECONDARY | IFA_F_TENTATIVE | IFA_F_NODAD,
                         kForEver))
          .value();
  EXPECT_EQ(quiet, busy);
  EXPECT_FALSE(quiet->lifetime);
  EXPECT_EQ(DecodeRouteState(RouteMessage(RTPROT_STATIC, RTNH_F_LINKDOWN)).value(),
            DecodeRouteState(RouteMessage(RTPROT_STATIC)).value());
  // What was remembered once is remembered the same again.
  const auto route = DecodeRouteState(RouteMessage(RTPROT_STATIC)).value();
  EXPECT_EQ(DecodeRouteState(route->wire).value(), route);
}

TEST(NetworkCodec, RoutesOfOthersAreNotRemembered) {
  for (const unsigned char protocol :
       {RTPROT_ZEBRA, RTPROT_BIRD, RTPROT_BGP, RTPROT_OSPF, RTPROT_RA, RTPROT_REDIRECT}) {
    EXPECT_FALSE(DecodeRouteState(RouteMessage(protocol)).value()) << int{protocol};
  }
  for (const unsigned char protocol : {RTPROT_BOOT, RTPROT_STATIC, RTPROT_DHCP, RTPROT_KERNEL}) {
    EXPECT_TRUE(DecodeRouteState(RouteMessage(protocol)).value()) << int{protocol};
  }
  EXPECT_FALSE(DecodeRouteState(RouteMessage(RTPROT_STATIC, RTM_F_CLONED)).value());
}

TEST(NetworkCodec, ALeaseIsShorterLater) {
  const auto lease = DecodeAddressState(AddressMessage(1, 0, 3600)).value();
  EXPECT_EQ(lease->lifetime, std::chrono::seconds(3600));
  const AddressState later = WithLifetime(*lease, std::chrono::seconds(600));
  EXPECT_EQ(later.lifetime, std::chrono::seconds(3000));
  EXPECT_EQ(DecodeAddressState(later.wire).value(), later);
}

TEST(NetworkCodec, InterfaceNumbersAreThoseOfNow) {
  const auto route = DecodeRouteState(RouteMessage(RTPROT_STATIC)).value();
  const auto moved = WithIndexes(*route, {{2, 20}, {3, 30}});
  ASSERT_TRUE(moved);
  EXPECT_EQ(NameOf(*moved, {{20, "eth0"}, {30, "eth1"}}),
            "route default via 10.9.0.254 on eth0 on eth1");
  EXPECT_FALSE(WithIndexes(*route, {{2, 20}}));
  EXPECT_FALSE(WithIndexes(*route, {{3, 30}}));
}

// One interface with the given addresses.
NetworkSnapshot Node(std::uint32_t index, const std::vector<Bytes>& addresses) {
  NetworkSnapshot node;
  node.boot_id = "one";
  node.links = {{2, "eth0", true, 1500}};
  for (const Bytes& message : addresses) {
    node.addresses.push_back(*DecodeAddressState(message).value());
  }
  if (index != 2) {
    node.links[0].index = index;
    for (AddressState& address : node.addresses) address = *WithIndexes(address, {{2, index}});
  }
  return node;
}

std::vector<std::string> Lines(const std::vector<NetworkStep>& steps) {
  std::vector<std::string> lines;
  for (const NetworkStep& step : steps) lines.push_back(step.text.verb + " " + step.text.resource);
  return lines;
}

constexpr std::uint32_t kForEver = 0xFFFFFFFF;

TEST(NetworkPlan, SameIsNothingToDo) {
  const NetworkSnapshot node =
      Node(2, {AddressMessage(1, 0, kForEver), AddressMessage(2, 0, kForEver)});
  EXPECT_EQ(PlanLinks(node, node, {}), std::vector<NetworkStep>());
  EXPECT_EQ(PlanAddresses(node, node, {}), std::vector<NetworkStep>());
  EXPECT_EQ(PlanRoutes(node, node, {}), std::vector<NetworkStep>());
  EXPECT_EQ(PlanRules(node, node), std::vector<NetworkStep>());
  const NetworkSnapshot after_reboot =
      Node(9, {AddressMessage(1, 0, kForEver), AddressMessage(2, 0, kForEver)});
  EXPECT_EQ(PlanAddresses(node, after_reboot, {}), std::vector<NetworkStep>());
}

TEST(NetworkPlan, TheFirstAddressOfANetworkIsTheFirstAgain) {
  const NetworkSnapshot before =
      Node(2, {AddressMessage(1, 0, kForEver), AddressMessage(2, 0, kForEver)});
  const NetworkSnapshot now = Node(2, {AddressMessage(2, 0, kForEver)});
  EXPECT_EQ(Lines(PlanAddresses(before, now, {})),
            (std::vector<std::string>{"remove address 10.9.0.2/24 on eth0",
                                      "add address 10.9.0.1/24 on eth0",
                                      "add address 10.9.0.2/24 on eth0"}));
}

TEST(NetworkPlan, ALeaseComesBackForItsRestInTheSameBootOnly) {
  const NetworkSnapshot before = Node(2, {AddressMessage(1, 0, 3600)});
  NetworkSnapshot now = Node(2, {});
  now.taken_at = std::chrono::seconds(600);
  const auto steps = PlanAddresses(before, now, {});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(DecodeAddressState(steps[0].payload).value()->lifetime, std::chrono::seconds(3000));
  now.taken_at = std::chrono::seconds(3600);
  EXPECT_EQ(PlanAddresses(before, now, {}), std::vector<NetworkStep>());
  now.taken_at = std::chrono::seconds(600);
  now.boot_id = "another";
  EXPECT_EQ(PlanAddresses(before, now, {}), std::vector<NetworkStep>());
}

TEST(NetworkPlan, AddressesThatOthersHoldAreNeitherAddedNorRemoved) {
  HeldElsewhere held;
  held.address = [](const InterfaceAddress& address) {
    return address.prefix.address.ToString() == "10.9.0.100";
  };
  const NetworkSnapshot with =
      Node(2, {AddressMessage(1, 0, kForEver), AddressMessage(100, 0, kForEver)});
  const NetworkSnapshot without = Node(2, {AddressMessage(1, 0, kForEver)});
  EXPECT_EQ(PlanAddresses(with, without, held), std::vector<NetworkStep>());
  EXPECT_EQ(PlanAddresses(without, with, held), std::vector<NetworkStep>());
  EXPECT_EQ(PlanAddresses(without, with, {}).size(), 1U);
}

TEST(NetworkSnapshot, DamagedTextIsAnError) {
  const std::string text = EncodeNetworkSnapshot(Node(2, {AddressMessage(1, 0, kForEver)}));
  EXPECT_TRUE(DecodeNetworkSnapshot(text));
  for (const std::string& damaged :
       {std::string(), text.substr(1), text + "address\n", text + "address 0g\n",
        text + "route 00\n", text + "link x\n", text + "boot\n", text + "nonsense 00\n"}) {
    EXPECT_FALSE(DecodeNetworkSnapshot(damaged)) << damaged;
  }
}

}  // namespace
}  // namespace drover
