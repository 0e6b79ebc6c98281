#include "node-helper/sync/connection.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <set>

namespace drover {
namespace {

Connection Web() {
  return {IPPROTO_TCP, Endpoint::Parse("10.0.0.2:50000").value(),
          Endpoint::Parse("10.0.0.100:80").value(), Endpoint::Parse("10.0.0.11:80").value(),
          ConnectionClass::kEstablished};
}

TEST(ConnectionClass, FollowsTheKernelsWords) {
  struct Case {
    std::uint8_t protocol;
    std::uint16_t client_port;
    const char* state;
    ConnectionClass want;
  };
  for (const Case& c : std::vector<Case>{
           {IPPROTO_TCP, 1, "ESTABLISHED", ConnectionClass::kEstablished},
           {IPPROTO_TCP, 1, "SYN_RECV", ConnectionClass::kOpening},
           {IPPROTO_TCP, 1, "SYN_SENT", ConnectionClass::kOpening},
           {IPPROTO_TCP, 1, "SYNACK", ConnectionClass::kOpening},
           {IPPROTO_TCP, 1, "NONE", ConnectionClass::kOpening},
           {IPPROTO_TCP, 1, "FIN_WAIT", ConnectionClass::kClosing},
           {IPPROTO_TCP, 1, "TIME_WAIT", ConnectionClass::kClosing},
           {IPPROTO_TCP, 1, "CLOSE", ConnectionClass::kClosing},
           {IPPROTO_TCP, 0, "NONE", ConnectionClass::kTemplate},
           {IPPROTO_SCTP, 1, "ESTABLISHED", ConnectionClass::kEstablished},
           {IPPROTO_SCTP, 1, "COOKIE_ECHOED", ConnectionClass::kOpening},
           {IPPROTO_SCTP, 1, "SHUTDOWN_SENT", ConnectionClass::kClosing},
           {IPPROTO_UDP, 1, "UDP", ConnectionClass::kDatagram},
           {IPPROTO_UDP, 0, "ASSURED", ConnectionClass::kTemplate},
           {IPPROTO_IP, 0, "NONE", ConnectionClass::kTemplate},
           {IPPROTO_ICMP, 0, "NONE", ConnectionClass::kOther},
           {IPPROTO_GRE, 1, "NONE", ConnectionClass::kOther},
       }) {
    EXPECT_EQ(ClassOf(c.protocol, c.client_port, c.state), c.want) << c.state;
  }
}

TEST(Fingerprint, IsTheSameOnEveryNodeAndForEver) {
  // Directors of different versions compare them: this number must never change.
  EXPECT_EQ(Fingerprint(Web()), 0x505e43e873bb3330U);
}

TEST(Fingerprint, TellsEveryPartApartButNotTheState) {
  std::set<std::uint64_t> seen{Fingerprint(Web())};
  const auto other = [&seen](auto change) {
    Connection connection = Web();
    change(connection);
    return seen.insert(Fingerprint(connection)).second;
  };
  EXPECT_TRUE(other([](Connection& c) { c.protocol = IPPROTO_UDP; }));
  EXPECT_TRUE(other([](Connection& c) { c.client.port = 50001; }));
  EXPECT_TRUE(other([](Connection& c) { c.client.address = IpAddress::V4({10, 0, 0, 3}); }));
  EXPECT_TRUE(other([](Connection& c) { c.virtual_address.port = 81; }));
  EXPECT_TRUE(other([](Connection& c) {
    c.virtual_address.address = IpAddress::V4({9, 0, 0, 1});
  }));
  EXPECT_TRUE(other([](Connection& c) { c.real_server.port = 81; }));
  EXPECT_TRUE(other([](Connection& c) { c.real_server.address = IpAddress::V4({10, 0, 0, 12}); }));
  EXPECT_FALSE(other([](Connection& c) { c.kind = ConnectionClass::kClosing; }));
}

TEST(Fingerprint, SpreadsNeighbouringPortsEvenly) {
  std::array<int, 16> buckets{};
  for (int port = 1; port <= 16000; ++port) {
    Connection connection = Web();
    connection.client.port = static_cast<std::uint16_t>(port);
    ++buckets[Fingerprint(connection) >> 60];
  }
  for (const int count : buckets) EXPECT_NEAR(count, 1000, 150);
}

TEST(ClassCounts, CountByClassAndInTotal) {
  ClassCounts counts;
  counts.Add(ConnectionClass::kOpening);
  counts.Add(ConnectionClass::kTemplate);
  counts.Add(ConnectionClass::kTemplate);
  EXPECT_EQ(counts.of[static_cast<std::size_t>(ConnectionClass::kTemplate)], 2U);
  EXPECT_EQ(counts.total(), 3U);
}

}  // namespace
}  // namespace drover
