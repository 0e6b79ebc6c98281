#include "node-helper/net/fou_codec.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

constexpr GueReceiver kUsual{6080};

// What Linux 6.1 answers for `ip fou add port 6080 gue`: address family, port, no peer's port, no
// protocol, GUE, no interface.
const Bytes kListed = {1, 1, 0,  0,                     // FOU_CMD_ADD, version 1
                       5, 0, 2,  0, 2,    0,    0, 0,   // AF_INET
                       6, 0, 1,  0, 0x17, 0xC0, 0, 0,   // port, network order
                       6, 0, 10, 0, 0,    0,    0, 0,   // peer's port
                       5, 0, 3,  0, 0,    0,    0, 0,   // protocol
                       5, 0, 4,  0, 2,    0,    0, 0,   // GUE
                       8, 0, 11, 0, 0,    0,    0, 0};  // interface

Bytes With(Bytes bytes, std::size_t at, std::uint8_t value) {
  bytes.at(at) = value;
  return bytes;
}

Bytes And(Bytes bytes, const Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
  return bytes;
}

TEST(FouCodec, RequestsHaveTheBytesOfTheKernelsHeader) {
  EXPECT_EQ(EncodeReceiver(kUsual), (Bytes{1, 1, 0, 0,                    // FOU_CMD_ADD, version 1
                                           5, 0, 2, 0, 2,    0,    0, 0,  // AF_INET
                                           6, 0, 1, 0, 0x17, 0xC0, 0, 0,  // port, network order
                                           5, 0, 4, 0, 2,    0,    0, 0}));  // FOU_ENCAP_GUE
  EXPECT_EQ(EncodeReceiverRemoval(kUsual),
            (Bytes{2, 1, 0, 0, 5, 0, 2, 0, 2, 0, 0, 0, 6, 0, 1, 0, 0x17, 0xC0, 0, 0}));
  EXPECT_EQ(EncodeListReceivers(), (Bytes{3, 1, 0, 0}));
}

TEST(FouCodec, ReceiversAreReadAsTheKernelTellsThem) {
  EXPECT_EQ(DecodeReceiver(kListed).value(), kUsual);
  EXPECT_EQ(DecodeReceiver(EncodeReceiver(kUsual)).value(), kUsual);  // as kernels before 5.2
}

TEST(FouCodec, ReceiversForLessThanAllGueAreNotOurs) {
  const struct {
    const char* name;
    Bytes bytes;
  } cases[] = {
      {"IPv6", With(kListed, 8, 10)},
      {"fou without GUE", With(kListed, 40, 1)},
      {"one peer's port", With(kListed, 25, 9)},
      {"one interface", With(kListed, 48, 3)},
      {"one address", And(kListed, {8, 0, 6, 0, 10, 0, 0, 21})},
      {"one peer", And(kListed, {8, 0, 8, 0, 10, 0, 0, 11})},
  };
  for (const auto& c : cases) {
    const auto decoded = DecodeReceiver(c.bytes);
    ASSERT_TRUE(decoded) << c.name << ": " << decoded.error().message;
    EXPECT_EQ(*decoded, std::nullopt) << c.name;
  }
}

TEST(FouCodec, DamagedMessagesNeverCrash) {
  for (std::size_t size = 0; size < kListed.size(); ++size) {
    const auto decoded = DecodeReceiver(ByteView(kListed).first(size));
    EXPECT_TRUE(size >= 4 || !decoded) << size;
    EXPECT_TRUE(!decoded || !decoded->has_value() || **decoded == kUsual) << size;
  }
  EXPECT_FALSE(DecodeReceiver(With(With(kListed, 16, 0), 17, 0)));  // port 0
  EXPECT_FALSE(DecodeReceiver(With(kListed, 12, 200)));             // longer than the message
}

}  // namespace
}  // namespace drover
