// Echo requests and what answers them, as bytes.

#include "node-helper/checks/icmp_echo.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using namespace std::string_literals;

const std::string kIpv4 =
    "\x45\x00\x00\x1C\x00\x00\x00\x00\x40\x01\x00\x00\x0A\x00\x00\x01\x0A\x00\x00\x02"s;

TEST(IcmpEcho, TheRequestHasItsChecksum) {
  // Checked by hand: 0x0800 + 0x1234 + 0x0001 + 0x6162 = 0x7B97.
  EXPECT_EQ(EncodeEcho(Family::kIpv4, {0x1234, 1}, "ab"),
            "\x08\x00\x84\x68\x12\x34\x00\x01"s + "ab");
  EXPECT_EQ(EncodeEcho(Family::kIpv6, {0x1234, 1}, "ab"),
            "\x80\x00\x00\x00\x12\x34\x00\x01"s + "ab");
}

TEST(IcmpEcho, AReplyIsKnownByItsMark) {
  const std::string reply = "\x00\x00\x00\x00\x12\x34\x00\x07"s;
  const auto answer = DecodeEchoAnswer(Family::kIpv4, kIpv4 + reply);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->mark, (EchoMark{0x1234, 7}));
  EXPECT_EQ(answer->error, "");
  EXPECT_TRUE(DecodeEchoAnswer(Family::kIpv6, "\x81\x00\x00\x00\x12\x34\x00\x07"s).has_value());
}

TEST(IcmpEcho, AnErrorQuotesTheRequest) {
  const std::string request = EncodeEcho(Family::kIpv4, {0x1234, 7}, "");
  const auto answer = DecodeEchoAnswer(
      Family::kIpv4, kIpv4 + "\x03\x01\x00\x00\x00\x00\x00\x00"s + kIpv4 + request);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->mark, (EchoMark{0x1234, 7}));
  EXPECT_EQ(answer->error, "host unreachable");
  EXPECT_EQ(answer->asked, IpAddress::Parse("10.0.0.2").value());
}

TEST(IcmpEcho, OtherMessagesAndCutOnesAreNoAnswer) {
  const std::string request = EncodeEcho(Family::kIpv4, {1, 1}, "");
  EXPECT_FALSE(DecodeEchoAnswer(Family::kIpv4, kIpv4 + request).has_value());
  EXPECT_FALSE(DecodeEchoAnswer(Family::kIpv4, "").has_value());
  EXPECT_FALSE(DecodeEchoAnswer(Family::kIpv6, "").has_value());
  std::string options = kIpv4;
  options[0] = '\x4F';  // a header longer than the packet
  EXPECT_FALSE(DecodeEchoAnswer(Family::kIpv4, options + request).has_value());
  const std::string whole = kIpv4 + "\x0B\x00\x00\x00\x00\x00\x00\x00"s + kIpv4 + request;
  ASSERT_TRUE(DecodeEchoAnswer(Family::kIpv4, whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodeEchoAnswer(Family::kIpv4, whole.substr(0, size)).has_value()) << size;
  }
}

}  // namespace
}  // namespace drover
