// Questions and claims of ARP and neighbour discovery as bytes; golden packets as the kernel sends
// them.

#include "node-helper/net/neighbour_frame.h"

#include <gtest/gtest.h>

#include "node-helper/net/packet_socket.h"
#include "node-helper/net/reply_tap.h"
#include "protocol/mac_text.h"

namespace drover {
namespace {

using Packet = std::vector<std::uint8_t>;

constexpr MacAddress kMac = {2, 0, 0, 0, 0, 1};

// An ARP answer: 10.0.0.100 is at 02:00:00:00:00:01.
const Packet kArpReply = {0,  1, 8, 0,   6, 4, 0, 2, 2, 0, 0,  0, 0, 1,
                          10, 0, 0, 100, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9};

Packet Advertisement() {
  Packet packet = {0x60, 0, 0, 0, 0, 32, 58, 255};
  const IpAddress vip = *IpAddress::Parse("2001:db8::100");
  packet.insert(packet.end(), vip.data(), vip.data() + 16);  // from
  packet.insert(packet.end(), vip.data(), vip.data() + 16);  // to, here of no matter
  const Packet head = {136, 0, 0, 0, 0x60, 0, 0, 0};
  packet.insert(packet.end(), head.begin(), head.end());
  packet.insert(packet.end(), vip.data(), vip.data() + 16);
  const Packet option = {2, 1, 2, 0, 0, 0, 0, 1};
  packet.insert(packet.end(), option.begin(), option.end());
  return packet;
}

TEST(NeighbourFrame, ArpRequestHasItsGoldenBytes) {
  const Packet with_sender = {0,  1, 8, 0, 6, 4, 0, 1, 2, 0, 0,  0, 0, 1,
                              10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 10, 0, 0, 100};
  const IpAddress vip = *IpAddress::Parse("10.0.0.100");
  EXPECT_EQ(ArpRequest(kMac, *IpAddress::Parse("10.0.0.9"), vip), with_sender);
  const Packet detection = ArpRequest(kMac, std::nullopt, vip);
  EXPECT_EQ(Packet(detection.begin() + 14, detection.begin() + 18), (Packet{0, 0, 0, 0}));
  EXPECT_FALSE(ClaimOfArp(detection).has_value());  // asks without claiming anything
}

TEST(NeighbourFrame, AnswersAndRequestsBothClaimTheirSender) {
  const AddressClaim claim{*IpAddress::Parse("10.0.0.100"), kMac};
  EXPECT_EQ(ClaimOfArp(kArpReply), claim);
  Packet request = kArpReply;
  request[7] = 1;  // for 10.0.0.9
  EXPECT_EQ(ClaimOfArp(request), (AddressClaim{claim.address, kMac, /*asks_for_other=*/true}));
  Packet gratuitous = request;
  gratuitous[24 + 3] = 100;  // for itself: an announcement
  EXPECT_EQ(ClaimOfArp(gratuitous), claim);
  Packet padded = kArpReply;
  padded.resize(46);  // Ethernet's smallest frame
  EXPECT_EQ(ClaimOfArp(padded), claim);
}

TEST(NeighbourFrame, EchoRequestHasItsGoldenBytes) {
  const Packet golden = {0x45, 0, 0,  28, 0, 0,   0, 0, 64,   1,    0x66, 0x75, 10, 0,
                         0,    9, 10, 0,  0, 100, 8, 0, 0xb3, 0x8c, 'D',  'r',  0,  1};
  EXPECT_EQ(EchoRequest(*IpAddress::Parse("10.0.0.9"), *IpAddress::Parse("10.0.0.100")), golden);
}

TEST(NeighbourFrame, MacTextIsReadBackAndNothingElseIs) {
  EXPECT_EQ(*ParseMac(MacText(kMac)), kMac);
  for (const char* odd :
       {"", "02:00:00:00:00", "02-00-00-00-00-01", "02:00:00:00:00:0g", "+2:00:00:00:00:01"}) {
    EXPECT_FALSE(ParseMac(odd)) << odd;
  }
}

TEST(NeighbourFrame, ArpThatIsCutOrOfOtherKindClaimsNothing) {
  for (std::size_t size = 0; size < kArpReply.size(); ++size) {
    EXPECT_FALSE(ClaimOfArp(Packet(kArpReply.begin(), kArpReply.begin() + static_cast<int>(size))));
  }
  for (const std::size_t at : {1U, 2U, 4U, 5U, 7U}) {
    Packet other = kArpReply;
    other[at] = 99;
    EXPECT_FALSE(ClaimOfArp(other).has_value()) << at;
  }
}

TEST(NeighbourFrame, SolicitationHasItsGoldenBytes) {
  const Packet want = {
      0x60, 0,    0,    0,    0, 32, 58, 255,                                         // IPv6
      0x20, 0x01, 0x0d, 0xb8, 0, 0,  0,  0,   0,    0,    0,    0,    0,    0, 0, 9,  // from
      0xff, 2,    0,    0,    0, 0,  0,  0,   0,    0,    0,    1,    0xff, 0, 1, 0,
      135,  0,    0x1a, 0x23, 0, 0,  0,  0,   0x20, 0x01, 0x0d, 0xb8, 0,    0, 0, 0,
      0,    0,    0,    0,    0, 0,  1,  0,   1,    1,    2,    0,    0,    0, 0, 1};
  const Packet packet = NeighbourSolicitation(kMac, *IpAddress::Parse("2001:db8::9"),
                                              *IpAddress::Parse("2001:db8::100"));
  EXPECT_EQ(packet, want);
  EXPECT_EQ(QuestionMac(*IpAddress::Parse("2001:db8::100")),
            (MacAddress{0x33, 0x33, 0xff, 0, 1, 0}));
}

TEST(NeighbourFrame, SolicitationWithoutSenderCarriesNoLinkAddress) {
  const Packet packet =
      NeighbourSolicitation(kMac, std::nullopt, *IpAddress::Parse("2001:db8::100"));
  ASSERT_EQ(packet.size(), 64U);  // RFC 4861 4.3
  EXPECT_EQ(Packet(packet.begin() + 8, packet.begin() + 24), Packet(16, 0));
}

TEST(NeighbourFrame, AdvertisementClaimsItsTargetByOptionOrFrame) {
  const MacAddress frame = {2, 0, 0, 0, 0, 7};
  const IpAddress vip = *IpAddress::Parse("2001:db8::100");
  EXPECT_EQ(ClaimOfAdvertisement(Advertisement(), frame), (AddressClaim{vip, kMac}));
  Packet bare = Advertisement();
  bare.resize(64);
  bare[5] = 24;
  EXPECT_EQ(ClaimOfAdvertisement(bare, frame), (AddressClaim{vip, frame}));
}

TEST(NeighbourFrame, AdvertisementThatIsCutOrRoutedClaimsNothing) {
  const Packet whole = Advertisement();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Packet cut(whole.begin(), whole.begin() + static_cast<int>(size));
    EXPECT_FALSE(ClaimOfAdvertisement(cut, kMac).has_value()) << size;
  }
  Packet routed = whole;
  routed[7] = 254;  // RFC 4861 7.1.2: hop limit 255 or it came from afar
  EXPECT_FALSE(ClaimOfAdvertisement(routed, kMac).has_value());
  Packet endless = whole;
  endless[65] = 0;  // an option of no length
  EXPECT_EQ(ClaimOfAdvertisement(endless, MacAddress{9})->mac, MacAddress{9});
}

TEST(NeighbourFrame, MacOfNobodyIsNoText) {
  EXPECT_EQ(MacText({}), "");
  EXPECT_EQ(MacText({0x02, 0xab, 0xcd, 0xef, 0x10, 0x0f}), "02:ab:cd:ef:10:0f");
}

TEST(ReplyTap, FindsTheLocalPortBehindAnyIpHeader) {
  Packet v4(24, 0);
  v4[0] = 0x45;
  v4[22] = 0x9c;
  v4[23] = 0x40;
  EXPECT_EQ(DestinationPortOf(Family::kIpv4, v4), 40000);
  Packet options(28, 0);
  options[0] = 0x46;
  options[26] = 1;
  EXPECT_EQ(DestinationPortOf(Family::kIpv4, options), 256);
  Packet v6(44, 0);
  v6[43] = 80;
  EXPECT_EQ(DestinationPortOf(Family::kIpv6, v6), 80);
  v6.pop_back();
  EXPECT_EQ(DestinationPortOf(Family::kIpv6, v6), std::nullopt);
  EXPECT_EQ(DestinationPortOf(Family::kIpv4, {}), std::nullopt);
}

}  // namespace
}  // namespace drover
