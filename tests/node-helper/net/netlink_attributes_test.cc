#include "node-helper/net/netlink_attributes.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(NetlinkAttributes, WrittenOnesAreReadBack) {
  Bytes bytes;
  AttributeWriter writer(bytes);
  writer.PutU16(1, 0x1234);
  writer.PutU16Be(2, 0x1234);
  writer.PutU32(3, 0xdeadbeef);
  writer.PutText(4, "wlc");
  const std::size_t nested = writer.Begin(5 | 0x8000);
  writer.PutU16(1, 7);
  writer.End(nested);
  const auto reader = AttributeReader::Parse(bytes);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->U16(1), 0x1234);
  EXPECT_EQ(reader->U16Be(2), 0x1234);
  EXPECT_EQ(reader->U32(3), 0xdeadbeefU);
  EXPECT_EQ(reader->Text(4), "wlc");
  const auto inner = AttributeReader::Parse(*reader->Get(5));
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->U16(1), 7);
  EXPECT_EQ(reader->Get(6), std::nullopt);
}

TEST(NetlinkAttributes, AreAlignedToFourBytes) {
  Bytes bytes;
  AttributeWriter writer(bytes);
  writer.PutText(1, "rr");
  EXPECT_EQ(bytes, (Bytes{7, 0, 1, 0, 'r', 'r', 0, 0}));
}

TEST(NetlinkAttributes, ShortNumbersAreMissing) {
  const Bytes bytes = {5, 0, 1, 0, 9, 0, 0, 0};
  const auto reader = AttributeReader::Parse(bytes);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->U16(1), std::nullopt);
  EXPECT_EQ(reader->U16Be(1), std::nullopt);
  EXPECT_EQ(reader->U32(1), std::nullopt);
}

TEST(NetlinkAttributes, TextWithoutItsZeroEndsWithTheAttribute) {
  const Bytes bytes = {6, 0, 1, 0, 'r', 'r'};
  EXPECT_EQ(AttributeReader::Parse(bytes).value().Text(1), "rr");
}

TEST(NetlinkAttributes, LengthsThatDoNotFitAreErrors) {
  for (const Bytes& bytes : {Bytes{8, 0, 1}, Bytes{3, 0, 1, 0}, Bytes{0, 0, 1, 0},
                             Bytes{9, 0, 1, 0, 1, 2, 3, 4}, Bytes{4, 0, 1, 0, 1}}) {
    EXPECT_FALSE(AttributeReader::Parse(bytes)) << bytes.size();
  }
}

}  // namespace
}  // namespace drover
