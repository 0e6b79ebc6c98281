// Advertisements against golden packets (captured from keepalived 2.2.7, or computed where it
// cannot send a form), and the receive checks of RFC 9568, section 7.1, one by one.

#include "node-helper/vrrp/packet.h"

#include <gtest/gtest.h>

#include <functional>

namespace drover::vrrp {
namespace {

IpAddress Ip(const std::string& text) { return *IpAddress::Parse(text); }

Bytes FromHex(const std::string& text) {
  Bytes bytes;
  std::string digits;
  for (const char c : text) {
    if (c == ' ') continue;
    digits += c;
    if (digits.size() == 2) {
      bytes.push_back(static_cast<std::uint8_t>(std::stoi(digits, nullptr, 16)));
      digits.clear();
    }
  }
  return bytes;
}

const Route kMulticast{Ip("10.250.0.1"), Ip("224.0.0.18")};
const Route kUnicast{Ip("10.250.0.1"), Ip("10.250.0.2")};
const Route kMulticastV6{Ip("fe80::aa:1"), Ip("ff02::12")};

Advertisement Common(Version version, Centiseconds interval) {
  return {.version = version,
          .vrid = 51,
          .priority = 150,
          .interval = interval,
          .addresses = {Ip("10.250.0.100"), Ip("10.250.0.101")}};
}

struct Golden {
  std::string name;
  Advertisement advertisement;
  Route route;
  ChecksumForm form;
  std::string bytes;
};

std::vector<Golden> GoldenPackets() {
  Advertisement password = Common(Version::k2, Centiseconds(100));
  password.auth = AuthType::kPassword;
  password.password = "1111";
  Advertisement ipv6 = Common(Version::k3, Centiseconds(100));
  ipv6.addresses = {Ip("fe80::100"), Ip("2001:db8::100")};
  return {
      {"v2 without authentication", Common(Version::k2, Centiseconds(100)), kMulticast,
       ChecksumForm::kPlain, "21339602 0001 320c 0afa0064 0afa0065 0000000000000000"},
      {"v2 with a password", password, kMulticast, ChecksumForm::kPlain,
       "21339602 0101 cea9 0afa0064 0afa0065 3131313100000000"},
      {"v3 multicast as keepalived sends it", Common(Version::k3, Centiseconds(25)), kMulticast,
       ChecksumForm::kPseudoHeader, "31339602 0019 3666 0afa0064 0afa0065"},
      {"v3 multicast as RFC 9568 wants it", Common(Version::k3, Centiseconds(25)), kMulticast,
       ChecksumForm::kPlain, "31339602 0019 21f4 0afa0064 0afa0065"},
      {"v3 unicast", Common(Version::k3, Centiseconds(100)), kUnicast, ChecksumForm::kPseudoHeader,
       "31339602 0064 0b32 0afa0064 0afa0065"},
      {"v3 unicast as keepalived 1.3.6 sent it", Common(Version::k3, Centiseconds(100)), kUnicast,
       ChecksumForm::kPseudoHeaderMulticast, "31339602 0064 361b 0afa0064 0afa0065"},
      {"v3 over IPv6", ipv6, kMulticastV6, ChecksumForm::kPlain,
       "31339602 0064 0b53 fe800000000000000000000000000100 20010db8000000000000000000000100"},
  };
}

Expectation ExpectationFor(const Golden& golden) {
  return {.version = golden.advertisement.version,
          .vrid = golden.advertisement.vrid,
          .auth = golden.advertisement.auth,
          .password = golden.advertisement.password,
          .interval = golden.advertisement.interval,
          .own_address = golden.route.source.is_v4() ? Ip("10.250.0.2") : Ip("fe80::aa:2"),
          .unicast_peers = golden.route.destination.is_multicast()
                               ? std::vector<IpAddress>{}
                               : std::vector<IpAddress>{golden.route.source}};
}

Received ReceivedFrom(const Golden& golden) {
  const Bytes payload = FromHex(golden.bytes);
  return {.payload = payload, .route = golden.route, .ttl = 255, .stated_length = payload.size()};
}

TEST(VrrpPacket, EncodesTheGoldenPackets) {
  for (const Golden& golden : GoldenPackets()) {
    EXPECT_EQ(Encode(golden.advertisement, golden.route, golden.form), FromHex(golden.bytes))
        << golden.name;
  }
}

TEST(VrrpPacket, AcceptsTheGoldenPacketsAndTellsTheChecksumForm) {
  for (const Golden& golden : GoldenPackets()) {
    const auto accepted = Accept(ReceivedFrom(golden), ExpectationFor(golden));
    ASSERT_TRUE(std::holds_alternative<Decoded>(accepted))
        << golden.name << ": " << ToString(std::get<Refusal>(accepted));
    EXPECT_EQ(std::get<Decoded>(accepted).advertisement, golden.advertisement) << golden.name;
    const bool told_apart =
        golden.advertisement.version == Version::k3 && golden.route.source.is_v4();
    EXPECT_EQ(std::get<Decoded>(accepted).form.has_value(), told_apart) << golden.name;
    if (told_apart) {
      EXPECT_EQ(std::get<Decoded>(accepted).form, golden.form) << golden.name;
    }
  }
}

TEST(VrrpPacket, Ipv4HeaderIsTheGoldenOne) {
  const Bytes packet = EncodeWithIpv4Header(Common(Version::k2, Centiseconds(100)), kMulticast,
                                            ChecksumForm::kPlain, 1);
  EXPECT_EQ(Bytes(packet.begin(), packet.begin() + 20),
            FromHex("45c0002c 00010000 ff70cf93 0afa0001 e0000012"));
}

TEST(VrrpPacket, SplitIpv4CutsThePaddingOfShortFrames) {
  Bytes packet = EncodeWithIpv4Header(Common(Version::k3, Centiseconds(100)), kMulticast,
                                      ChecksumForm::kPlain, 1);
  const Bytes payload(packet.begin() + 20, packet.end());
  packet.resize(46, 0);
  const Result<Received> received = SplitIpv4(std::string(packet.begin(), packet.end()));
  ASSERT_TRUE(received);
  EXPECT_EQ(received->payload, payload);
  EXPECT_EQ(received->ttl, 255);
  EXPECT_EQ(received->route.source, kMulticast.source);
}

TEST(VrrpPacket, SplitIpv4RefusesWhatIsNoHeader) {
  const Bytes packet = EncodeWithIpv4Header(Common(Version::k3, Centiseconds(100)), kMulticast,
                                            ChecksumForm::kPlain, 1);
  const std::string text(packet.begin(), packet.end());
  for (std::size_t length = 0; length < 20; ++length)
    EXPECT_FALSE(SplitIpv4(text.substr(0, length)));
  for (const unsigned char first : {0x00, 0x65, 0x44, 0x4F}) {
    std::string odd = text;
    odd[0] = static_cast<char>(first);
    EXPECT_FALSE(SplitIpv4(odd)) << int{first};
  }
}

TEST(VrrpPacket, TruncationAtEveryByteIsRefused) {
  for (const Golden& golden : GoldenPackets()) {
    const Received whole = ReceivedFrom(golden);
    for (std::size_t length = 0; length < whole.payload.size(); ++length) {
      Received cut = whole;
      cut.payload.resize(length);
      cut.stated_length = length;
      EXPECT_EQ(std::get<Refusal>(Accept(cut, ExpectationFor(golden))), Refusal::kTooShort)
          << golden.name << " " << length;
    }
  }
}

TEST(VrrpPacket, AnyFlippedBitIsRefusedOrSeenAsAnotherRouter) {
  for (const Golden& golden : GoldenPackets()) {
    for (std::size_t bit = 0; bit < FromHex(golden.bytes).size() * 8; ++bit) {
      Received spoilt = ReceivedFrom(golden);
      spoilt.payload[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      EXPECT_TRUE(std::holds_alternative<Refusal>(Accept(spoilt, ExpectationFor(golden))))
          << golden.name << " bit " << bit;
    }
  }
}

// RFC 9568, section 7.1, and RFC 2338, section 7.1, for version 2.
TEST(VrrpPacket, EachReceiveCheckHasItsOwnRefusal) {
  struct Case {
    std::string name;
    std::size_t golden;
    std::function<void(Received&, Expectation&)> spoil;
    Refusal want;
  };
  const std::vector<Case> cases = {
      {"came through a router", 2, [](Received& r, Expectation&) { r.ttl = 254; }, Refusal::kTtl},
      {"other version", 2, [](Received&, Expectation& e) { e.version = Version::k2; },
       Refusal::kVersion},
      {"other virtual router", 2, [](Received&, Expectation& e) { e.vrid = 52; }, Refusal::kVrid},
      {"password against none", 1, [](Received&, Expectation& e) { e.auth = AuthType::kNone; },
       Refusal::kAuthType},
      {"none against password", 0, [](Received&, Expectation& e) { e.auth = AuthType::kPassword; },
       Refusal::kAuthType},
      {"wrong password", 1, [](Received&, Expectation& e) { e.password = "1112"; },
       Refusal::kPassword},
      {"longer password", 1, [](Received&, Expectation& e) { e.password = "11111"; },
       Refusal::kPassword},
      {"v2 interval", 0, [](Received&, Expectation& e) { e.interval = Centiseconds(200); },
       Refusal::kIntervalMismatch},
      {"no advertisement", 2, [](Received& r, Expectation&) { r.payload[0] = 0x32; },
       Refusal::kType},
      {"interval 0", 2, [](Received& r, Expectation&) { r.payload[5] = 0; },
       Refusal::kZeroInterval},
      {"checksum", 2, [](Received& r, Expectation&) { r.payload[6] ^= 1; }, Refusal::kChecksum},
      {"bytes behind the end", 2, [](Received& r, Expectation&) { r.payload.resize(40); },
       Refusal::kLength},
      {"stated length", 2, [](Received& r, Expectation&) { r.stated_length = 12; },
       Refusal::kLength},
      {"multicast to a unicast instance", 2,
       [](Received&, Expectation& e) { e.unicast_peers = {Ip("10.250.0.1")}; }, Refusal::kFamily},
      {"unicast to a multicast instance", 4,
       [](Received&, Expectation& e) { e.unicast_peers.clear(); }, Refusal::kFamily},
      {"unknown unicast peer", 4,
       [](Received&, Expectation& e) { e.unicast_peers = {Ip("10.250.0.9")}; }, Refusal::kFamily},
      {"we own the address", 2, [](Received&, Expectation& e) { e.is_owner = true; },
       Refusal::kOwnerIgnores},
      {"our own packet", 2, [](Received&, Expectation& e) { e.own_address = Ip("10.250.0.1"); },
       Refusal::kOwnPacket},
  };
  for (const Case& c : cases) {
    const Golden golden = GoldenPackets()[c.golden];
    Received packet = ReceivedFrom(golden);
    Expectation expectation = ExpectationFor(golden);
    c.spoil(packet, expectation);
    const auto answer = Accept(packet, expectation);
    ASSERT_TRUE(std::holds_alternative<Refusal>(answer)) << c.name;
    EXPECT_EQ(ToString(std::get<Refusal>(answer)), ToString(c.want)) << c.name;
  }
}

TEST(VrrpPacket, RoutedUnicastPeersMayHaveLostHops) {
  const Golden golden = GoldenPackets()[4];
  Received packet = ReceivedFrom(golden);
  packet.ttl = 250;
  EXPECT_TRUE(std::holds_alternative<Decoded>(Accept(packet, ExpectationFor(golden))));
}

}  // namespace
}  // namespace drover::vrrp
