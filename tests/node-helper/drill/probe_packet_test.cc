// Datagrams of probes: what is written is read, and nothing else is.

#include "node-helper/drill/probe_packet.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

const ProbeRequest kRequest{.run = 0x0102030405060708, .id = 9, .series = 3};
const ProbeEcho kEcho{
    .request = kRequest, .received_us = -5, .mac = {2, 0, 0, 0, 0, 1}, .responder = "rs1"};

TEST(ProbePacket, HasThisLayout) {
  EXPECT_EQ(EncodeProbeRequest(kRequest),
            (std::vector<std::uint8_t>{'D', 'P', 'R', 'B', 1, 1, 3, 0, 1, 2, 3, 4,
                                       5,   6,   7,   8,   0, 0, 0, 0, 0, 0, 0, 9}));
  const auto echo = EncodeProbeEcho(kEcho);
  EXPECT_EQ(std::vector<std::uint8_t>(echo.begin() + 24, echo.end()),
            (std::vector<std::uint8_t>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfb, 2, 0, 0, 0,
                                       0, 1, 3, 'r', 's', '1'}));
}

TEST(ProbePacket, GivesBackWhatWasWritten) {
  EXPECT_EQ(DecodeProbeRequest(EncodeProbeRequest(kRequest)), kRequest);
  EXPECT_EQ(DecodeProbeEcho(EncodeProbeEcho(kEcho)), kEcho);
  const ProbeMarkerPacket marker{.text = "injected"};
  EXPECT_EQ(DecodeProbeMarker(EncodeProbeMarker(marker)), marker);
}

TEST(ProbePacket, CutOffLongerOrOfAnotherKindIsNone) {
  const auto echo = EncodeProbeEcho(kEcho);
  for (std::size_t size = 0; size < echo.size(); ++size) {
    EXPECT_FALSE(DecodeProbeEcho(std::span(echo).first(size)).has_value()) << size;
  }
  auto longer = echo;
  longer.push_back(0);
  EXPECT_FALSE(DecodeProbeEcho(longer).has_value());
  EXPECT_FALSE(DecodeProbeRequest(echo).has_value());
  EXPECT_FALSE(DecodeProbeMarker(echo).has_value());
  EXPECT_FALSE(DecodeProbeEcho(EncodeProbeRequest(kRequest)).has_value());
  for (const std::size_t at : {0U, 3U, 4U, 5U, 7U}) {
    auto other = EncodeProbeRequest(kRequest);
    other[at] ^= 0x40;
    EXPECT_FALSE(DecodeProbeRequest(other).has_value()) << at;
  }
}

TEST(ProbePacket, NamesBeyondTheLimitAreCutAndNotRead) {
  ProbeEcho echo = kEcho;
  echo.responder.assign(kMaxProbeName + 10, 'x');
  auto bytes = EncodeProbeEcho(echo);
  const auto decoded = DecodeProbeEcho(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->responder.size(), kMaxProbeName);
  bytes[38] = kMaxProbeName + 1;
  bytes.push_back('x');
  EXPECT_FALSE(DecodeProbeEcho(bytes).has_value());
}

}  // namespace
}  // namespace drover
