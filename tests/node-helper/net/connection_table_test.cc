#include "node-helper/net/connection_table.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <fstream>
#include <sstream>

namespace drover {
namespace {

// As Linux 6.1 prints them.
constexpr std::string_view kTable =
    "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
    "TCP 0A4D0002 C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED     899\n"
    "TCP 0A4D0002 C351 0A4D0064 0050 0A4D0016 0050 FIN_WAIT        119\n"
    "UDP 0A4D0002 D431 0A4D0064 0035 0A4D0015 0035 UDP             299\n"
    "IP  0A4D0000 0000 00000007 0000 0A4D0015 0000 NONE            300\n"
    "TCP 20010db8:0000:0000:0000:0000:0000:0000:0002 0400 "
    "20010db8:0000:0000:0000:0000:0000:0000:0100 0050 0A4D0015 1F90 SYN_RECV         59\n";

std::string V6(const std::string& last) { return "2001:0db8:0000:0000:0000:0000:0000:" + last; }

std::vector<Connection> ReadAll(std::string_view text, std::size_t piece, std::size_t* odd) {
  ConnectionLines lines;
  std::vector<Connection> connections;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    lines.Feed(text.substr(at, piece),
               [&](const Connection& connection) { connections.push_back(connection); });
  }
  *odd = lines.odd();
  return connections;
}

TEST(ParseConnection, ReadsEveryKindOfEntry) {
  struct Case {
    std::string line;
    std::uint8_t protocol;
    const char* client;
    const char* virtual_address;
    const char* real_server;
    ConnectionClass kind;
  };
  for (const Case& c : std::vector<Case>{
           {"TCP 0A4D0002 C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED     899", IPPROTO_TCP,
            "10.77.0.2:50000", "10.77.0.100:80", "10.77.0.21:80", ConnectionClass::kEstablished},
           {"UDP 0A4D0002 D431 0A4D0064 0035 0A4D0015 0035 UDP             299", IPPROTO_UDP,
            "10.77.0.2:54321", "10.77.0.100:53", "10.77.0.21:53", ConnectionClass::kDatagram},
           {"SCTP 0A4D0002 D431 0A4D0064 0035 0A4D0015 0035 COOKIE_WAIT     299", IPPROTO_SCTP,
            "10.77.0.2:54321", "10.77.0.100:53", "10.77.0.21:53", ConnectionClass::kOpening},
           {"TCP " + V6("0002") + " 0400 " + V6("0100") + " 0050 " + V6("0015") +
                " 1F90 SYN_RECV         59",
            IPPROTO_TCP, "[2001:db8::2]:1024", "[2001:db8::100]:80", "[2001:db8::15]:8080",
            ConnectionClass::kOpening},
           {"TCP " + V6("0002") + " 0400 " + V6("0100") + " 0050 0A4D0015 0050 FIN_WAIT 59",
            IPPROTO_TCP, "[2001:db8::2]:1024", "[2001:db8::100]:80", "10.77.0.21:80",
            ConnectionClass::kClosing},
           {"UDP 0A4D0002 D431 0A4D0064 13C4 0A4D0015 13C4 UDP 299 sip 7f9@10.0.0.1", IPPROTO_UDP,
            "10.77.0.2:54321", "10.77.0.100:5060", "10.77.0.21:5060", ConnectionClass::kDatagram},
           {"IP_47 0A4D0002 D431 0A4D0064 0035 0A4D0015 0035 NONE 1", IPPROTO_GRE,
            "10.77.0.2:54321", "10.77.0.100:53", "10.77.0.21:53", ConnectionClass::kOther},
       }) {
    const auto connection = ParseConnection(c.line);
    ASSERT_TRUE(connection) << c.line;
    EXPECT_EQ(*connection, (Connection{c.protocol, Endpoint::Parse(c.client).value(),
                                       Endpoint::Parse(c.virtual_address).value(),
                                       Endpoint::Parse(c.real_server).value(), c.kind}))
        << c.line;
  }
}

TEST(ParseConnection, TemplatesHaveNoClientPort) {
  const auto of_service =
      ParseConnection("TCP 0A4D0000 0000 0A4D0064 0050 0A4D0015 0050 ASSURED 300");
  ASSERT_TRUE(of_service);
  EXPECT_EQ(of_service->kind, ConnectionClass::kTemplate);
  const auto of_mark = ParseConnection("IP  0A4D0000 0000 00000007 0000 0A4D0015 0000 NONE 300");
  ASSERT_TRUE(of_mark);
  EXPECT_EQ(of_mark->kind, ConnectionClass::kTemplate);
  EXPECT_EQ(of_mark->protocol, 0);
}

TEST(ParseConnection, OddLinesAreNoEntries) {
  for (const char* line : {
           "",
           " ",
           "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData",
           "TCP",
           "TCP 0A4D0002 C350 0A4D0064 0050 0A4D0015 0050",
           "XXX 0A4D0002 C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED 899",
           "IP_ 0A4D0002 C350 0A4D0064 0050 0A4D0015 0050 NONE 899",
           "IP_256 0A4D0002 C350 0A4D0064 0050 0A4D0015 0050 NONE 899",
           "TCP 0A4D000 C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED 899",
           "TCP 0A4D00021 C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED 899",
           "TCP 0A4D000G C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED 899",
           "TCP -A4D0002 C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED 899",
           "TCP 0A4D0002 1C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED 899",
           "TCP 0A4D0002 C350 0A4D0064 0050 0A4D0015 005 ESTABLISHED 899",
           "TCP 2001:0db8:0000:0000:0000:0000:0000-0002 C350 0A4D0064 0050 0A4D0015 0050 NONE 8",
           "TCP 2001:0db8:0000:0000:0000:0000:0000:000: C350 0A4D0064 0050 0A4D0015 0050 NONE 8",
       }) {
    EXPECT_FALSE(ParseConnection(line)) << line;
  }
}

TEST(ConnectionLines, PiecesOfEverySizeGiveTheSameEntries) {
  std::size_t odd = 0;
  const std::vector<Connection> whole = ReadAll(kTable, kTable.size(), &odd);
  EXPECT_EQ(whole.size(), 4U);
  EXPECT_EQ(odd, 1U);  // the last one has its first two groups in one
  for (std::size_t piece = 1; piece < 200; ++piece) {
    EXPECT_EQ(ReadAll(kTable, piece, &odd), whole) << piece;
    EXPECT_EQ(odd, 1U) << piece;
  }
}

TEST(ConnectionLines, OverlongLineIsPassedOverWithoutKeepingIt) {
  ConnectionLines lines;
  int met = 0;
  const EachConnection count = [&met](const Connection&) { ++met; };
  for (int i = 0; i < 1000; ++i) lines.Feed(std::string(1000, 'x'), count);
  lines.Feed("\nTCP 0A4D0002 C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED 899\n", count);
  EXPECT_EQ(met, 1);
  EXPECT_EQ(lines.odd(), 1U);
}

TEST(ConnectionLines, NoiseNeverCrashes) {
  std::uint32_t state = 1;
  std::string noise;
  for (int i = 0; i < 200'000; ++i) {
    state = state * 1664525 + 1013904223;
    noise += "TCP UDP 0A4D0064 0050:\n\0\xff"[state >> 24 & 0x17];
  }
  std::size_t odd = 0;
  ReadAll(noise, 777, &odd);
  EXPECT_GT(odd, 0U);
}

TEST(ConnectionReader, MissingTableIsEmpty) {
  auto reader = ConnectionReader::Open("/proc/net/no_such_table");
  ASSERT_TRUE(reader);
  const auto end = reader->ReadSome(std::chrono::seconds(1), [](const Connection&) { FAIL(); });
  EXPECT_TRUE(end.value());
}

TEST(ConnectionReader, SliceEndsAfterOnePieceAndTheNextGoesOn) {
  const std::string path = testing::TempDir() + "connections";
  {
    std::ofstream file(path);
    for (int i = 0; i < 5000; ++i) {
      file << "TCP 0A4D0002 C350 0A4D0064 0050 0A4D0015 0050 ESTABLISHED     899\n";
    }
  }
  auto reader = ConnectionReader::Open(path);
  ASSERT_TRUE(reader) << reader.error().message;
  int met = 0;
  int slices = 0;
  Result<bool> end = false;
  while (end && !*end) {
    end = reader->ReadSome(std::chrono::microseconds(0), [&met](const Connection&) { ++met; });
    ++slices;
  }
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(met, 5000);
  EXPECT_GT(slices, 4);
}

}  // namespace
}  // namespace drover
