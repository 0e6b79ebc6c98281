#include <gtest/gtest.h>

#include "node-helper/net/gratuitous_arp.h"

namespace drover {
namespace {

using Frame = std::vector<std::uint8_t>;

constexpr MacAddress kMac = {0x02, 0, 0, 0, 0, 0x0a};

TEST(GratuitousArp, FrameIsARequestForItself) {
  EXPECT_EQ(GratuitousArpFrame(kMac, IpAddress::Parse("10.0.0.100").value()),
            (Frame{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,    0,    0,  0, 0, 0x0a, 0x08, 0x06, 0,
                   1,    8,    0,    6,    4,    0,    1,    2,    0,  0, 0, 0,    0x0a, 10,   0,
                   0,    100,  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 10, 0, 0, 100}));
}

// The checksum of RFC 1071 over the pseudo header and the message is 0xffff when it is right.
std::uint32_t SumOf(const Frame& frame) {
  Frame bytes(frame.begin() + 22, frame.end());  // both addresses and the message
  bytes.insert(bytes.end(), {0, 0, 0, 32, 0, 0, 0, 58});
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] * 256 + bytes[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

TEST(NeighborAdvertisement, FrameGoesToAllNodesWithOverride) {
  const Frame frame =
      NeighborAdvertisementFrame(kMac, IpAddress::Parse("2001:db8::100").value(), false);
  ASSERT_EQ(frame.size(), 14U + 40U + 32U);
  EXPECT_EQ(Frame(frame.begin(), frame.begin() + 14),
            (Frame{0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x0a, 0x86, 0xdd}));
  EXPECT_EQ(Frame(frame.begin() + 14, frame.begin() + 22), (Frame{0x60, 0, 0, 0, 0, 32, 58, 255}));
  EXPECT_EQ(frame[54], 136);   // neighbour advertisement
  EXPECT_EQ(frame[58], 0x20);  // Override, neither Router nor Solicited
  EXPECT_EQ(Frame(frame.begin() + 78, frame.end()), (Frame{2, 1, 2, 0, 0, 0, 0, 0x0a}));
  EXPECT_EQ(SumOf(frame), 0xffffU);
}

TEST(NeighborAdvertisement, RouterSaysSo) {
  const Frame frame =
      NeighborAdvertisementFrame(kMac, IpAddress::Parse("2001:db8::100").value(), true);
  EXPECT_EQ(frame[58], 0xa0);
  EXPECT_EQ(SumOf(frame), 0xffffU);
}

}  // namespace
}  // namespace drover
