#include "protocol/packet_path.h"

#include <gtest/gtest.h>

#include "protocol/codec.h"
#include "protocol/desired_state.h"

namespace drover {
namespace {

IpAddress Ip(const std::string& text) { return IpAddress::Parse(text).value(); }
MacAddress Mac(std::uint8_t last) { return {2, 0, 0, 0, 0, last}; }

std::vector<PathPart> EveryKind() {
  return {Tunnel{"lvs-ipip", TunnelKind::kIpip, Ip("10.0.0.21")},
          Tunnel{"lvs-gre", TunnelKind::kGre, Ip("10.0.0.21")},
          GueReceiver{6080},
          Route{Prefix{Ip("0.0.0.0"), 0}, Ip("10.0.0.1")},
          Route{Prefix{Ip("fd00::"), 64}, Ip("fe80::1")},
          ArpFilter{Ip("10.0.0.100"), Ip("10.0.0.21")},
          PacketMark{{Transport::kTcp, Ip("10.0.0.100"), 443}, 7},
          PacketMark{{Transport::kTcp, Ip("10.0.0.100"), 80}, 7, {Mac(1), Mac(2)}}};
}

TEST(PacketPath, EveryKindSurvivesTheWire) {
  DesiredState state;
  state.path = EveryKind();
  const auto decoded = DecodeState(EncodeState(state, 0));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, state);
}

TEST(PacketPath, IsNamedForPeople) {
  std::vector<std::string> names;
  for (const PathPart& part : EveryKind()) names.push_back(NameOf(part) + ": " + Summary(part));
  EXPECT_EQ(names,
            (std::vector<std::string>{
                "tunnel lvs-ipip: ipip at 10.0.0.21", "tunnel lvs-gre: gre at 10.0.0.21",
                "gue receiver 6080: on UDP port 6080", "route 0.0.0.0/0: via 10.0.0.1",
                "route fd00::/64: via fe80::1", "arp filter 10.0.0.100: asks as 10.0.0.21",
                "mark tcp 10.0.0.100:443: fwmark 7",
                "mark tcp 10.0.0.100:80: fwmark 7 not from 02:00:00:00:00:01 02:00:00:00:00:02"}));
}

TEST(PacketPath, OffencesAreSaidInOneSentence) {
  const struct {
    PathPart part;
    const char* words;
  } cases[] = {
      {Tunnel{"a/b", TunnelKind::kIpip, Ip("10.0.0.1")}, "a/b"},
      {Tunnel{"lvs0", TunnelKind::kIpip, Ip("fd00::1")}, "fd00::1 cannot be the IPv4 address"},
      {Tunnel{"lvs0", TunnelKind::kGue, Ip("10.0.0.1")}, "no device is of kind gue"},
      {GueReceiver{0}, "the port must not be 0"},
      {Route{Prefix{Ip("10.0.0.1"), 8}, Ip("10.0.0.1")}, "is an address in a network"},
      {Route{Prefix{Ip("10.0.0.0"), 8}, Ip("fd00::1")}, "of the other family"},
      {Route{Prefix{Ip("10.0.0.0"), 8}, Ip("0.0.0.0")}, "no router"},
      {ArpFilter{Ip("fd00::1"), Ip("10.0.0.1")}, "ARP is about IPv4"},
      {ArpFilter{Ip("10.0.0.1"), Ip("10.0.0.1")}, "the name that it hides"},
      {PacketMark{{Transport::kTcp, Ip("10.0.0.1"), 80}, 0}, "must not be 0"},
      {PacketMark{{Transport::kTcp, Ip("10.0.0.1"), 0}, 1}, "the port must not be 0"},
      {PacketMark{{Transport::kTcp, Ip("10.0.0.1"), 80}, 1, {MacAddress{}}}, "is no host's"},
      {PacketMark{{Transport::kTcp, Ip("10.0.0.1"), 80}, 1, {{1, 0, 94, 0, 0, 1}}}, "is no host's"},
      {PacketMark{{Transport::kTcp, Ip("10.0.0.1"), 80}, 1, {Mac(2), Mac(2)}}, "ascending order"},
      {PacketMark{{Transport::kTcp, Ip("10.0.0.1"), 80}, 1, std::vector<MacAddress>(9, Mac(1))},
       "at most 8 hosts"},
  };
  for (const auto& c : cases) {
    const Status judged = ValidatePathPart(c.part);
    ASSERT_FALSE(judged) << c.words;
    EXPECT_NE(judged.error().message.find(c.words), std::string::npos) << judged.error().message;
    EXPECT_NE(judged.error().message.find(NameOf(c.part)), std::string::npos);
  }
  for (const PathPart& part : EveryKind()) EXPECT_TRUE(ValidatePathPart(part)) << NameOf(part);
}

TEST(PacketPath, OneNameWithTwoValuesDoesNotMerge) {
  DesiredState whole;
  whole.path = {ArpFilter{Ip("10.0.0.100"), Ip("10.0.0.21")}};
  DesiredState part = whole;
  EXPECT_TRUE(MergeInto(whole, part));
  EXPECT_EQ(whole.path.size(), 1U);
  part.path = {ArpFilter{Ip("10.0.0.100"), Ip("10.0.0.22")}};
  EXPECT_FALSE(MergeInto(whole, part));
}

}  // namespace
}  // namespace drover
