// SYN segments and pcap files as bytes.

#include "node-helper/drill/syn_packet.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "node-helper/drill/pcap.h"

namespace drover {
namespace {

using Bytes = std::vector<std::uint8_t>;

Endpoint At(std::string_view text) { return Endpoint::Parse(text).value(); }

TEST(SynPacket, ASegmentIsWhatRfc9293Says) {
  const Bytes want = {0x08, 0x00, 0x00, 0x50, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0,
                      0x60, 0x02, 0xfa, 0xf0, 0x08, 0x73, 0,    0,    2, 4, 5, 0xb4};
  Bytes segment = SynSegment(At("10.0.0.5:2048"), At("10.0.0.100:80"), 0x12345678);
  // The checksum makes the sum over pseudo header and segment all ones (RFC 1071).
  std::uint32_t sum = 0x0a00 + 0x0005 + 0x0a00 + 0x0064 + 6 + 24;
  for (std::size_t i = 0; i < segment.size(); i += 2) sum += segment[i] << 8 | segment[i + 1];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  EXPECT_EQ(sum, 0xffffU);
  segment[16] = want[16];
  segment[17] = want[17];
  EXPECT_EQ(segment, want);
  EXPECT_EQ(SequenceIn(segment), 0x12345678U);
  EXPECT_EQ(SequenceIn(std::span(segment).first(7)), std::nullopt);
}

TEST(SynPacket, AnswersAreTakenAndOtherSegmentsAreNot) {
  const auto answer = [](std::uint8_t flags) {
    Bytes packet(20, 0);  // IPv4
    packet[0] = 0x45;
    const Bytes tcp = {0x00, 0x50, 0x08, 0x00,  0,    0,    0, 1, 0x12, 0x34,
                       0x56, 0x79, 0x50, flags, 0xfa, 0xf0, 0, 0, 0,    0};
    packet.insert(packet.end(), tcp.begin(), tcp.end());
    return packet;
  };
  const SynAnswer opened{80, 2048, 0x12345679, false};
  EXPECT_EQ(DecodeSynAnswer(Family::kIpv4, answer(0x12)), opened);
  const Bytes with_header = answer(0x12);
  EXPECT_EQ(DecodeSynAnswer(Family::kIpv6, std::span(with_header).subspan(20)), opened);
  const SynAnswer reset{80, 2048, 0x12345679, true};
  EXPECT_EQ(DecodeSynAnswer(Family::kIpv4, answer(0x14)), reset);
  for (const std::uint8_t flags : {0x02, 0x10, 0x04, 0x18, 0x11, 0x00}) {
    EXPECT_EQ(DecodeSynAnswer(Family::kIpv4, answer(flags)), std::nullopt) << int(flags);
  }
  const Bytes whole = answer(0x12);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(DecodeSynAnswer(Family::kIpv4, std::span(whole).first(size)), std::nullopt) << size;
  }
  Bytes long_header = whole;
  long_header[0] = 0x4f;
  EXPECT_EQ(DecodeSynAnswer(Family::kIpv4, long_header), std::nullopt);
  long_header[0] = 0x41;
  EXPECT_EQ(DecodeSynAnswer(Family::kIpv4, long_header), std::nullopt);
}

TEST(Pcap, AFrameHasItsWallTime) {
  const CapturedFrame frame{.monotonic_us = 5'500'000, .length = 60, .bytes = {1, 2, 3}};
  const std::string file = EncodePcap(std::span(&frame, 1), 1'000'000'000'250'000, 4'000'000);
  const unsigned char want[] = {
      0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0,
      // 1000000001.750000, 3 bytes of 60
      0x01, 0xca, 0x9a, 0x3b, 0xb0, 0x71, 0x0b, 0, 3, 0, 0, 0, 60, 0, 0, 0, 1, 2, 3};
  EXPECT_EQ(file, std::string(reinterpret_cast<const char*>(want), sizeof want));
}

}  // namespace
}  // namespace drover
