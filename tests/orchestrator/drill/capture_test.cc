// What a pcap says about a virtual router.

#include "orchestrator/drill/capture.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/drill/pcap_writer.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr MacAddress kOne = {2, 0, 0, 0, 0, 1};
const IpAddress kVip = IpAddress::V4({10, 0, 0, 100});
const IpAddress kAsker = IpAddress::V4({10, 0, 0, 9});
constexpr std::int64_t kStart = 1'700'000'000'900'000;

TEST(Capture, FindsAdvertsAndClaimsOnTheProbersClock) {
  const std::string pcap = PcapWriter(kStart)
                               .Advert(milliseconds(5), kOne, 51, 0)
                               .Arp(milliseconds(200), kOne, kVip, kVip, 1)
                               .Arp(milliseconds(300), kOne, kVip, kAsker)
                               .bytes();
  const auto seen = ReadCapture(pcap, kStart);
  ASSERT_TRUE(seen) << seen.error().message;
  const std::vector<AdvertSeen> adverts = {
      {milliseconds(5), kOne, IpAddress::V4({10, 0, 0, 1}), 51, 0}};
  EXPECT_EQ(seen->adverts, adverts);
  const std::vector<ClaimSeen> claims = {{milliseconds(200), kOne, kVip, true},
                                         {milliseconds(300), kOne, kVip, false}};
  EXPECT_EQ(seen->claims, claims);
}

// RFC 5227: who asks with sender 0.0.0.0 claims nothing.
TEST(Capture, ArpProbesClaimNothing) {
  const auto seen =
      ReadCapture(PcapWriter().Arp(milliseconds(1), kOne, IpAddress(), kVip, 1).bytes(), 0);
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->claims.empty());
}

TEST(Capture, ReadsNeighbourAdvertisements) {
  std::string frame =
      PcapWriter::Ethernet(kOne, 0x86dd) + PcapWriter::Raw({0x60, 0, 0, 0, 0, 32, 58, 255});
  const IpAddress vip = *IpAddress::Parse("2001:db8::100");
  const std::string raw(reinterpret_cast<const char*>(vip.data()), vip.size());
  frame += raw + raw;
  frame += PcapWriter::Raw({136, 0, 0, 0, 0x20, 0, 0, 0}) + raw;
  frame += PcapWriter::Raw({2, 1, 2, 0, 0, 0, 0, 7});
  const auto seen = ReadCapture(PcapWriter().Frame(milliseconds(1), frame).bytes(), 0);
  ASSERT_TRUE(seen);
  const std::vector<ClaimSeen> claims = {{milliseconds(1), {2, 0, 0, 0, 0, 7}, vip, true}};
  EXPECT_EQ(seen->claims, claims);
}

TEST(Capture, RefusesAFileThatIsCutOffAtAnyByte) {
  const std::string whole = PcapWriter().Advert(milliseconds(1), kOne).bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const bool empty_file = size == 24;  // a header and no frame
    EXPECT_EQ(ReadCapture(whole.substr(0, size), 0).has_value(), empty_file) << size;
  }
  EXPECT_FALSE(ReadCapture("no pcap at all, but long enough", 0));
}

TEST(Capture, PassesOverFramesThatAreCutShort) {
  const std::string whole = PcapWriter().Advert(milliseconds(1), kOne).bytes().substr(24 + 16);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto seen =
        ReadCapture(PcapWriter().Frame(milliseconds(1), whole.substr(0, size)).bytes(), 0);
    ASSERT_TRUE(seen) << size;
    EXPECT_EQ(seen->adverts.size(), size >= 14 + 20 + 8 ? 1U : 0U) << size;
  }
}

}  // namespace
}  // namespace drover
