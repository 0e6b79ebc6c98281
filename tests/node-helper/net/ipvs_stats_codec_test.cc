#include "node-helper/net/ipvs_stats_codec.h"

#include <gtest/gtest.h>
#include <linux/ip_vs.h>

#include <cstring>

#include "node-helper/net/ipvs_codec.h"
#include "node-helper/net/ipvs_message.h"

namespace drover {
namespace {

const ServiceKey kWeb = SocketKey{Transport::kTcp, IpAddress::V4({10, 0, 0, 100}), 80};

void PutU64(AttributeWriter& writer, std::uint16_t type, std::uint64_t value) {
  std::array<std::uint8_t, sizeof(value)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof(value));
  writer.Put(type, bytes);
}

// Messages as a kernel of today and one before Linux 4.1 write them.
void PutCounters(AttributeWriter& writer, std::uint16_t wide, std::uint16_t narrow,
                 std::uint64_t first, bool with_wide) {
  const std::uint16_t types[] = {IPVS_STATS_ATTR_CONNS, IPVS_STATS_ATTR_INPKTS,
                                 IPVS_STATS_ATTR_OUTPKTS, IPVS_STATS_ATTR_INBYTES,
                                 IPVS_STATS_ATTR_OUTBYTES};
  std::size_t nested = writer.Begin(narrow);
  for (std::uint32_t i = 0; i < 5; ++i) {
    writer.PutU32(types[i], static_cast<std::uint32_t>(first) + i);
  }
  writer.End(nested);
  if (!with_wide) return;
  nested = writer.Begin(wide);
  for (std::uint32_t i = 0; i < 5; ++i) PutU64(writer, types[i], first + i);
  writer.End(nested);
}

Bytes ServiceMessage(std::uint64_t first, bool with_wide = true) {
  Bytes bytes = ipvs::Header(IPVS_CMD_NEW_SERVICE);
  AttributeWriter writer(bytes);
  const std::size_t nested = writer.Begin(IPVS_CMD_ATTR_SERVICE);
  ipvs::PutKey(writer, kWeb);
  PutCounters(writer, IPVS_SVC_ATTR_STATS64, IPVS_SVC_ATTR_STATS, first, with_wide);
  writer.End(nested);
  return bytes;
}

Bytes DestinationMessage(std::uint64_t first, bool with_wide = true) {
  Bytes bytes = ipvs::Header(IPVS_CMD_NEW_DEST);
  AttributeWriter writer(bytes);
  const std::size_t nested = writer.Begin(IPVS_CMD_ATTR_DEST);
  ipvs::PutAddress(writer, IPVS_DEST_ATTR_ADDR, IpAddress::V4({10, 0, 0, 11}));
  writer.PutU16Be(IPVS_DEST_ATTR_PORT, 8080);
  writer.PutU32(IPVS_DEST_ATTR_ACTIVE_CONNS, 7);
  writer.PutU32(IPVS_DEST_ATTR_INACT_CONNS, 8);
  writer.PutU32(IPVS_DEST_ATTR_PERSIST_CONNS, 9);
  PutCounters(writer, IPVS_DEST_ATTR_STATS64, IPVS_DEST_ATTR_STATS, first, with_wide);
  writer.End(nested);
  return bytes;
}

TEST(IpvsStatsCodec, CountersHave64Bits) {
  const std::uint64_t many = 0x1122334455667700;
  const auto service = DecodeServiceCounters(ServiceMessage(many));
  ASSERT_TRUE(service) << service.error().message;
  const TrafficCounters want{many, many + 1, many + 2, many + 3, many + 4};
  EXPECT_EQ(*service, (ServiceCounters{kWeb, want, {}}));
  const auto destination = DecodeDestinationCounters(DestinationMessage(many), Family::kIpv4);
  ASSERT_TRUE(destination) << destination.error().message;
  EXPECT_EQ(*destination,
            (DestinationCounters{Endpoint::Parse("10.0.0.11:8080").value(), want, 7, 8, 9}));
}

TEST(IpvsStatsCodec, OldKernelsCountWith32Bits) {
  const TrafficCounters want{5, 6, 7, 8, 9};
  EXPECT_EQ(DecodeServiceCounters(ServiceMessage(5, false)).value().traffic, want);
  EXPECT_EQ(DecodeDestinationCounters(DestinationMessage(5, false), Family::kIpv4).value().traffic,
            want);
}

TEST(IpvsStatsCodec, TruncationAtEveryByteIsAnError) {
  const Bytes service = ServiceMessage(1);
  for (std::size_t size = 0; size < service.size(); ++size) {
    EXPECT_FALSE(DecodeServiceCounters(ByteView(service).first(size))) << size;
  }
  const Bytes destination = DestinationMessage(1);
  for (std::size_t size = 0; size < destination.size(); ++size) {
    EXPECT_FALSE(DecodeDestinationCounters(ByteView(destination).first(size), Family::kIpv4))
        << size;
  }
}

TEST(IpvsStatsCodec, MessagesWithoutCountersAreErrors) {
  EXPECT_FALSE(DecodeServiceCounters(EncodeRemoveService(kWeb)));
  EXPECT_FALSE(DecodeDestinationCounters(EncodeAddDestination(kWeb, Destination{}), Family::kIpv4));
}

}  // namespace
}  // namespace drover
