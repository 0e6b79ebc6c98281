#include "node-helper/net/address_codec.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

Prefix Pre(const std::string& text) { return Prefix::Parse(text).value(); }

TEST(AddressCodec, EncodesAsIpAddressAddDoes) {
  EXPECT_EQ(EncodeAddress(2, Pre("10.0.0.100/32"), /*no_dad=*/true),
            (Bytes{2, 32, 0, 0, 2,  0, 0, 0,       // AF_INET, global scope also for lo
                   8, 0,  2, 0, 10, 0, 0, 100,     // IFA_LOCAL
                   8, 0,  1, 0, 10, 0, 0, 100}));  // IFA_ADDRESS
  const Bytes loopback = EncodeAddress(1, Pre("127.0.0.9/8"), false);
  EXPECT_EQ(loopback[3], 254);  // RT_SCOPE_HOST
}

TEST(AddressCodec, SkipsDuplicateDetectionOnlyForIpv6AndOnlyWhenAsked) {
  EXPECT_EQ(EncodeAddress(1, Pre("2001:db8::1/128"), true)[2], 0x02);  // IFA_F_NODAD
  EXPECT_EQ(EncodeAddress(1, Pre("2001:db8::1/64"), false)[2], 0);
  EXPECT_EQ(EncodeAddress(1, Pre("10.0.0.1/32"), true)[2], 0);
}

TEST(AddressCodec, ASingleIpv6AddressIsTheSourceOfNothing) {
  EXPECT_TRUE(IsNoSource(Pre("2001:db8::100/128")));
  EXPECT_FALSE(IsNoSource(Pre("2001:db8::100/64")));
  EXPECT_FALSE(IsNoSource(Pre("10.0.0.100/32")));
  Bytes message = EncodeAddress(1, Pre("2001:db8::100/128"), true);
  const std::size_t before = message.size();
  AddLifetimes(kForEver, 0, message);
  const Bytes added(message.begin() + static_cast<std::ptrdiff_t>(before), message.end());
  EXPECT_EQ(added, (Bytes{20,  0,   6,   0,    // IFA_CACHEINFO
                          0,   0,   0,   0,    // not preferred
                          255, 255, 255, 255,  // valid for ever
                          0,   0,   0,   0,   0, 0, 0, 0}));
}

TEST(AddressCodec, EncodedAddressIsDecoded) {
  for (const char* text : {"10.0.0.100/32", "192.0.2.1/24", "2001:db8::1/64", "::1/128"}) {
    const auto told = DecodeAddress(EncodeAddress(7, Pre(text), false));
    ASSERT_TRUE(told && told->has_value()) << text;
    EXPECT_EQ(**told, (KernelAddress{7, Pre(text), false})) << text;
  }
}

TEST(AddressCodec, OurEndOfATunnelIsTheAddress) {
  const Bytes bytes = {2, 32, 0, 0, 2, 0, 0, 0, 8, 0, 1, 0, 10, 0, 0, 2, 8, 0, 2, 0, 10, 0, 0, 1};
  EXPECT_EQ((**DecodeAddress(bytes)).prefix, Pre("10.0.0.1/32"));
}

TEST(AddressCodec, SecondaryAddressIsMarked) {
  const Bytes bytes = {2, 24, 1, 0, 2, 0, 0, 0, 8, 0, 2, 0, 10, 0, 0, 1};
  EXPECT_TRUE((**DecodeAddress(bytes)).secondary);
}

TEST(AddressCodec, OtherFamiliesAreLeftOut) {
  const Bytes bytes = {7, 0, 0, 0, 1, 0, 0, 0};  // AF_BRIDGE
  const auto told = DecodeAddress(bytes);
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->has_value());
}

TEST(AddressCodec, TruncationAtEveryByteIsAnError) {
  const Bytes whole = {2, 32, 0, 0, 2, 0, 0, 0, 8, 0, 2, 0, 10, 0, 0, 1};
  ASSERT_TRUE(DecodeAddress(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodeAddress(ByteView(whole).first(size))) << size;
  }
}

}  // namespace
}  // namespace drover
