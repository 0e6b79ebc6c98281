// The rulesets, word for word.

#include "node-helper/fault/filter_rules.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

FilterFrame Frame() {
  return {.interfaces = {"eth0"}, .duration = std::chrono::milliseconds(1500)};
}

SshWay Ssh(std::string_view here, std::string_view there) {
  return {Endpoint::Parse(here).value(), Endpoint::Parse(there).value()};
}

const std::vector<SocketKey> kWeb = {{Transport::kTcp, IpAddress::V4({10, 0, 0, 100}), 80}};

TEST(FilterRules, IsolationSparesTheConnectionOfTheOrchestrator) {
  FilterFrame frame = Frame();
  frame.ssh = Ssh("10.0.0.1:22", "10.0.0.5:40000");
  frame.marker = Endpoint::Parse("10.0.0.5:47811").value();
  const Filter filter = IsolationFilter(frame);
  EXPECT_EQ(filter.families, std::vector<std::string>{"netdev"});
  EXPECT_EQ(filter.ruleset, R"(table netdev drover_drill
delete table netdev drover_drill
table netdev drover_drill {
  set cut { type ifname; flags timeout; elements = { "eth0" timeout 1500ms }; }
  chain ingress0 {
    type filter hook ingress device "eth0" priority -500; policy accept;
    ip saddr 10.0.0.5 ip daddr 10.0.0.1 tcp sport 40000 tcp dport 22 accept
    arp daddr ip 10.0.0.1 accept
    iifname @cut  drop
  }
  chain egress0 {
    type filter hook egress device "eth0" priority -500; policy accept;
    ip daddr 10.0.0.5 udp dport 47811 accept
    ip saddr 10.0.0.1 ip daddr 10.0.0.5 tcp sport 22 tcp dport 40000 accept
    arp saddr ip 10.0.0.1 accept
    oifname @cut  drop
  }
}
)");
}

TEST(FilterRules, OverIpv6TheNeighboursMayStillFindTheConnectionsAddress) {
  FilterFrame frame = Frame();
  frame.ssh = Ssh("[2001:db8::1]:22", "[2001:db8::5]:40000");
  const std::string rules = IsolationFilter(frame).ruleset;
  EXPECT_NE(rules.find("icmpv6 type nd-neighbor-solicit @th,64,128 "
                       "0x20010db8000000000000000000000001 accept"),
            std::string::npos);
  EXPECT_NE(rules.find("ip6 saddr 2001:db8::1 ip6 daddr 2001:db8::5 tcp sport 22"),
            std::string::npos);
}

TEST(FilterRules, AdvertsAreDroppedBothWaysOrByChanceOnTheWayIn) {
  const std::string split = VrrpFilter(Frame()).ruleset;
  EXPECT_NE(split.find("iifname @cut ip protocol 112 drop"), std::string::npos);
  EXPECT_NE(split.find("oifname @cut ip6 nexthdr 112 drop"), std::string::npos);
  const std::string loss = VrrpLossFilter(Frame(), 10000).ruleset;
  EXPECT_NE(loss.find("iifname @cut ip protocol 112 numgen random mod 1000000 < 10000 drop"),
            std::string::npos);
  EXPECT_EQ(loss.find("egress"), std::string::npos);
}

TEST(FilterRules, EachInterfaceHasItsChainsAndItsElement) {
  FilterFrame frame = Frame();
  frame.interfaces = {"eth0", "eth1"};
  const std::string rules = VrrpFilter(frame).ruleset;
  EXPECT_NE(rules.find("elements = { \"eth0\" timeout 1500ms, \"eth1\" timeout 1500ms }"),
            std::string::npos);
  EXPECT_NE(rules.find("hook egress device \"eth1\""), std::string::npos);
}

TEST(FilterRules, ServicesAreMarkedRedirectedAndCutByProtocol) {
  EXPECT_NE(DelayFilter(Frame(), kWeb)
                .ruleset.find("ip saddr 10.0.0.100 tcp sport 80 meta l4proto @cut meta priority "
                              "set d0a:4"),
            std::string::npos);
  EXPECT_NE(RedirectFilter(Frame(), kWeb, 4711)
                .ruleset.find("ip daddr 10.0.0.100 tcp dport 80 meta l4proto @cut redirect to "
                              ":4711"),
            std::string::npos);
  EXPECT_NE(UdpFilter(Frame(), {8848, 8849})
                .ruleset.find("udp dport { 8848, 8849 } meta l4proto @cut drop"),
            std::string::npos);
}

}  // namespace
}  // namespace drover
