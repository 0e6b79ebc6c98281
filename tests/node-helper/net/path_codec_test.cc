#include "node-helper/net/path_codec.h"

#include <gtest/gtest.h>
#include <linux/netfilter/nf_tables.h>

#include "node-helper/net/nft_batch.h"
#include "node-helper/net/nft_rules.h"

namespace drover {
namespace {

IpAddress Ip(const std::string& text) { return IpAddress::Parse(text).value(); }

TEST(PathCodec, RoutesAreReadAsTheyWereWritten) {
  for (const Route& route :
       {Route{Prefix{Ip("0.0.0.0"), 0}, Ip("10.0.0.1")},
        Route{Prefix{Ip("10.9.0.0"), 16}, Ip("10.0.0.1")},
        Route{Prefix{Ip("::"), 0}, Ip("fe80::1")}, Route{Prefix{Ip("fd00::"), 8}, Ip("fd01::1")}}) {
    const auto decoded = DecodeRoute(EncodeRoute(route));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, route);
  }
}

TEST(PathCodec, RoutesOfOthersAreNotOurs) {
  Bytes bytes = EncodeRoute({Prefix{Ip("10.9.0.0"), 16}, Ip("10.0.0.1")});
  bytes[5] = 4;  // rtm_protocol: static
  EXPECT_EQ(DecodeRoute(bytes).value(), std::nullopt);
}

TEST(PathCodec, TunnelsAreReadAsTheyWereWritten) {
  for (const TunnelKind kind : {TunnelKind::kIpip, TunnelKind::kGre}) {
    const Tunnel tunnel{"lvs0", kind, Ip("10.0.0.21")};
    const auto decoded = DecodeTunnel(EncodeTunnel(tunnel));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, tunnel);
  }
  EXPECT_EQ(DecodeTunnel(EncodeTunnelRemoval({"lvs0"})).value(), std::nullopt);  // it is down
}

TEST(PathCodec, MessagesThatAreCutOffAreRefused) {
  const Bytes route = EncodeRoute({Prefix{Ip("10.9.0.0"), 16}, Ip("10.0.0.1")});
  const Bytes tunnel = EncodeTunnel({"lvs0", TunnelKind::kIpip, Ip("10.0.0.21")});
  for (std::size_t size = 0; size < 12; ++size) {
    EXPECT_FALSE(DecodeRoute(ByteView(route).first(size))) << size;
    EXPECT_FALSE(DecodeTunnel(ByteView(tunnel).first(size))) << size;
  }
  for (std::size_t size = 12; size < tunnel.size(); ++size) {
    (void)DecodeTunnel(ByteView(tunnel).first(size));  // whatever it says, it does not crash
  }
}

// --- rules

std::vector<MacAddress> Hosts(std::size_t number) {
  std::vector<MacAddress> macs;
  for (std::uint8_t last = 1; macs.size() < number; ++last) macs.push_back({2, 0, 0, 0, 0, last});
  return macs;
}

PathPart Filter() { return ArpFilter{Ip("10.0.0.100"), Ip("10.0.0.21")}; }

std::vector<ListedRule> Listed(const PathPart& part) {
  std::vector<ListedRule> listed;
  for (const NftRule& rule : RulesOf(part)) {
    const auto decoded = DecodeNftRule(NftPayload(rule.chain.family, EncodeNftRule(rule)));
    listed.push_back(decoded.value().value());
  }
  return listed;
}

TEST(NftRules, PartsAreReadFromTheirRules) {
  for (const PathPart& part :
       {Filter(), PathPart(PacketMark{{Transport::kTcp, Ip("10.0.0.100"), 80}, 7}),
        PathPart(PacketMark{{Transport::kUdp, Ip("fd00::1"), 53}, 0xFFFFFFFF}),
        PathPart(PacketMark{{Transport::kTcp, Ip("10.0.0.100"), 80}, 7, Hosts(1)}),
        PathPart(PacketMark{{Transport::kUdp, Ip("2001:db8:1111:2222:3333:4444:5555:6666"), 65535},
                            0xFFFFFFFF,
                            Hosts(kMaxExceptions)})}) {
    EXPECT_EQ(WholeParts(Listed(part)), std::vector{part}) << NameOf(part);
  }
  EXPECT_TRUE(RulesOf(Route{}).empty());
}

TEST(NftRules, APartWithARuleMissingDoubledOrChangedIsNotWhole) {
  const std::vector<ListedRule> whole = Listed(Filter());
  ASSERT_EQ(whole.size(), 2U);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::vector<ListedRule> rules = whole;
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(WholeParts(rules).empty());
    rules = whole;
    rules.push_back(whole[i]);
    EXPECT_TRUE(WholeParts(rules).empty());
    rules = whole;
    rules[i].expressions.back() ^= 1;
    EXPECT_TRUE(WholeParts(rules).empty());
    rules = whole;
    rules[i].chain = "elsewhere";
    EXPECT_TRUE(WholeParts(rules).empty());
  }
}

TEST(NftRules, CommentsOfOthersAreNoParts) {
  for (const char* comment : {"", "mine", "arp filter", "arp filter 10.0.0.1 asks as", "mark tcp x",
                              "arp filter 10.0.0.1 asks as 10.0.0.1",
                              "mark tcp 10.0.0.1:80 fwmark 0", "mark tcp 10.0.0.1:80 fwmark 1x"}) {
    EXPECT_EQ(PartOfComment(comment), std::nullopt) << comment;
  }
  EXPECT_EQ(PartOfComment("arp filter 10.0.0.100 asks as 10.0.0.21"), Filter());
  EXPECT_TRUE(IsOf("arp filter 10.0.0.1 asks as 10.0.0.2", "arp filter 10.0.0.1"));
  EXPECT_FALSE(IsOf("arp filter 10.0.0.10 asks as 10.0.0.2", "arp filter 10.0.0.1"));
}

TEST(NftRules, MessagesOfAnyLengthDoNotCrash) {
  const NftRule rule = RulesOf(Filter())[1];
  const Bytes whole = NftPayload(kNftArp, EncodeNftRule(rule));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto decoded = DecodeNftRule(ByteView(whole).first(size));
    if (decoded && *decoded) {
      EXPECT_TRUE(WholeParts({**decoded}).empty());
    }
  }
}

}  // namespace
}  // namespace drover
