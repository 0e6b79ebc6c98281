#include "node-helper/sync/report.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using Bytes = std::vector<std::uint8_t>;

TableReport Typical() {
  TableReport report;
  report.node = 0x0102030405060708;
  report.sync_id = 11;
  report.settled = true;
  report.every = std::chrono::milliseconds(1000);
  report.counts.of = {1, 2, 3, 4, 5, 0x1122334455667788};
  report.sample = {7, 0xffffffffffffffff};
  return report;
}

TEST(TableReport, HasTheBytesOfItsDescription) {
  EXPECT_EQ(
      EncodeReport(Typical()),
      (Bytes{'D',  'R',  'V',  'S',  1,    1,    11,   0,  // version, flags, sync id
             1,    2,    3,    4,    5,    6,    7,    8,  // node
             0,    0,    0x03, 0xe8, 0,    2,    0,    0,  // period, size
             0,    0,    0,    0,    0,    0,    0,    1,    0, 0, 0, 0, 0, 0, 0, 2,  // counts
             0,    0,    0,    0,    0,    0,    0,    3,    0, 0, 0, 0, 0, 0, 0, 4,  //
             0,    0,    0,    0,    0,    0,    0,    5,                             //
             0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,                          //
             0,    0,    0,    0,    0,    0,    0,    7,                             // sample
             255,  255,  255,  255,  255,  255,  255,  255}));
}

TEST(TableReport, EncodedReportsAreDecoded) {
  TableReport full = Typical();
  full.sample.clear();
  for (std::uint64_t i = 0; i < kMaxSample; ++i) full.sample.push_back(i * 1000);
  TableReport empty;
  for (const TableReport& report : {Typical(), full, empty}) {
    const Bytes bytes = EncodeReport(report);
    EXPECT_LE(bytes.size(), 1272U);
    const auto decoded = DecodeReport(bytes);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, report);
  }
}

TEST(TableReport, TooMuchIsCutDownBeforeItIsSent) {
  TableReport report;
  for (std::uint64_t i = 0; i < 1000; ++i) report.sample.push_back(i);
  report.every = std::chrono::hours(1000);
  const auto decoded = DecodeReport(EncodeReport(report));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->sample.size(), kMaxSample);
  EXPECT_EQ(decoded->every, kMaxReportPeriod);
}

TEST(TableReport, EveryOtherLengthIsRefused) {
  const Bytes good = EncodeReport(Typical());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(DecodeReport(std::span(good).first(size))) << size;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(DecodeReport(longer));
}

TEST(TableReport, ForgedOnesAreRefusedWithTheReason) {
  struct Case {
    const char* name;
    std::size_t at;
    std::uint8_t value;
    const char* reason;
  };
  for (const Case& c : std::vector<Case>{
           {"magic", 0, 'd', "it is none"},
           {"version", 4, 2, "its version is unknown"},
           {"flags", 5, 2, "it has unknown flags"},
           {"reserved", 7, 1, "it has unknown flags"},
           {"reserved at the size", 23, 1, "it has unknown flags"},
           {"period", 16, 255, "it comes too rarely"},
           {"size", 20, 1, "its sample is too large"},
           {"size beyond the end", 21, 3, "its length is wrong"},
           {"order", 72, 255, "its sample is not in order"},
       }) {
    Bytes bytes = EncodeReport(Typical());
    bytes[c.at] = c.value;
    if (std::string(c.name) == "order") bytes[80] = 1;
    const auto decoded = DecodeReport(bytes);
    ASSERT_FALSE(decoded) << c.name;
    EXPECT_EQ(decoded.error().code, ErrorCode::kInvalid);
    EXPECT_NE(decoded.error().message.find(c.reason), std::string::npos)
        << c.name << ": " << decoded.error().message;
  }
}

TEST(TableReport, RepeatedFingerprintIsRefused) {
  TableReport report = Typical();
  report.sample = {7, 7};
  EXPECT_FALSE(DecodeReport(EncodeReport(report)));
}

TEST(TableReport, NoiseNeverCrashesAndStaysInItsBounds) {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    Bytes bytes = EncodeReport(Typical());
    for (int i = 0; i < 3; ++i) {
      state = state * 1664525 + 1013904223;
      bytes[(state >> 8) % 24] = static_cast<std::uint8_t>(state >> 24);
    }
    const auto decoded = DecodeReport(bytes);
    ASSERT_LE(decoded ? decoded->sample.size() : 0, kMaxSample);
  }
}

}  // namespace
}  // namespace drover
