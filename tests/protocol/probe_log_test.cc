// The probe log: a compact file that gives back every value, and refuses what is none.

#include "protocol/probe_log.h"

#include <gtest/gtest.h>

#include <random>

namespace drover {
namespace {

using std::chrono::milliseconds;

ProbeLog SmallLog() {
  ProbeLog log;
  log.header = {.prober = "probe1",
                .started_wall_us = 1'700'000'000'000'000,
                .started_monotonic_us = 42,
                .series = {{.kind = ProbeKind::kPath, .name = "path", .target = "10.0.0.100:7"},
                           {.kind = ProbeKind::kLongLived,
                            .name = "chatty",
                            .target = "10.0.0.100:80",
                            .source = "10.0.0.9",
                            .period = milliseconds(10),
                            .deadline = milliseconds(500)}}};
  log.responders = {"", "rs1", "rs2"};
  log.macs = {MacAddress{}, MacAddress{2, 0, 0, 0, 0, 1}};
  log.records = {
      {.planned = ProbeTime(0),
       .sent = ProbeTime(12),
       .answered = ProbeTime(250),
       .responder = 1,
       .mac = 1},
      {.planned = ProbeTime(1000), .sent = ProbeTime(1000), .fate = ProbeFate::kLost},
      {.series = 1,
       .stream = 7,
       .local_port = 16384,
       .planned = ProbeTime(1500),
       .sent = ProbeTime(1600),
       .answered = ProbeTime(900'000),
       .fate = ProbeFate::kLate,
       .responder = 2},
      {.planned = ProbeTime(2000), .sent = ProbeTime(2000), .fate = ProbeFate::kUnsent},
      {.series = 1,
       .stream = 8,
       .local_port = 16385,
       .planned = ProbeTime(11'500),
       .sent = ProbeTime(11'500),
       .answered = ProbeTime(11'700),
       .fate = ProbeFate::kError,
       .error = ProbeError::kReset},
      {.series = 1,
       .stream = 3,
       .local_port = 65535,
       .planned = ProbeTime(21'500),
       .sent = ProbeTime(21'501),
       .answered = ProbeTime(21'501),
       .fate = ProbeFate::kWrong,
       .responder = 1,
       .mac = 1},
  };
  log.markers = {{ProbeTime(1234), "injected"}, {ProbeTime(2345), ""}};
  return log;
}

TEST(ProbeLog, GivesBackWhatWasWritten) {
  const ProbeLog log = SmallLog();
  const auto decoded = DecodeProbeLog(EncodeProbeLog(log));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(*decoded, log);
}

TEST(ProbeLog, GivesBackAnythingValid) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    ProbeLog log = SmallLog();
    log.records.clear();
    for (int i = 0; i < 50; ++i) {
      ProbeRecord record{.series = static_cast<std::uint8_t>(random() % 2),
                         .stream = static_cast<std::uint32_t>(random() >> (random() % 32)),
                         .local_port = static_cast<std::uint16_t>(random()),
                         .planned = ProbeTime(random() >> (random() % 32)),
                         .fate = static_cast<ProbeFate>(random() % 6)};
      record.sent = record.planned;
      if (record.fate != ProbeFate::kUnsent) record.sent += ProbeTime(random() % 5000);
      if (record.fate != ProbeFate::kLost && record.fate != ProbeFate::kUnsent) {
        record.answered = record.sent + ProbeTime(random() >> (random() % 32));
        record.responder = static_cast<std::uint16_t>(random() % 3);
        record.mac = static_cast<std::uint16_t>(random() % 2);
      }
      if (record.fate == ProbeFate::kError) {
        record.error = static_cast<ProbeError>(1 + random() % 5);
      }
      log.records.push_back(record);
    }
    const auto decoded = DecodeProbeLog(EncodeProbeLog(log));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    ASSERT_EQ(*decoded, log);
  }
}

TEST(ProbeLog, HasThisLayout) {
  ProbeLog log;
  log.header = {
      .prober = "p",
      .started_wall_us = -1,
      .started_monotonic_us = 64,
      .series = {
          {.name = "u", .target = "t", .period = ProbeTime(1000), .deadline = ProbeTime(128)}}};
  log.responders = {"", "r"};
  log.macs = {MacAddress{}, MacAddress{1, 2, 3, 4, 5, 6}};
  log.records = {{.stream = 1,
                  .local_port = 2,
                  .planned = ProbeTime(3),
                  .sent = ProbeTime(7),
                  .answered = ProbeTime(12),
                  .fate = ProbeFate::kError,
                  .error = ProbeError::kServer,
                  .responder = 1,
                  .mac = 1}};
  log.markers = {{ProbeTime(9), "m"}};
  const std::vector<std::uint8_t> want = {
      'D',        'P', 'L', 'G',        1,   1, 'p',  1,    0x80, 1,    1,  // header
      0,          1,   'u', 1,          't', 0, 0xe8, 0x07, 0x80, 0x01,     // series
      6 | 1 << 3, 1,   'r', 6 | 2 << 3, 1,   2, 3,    4,    5,    6,        // name, MAC
      3,          6,   2,   4,          4,   5, 1,    1,    4,              // record
      6,          9,   1,   'm',        7,   1};                            // marker, end
  EXPECT_EQ(EncodeProbeLog(log), want);
}

TEST(ProbeLog, CutOffAnywhereIsRefused) {
  const auto whole = EncodeProbeLog(SmallLog());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto decoded = DecodeProbeLog(std::span(whole).first(size));
    ASSERT_FALSE(decoded.has_value()) << size;
    EXPECT_EQ(decoded.error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(decoded.error().message.starts_with("probe log: "));
  }
  auto longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(DecodeProbeLog(longer).has_value());
}

TEST(ProbeLog, GarbageNeverGivesAnInvalidLog) {
  const auto whole = EncodeProbeLog(SmallLog());
  std::mt19937 random(11);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = whole;
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    const auto decoded = DecodeProbeLog(bytes);
    if (!decoded) continue;
    ++accepted;
    EXPECT_TRUE(ValidateProbeLogHeader(decoded->header).has_value());
    for (const ProbeRecord& record : decoded->records) {
      ASSERT_TRUE(ValidateProbeRecord(record, decoded->header.series.size()).has_value());
      ASSERT_LT(record.responder, decoded->responders.size());
      ASSERT_LT(record.mac, decoded->macs.size());
    }
  }
  EXPECT_GT(accepted, 0);  // a changed letter of a name makes another valid log
}

TEST(ProbeLog, RefusesWhatIsBeyondItsLimits) {
  const auto edit = [](std::size_t at, std::vector<std::uint8_t> with) {
    ProbeLog log;
    log.header.series = {{.name = "u"}};
    auto bytes = EncodeProbeLog(log);
    bytes.erase(bytes.end() - 2, bytes.end());  // without the end
    if (at > 0) {
      bytes[at] = with.front();
    } else {
      bytes.insert(bytes.end(), with.begin(), with.end());
    }
    bytes.insert(bytes.end(), {7, 0});
    return DecodeProbeLog(bytes);
  };
  ASSERT_TRUE(edit(0, {}).has_value());
  struct Case {
    const char* name;
    std::size_t at;
    std::vector<std::uint8_t> with;
    const char* want;
  };
  const std::vector<Case> cases = {
      {"version", 4, {2}, "its version 2 is unknown"},
      {"kind", 9, {4}, "a kind of probe is unknown"},
      {"series", 8, {33}, "the number of series is beyond its limit"},
      {"no such series", 0, {1 << 3, 0, 0, 0, 0, 0, 0, 0}, "a record is of no series"},
      {"extra", 0, {6 | 3 << 3}, "an item is unknown"},
      {"long name", 0, {6 | 1 << 3, 65}, "a text is beyond its limit"},
      {"responder", 0, {0, 0, 0, 0, 0, 0, 1, 0}, "a responder is beyond its limit"},
      {"negative stream", 0, {0, 0, 1, 0, 0, 0, 0, 0}, "a record is beyond its limits"},
      {"number",
       0,
       {1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2},
       "a number has more than 64 bits"},
      {"error without a reason", 0, {3, 0, 0, 0, 0, 0, 0, 0, 0}, "a record contradicts itself"},
      {"miscounted", 0, {1, 0, 0, 0, 0}, "its end counts other records"},
  };
  for (const Case& c : cases) {
    const auto decoded = edit(c.at, c.with);
    ASSERT_FALSE(decoded.has_value()) << c.name;
    EXPECT_NE(decoded.error().message.find(c.want), std::string::npos)
        << c.name << ": " << decoded.error().message;
  }
}

TEST(ProbeLogWriter, TakesNoRecordThatContradictsItself) {
  ProbeLogHeader header;
  header.series = {{.name = "u"}};
  ProbeLogWriter writer(header);
  const std::size_t before = writer.bytes().size();
  const std::vector<ProbeRecord> wrong = {
      {.series = 1, .answered = ProbeTime(1)},
      {.fate = ProbeFate::kOk},
      {.answered = ProbeTime(1), .fate = ProbeFate::kLost},
      {.planned = ProbeTime(5), .sent = ProbeTime(4), .fate = ProbeFate::kLost},
      {.planned = ProbeTime(5), .sent = ProbeTime(6), .fate = ProbeFate::kUnsent},
      {.sent = ProbeTime(4), .answered = ProbeTime(3)},
      {.answered = ProbeTime(1), .error = ProbeError::kReset},
      {.answered = ProbeTime(1), .responder = 1},
      {.planned = ProbeTime(-1), .sent = ProbeTime(0), .fate = ProbeFate::kLost},
      {.planned = kMaxProbeTime + ProbeTime(1),
       .sent = kMaxProbeTime + ProbeTime(1),
       .fate = ProbeFate::kLost},
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_FALSE(writer.Add(wrong[i]).has_value()) << i;
  }
  EXPECT_EQ(writer.bytes().size(), before);
  EXPECT_EQ(writer.records(), 0U);
}

TEST(ProbeLogWriter, TablesThatAreFullGiveUnknown) {
  ProbeLogHeader header;
  header.series = {{.name = "u"}};
  ProbeLogWriter writer(header);
  EXPECT_EQ(writer.Responder(""), 0);
  EXPECT_EQ(writer.Responder(std::string(kMaxProbeName + 1, 'x')), 0);
  for (std::size_t i = 1; i < kMaxProbeNames; ++i) {
    ASSERT_EQ(writer.Responder("rs" + std::to_string(i)), i);
  }
  EXPECT_EQ(writer.Responder("one more"), 0);
  EXPECT_EQ(writer.Responder("rs17"), 17);
  writer.Finish();
  EXPECT_TRUE(DecodeProbeLog(writer.bytes()).has_value());
}

TEST(ProbeLogWriter, PiecesTakenOnTheWayAreOneLog) {
  const ProbeLog log = SmallLog();
  ProbeLogWriter writer(log.header);
  std::vector<std::uint8_t> bytes;
  const auto take = [&] {
    const auto piece = writer.TakeBytes();
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  };
  for (std::size_t i = 1; i < log.responders.size(); ++i) writer.Responder(log.responders[i]);
  for (std::size_t i = 1; i < log.macs.size(); ++i) writer.Mac(log.macs[i]);
  for (const ProbeRecord& record : log.records) {
    ASSERT_TRUE(writer.Add(record).has_value());
    take();
  }
  for (const ProbeMarker& marker : log.markers) writer.Add(marker);
  writer.Finish();
  take();
  EXPECT_EQ(bytes, EncodeProbeLog(log));
}

TEST(ProbeLogWriter, AnOrdinaryRecordNeedsTenBytesOrLess) {
  ProbeLogHeader header;
  header.series = {{.name = "path"}};
  ProbeLogWriter writer(header);
  (void)writer.TakeBytes();
  constexpr int kProbes = 10'000;
  for (int i = 0; i < kProbes; ++i) {
    const ProbeTime planned(1000 * i);
    const ProbeRecord record{.local_port = static_cast<std::uint16_t>(16384 + i % 16384),
                             .planned = planned,
                             .sent = planned + ProbeTime(60 + i % 100),
                             .answered = planned + ProbeTime(300 + i % 1000)};
    ASSERT_TRUE(writer.Add(record).has_value());
  }
  EXPECT_LE(writer.bytes().size(), 10U * kProbes);
}

TEST(ProbeLogCsv, HasOneLinePerRecord) {
  ProbeLog log = SmallLog();
  log.header.series[1].name = "chatty, \"100\"";
  log.records.resize(4);
  EXPECT_EQ(ProbeLogCsv(log),
            "series,kind,stream,local_port,planned_us,sent_us,answered_us,latency_us,fate,error,"
            "responder,mac\r\n"
            "path,path,0,0,0,12,250,250,ok,,rs1,02:00:00:00:00:01\r\n"
            "path,path,0,0,1000,1000,,,lost,,,\r\n"
            "\"chatty, \"\"100\"\"\",long_lived,7,16384,1500,1600,900000,898500,late,,rs2,\r\n"
            "path,path,0,0,2000,,,,unsent,,,\r\n");
}

TEST(ProbeLogHeader, NamesAndTimesAreChecked) {
  ProbeLogHeader header = SmallLog().header;
  EXPECT_TRUE(ValidateProbeLogHeader(header).has_value());
  const auto refused = [&](auto&& change) {
    ProbeLogHeader other = header;
    change(other);
    return !ValidateProbeLogHeader(other).has_value();
  };
  EXPECT_TRUE(refused([](auto& h) { h.series[1].name = "path"; }));
  EXPECT_TRUE(refused([](auto& h) { h.series[1].name.clear(); }));
  EXPECT_TRUE(refused([](auto& h) { h.series[0].period = ProbeTime(0); }));
  EXPECT_TRUE(refused([](auto& h) { h.series[0].deadline = kMaxProbeTime + ProbeTime(1); }));
  EXPECT_TRUE(refused([](auto& h) { h.series[0].target.assign(256, 'x'); }));
  EXPECT_TRUE(refused([](auto& h) { h.prober.assign(256, 'x'); }));
  EXPECT_TRUE(refused([](auto& h) { h.series.resize(kMaxProbeSeries + 1, h.series[0]); }));
}

}  // namespace
}  // namespace drover
