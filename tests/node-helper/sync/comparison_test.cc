#include "node-helper/sync/comparison.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kHere = 1;
constexpr std::uint64_t kThere = 2;
const IpAddress kPeer = IpAddress::V4({10, 0, 0, 12});

Connection Number(int number, ConnectionClass kind = ConnectionClass::kEstablished) {
  Connection connection;
  connection.protocol = IPPROTO_TCP;
  connection.client.address = IpAddress::V4(
      {10, 1, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
  connection.client.port = 50000;
  connection.virtual_address = Endpoint::Parse("10.0.0.100:80").value();
  connection.real_server = Endpoint::Parse("10.0.0.11:80").value();
  connection.kind = kind;
  return connection;
}

std::vector<Connection> Numbers(int from, int to,
                                ConnectionClass kind = ConnectionClass::kEstablished) {
  std::vector<Connection> connections;
  for (int number = from; number < to; ++number) connections.push_back(Number(number, kind));
  return connections;
}

// Two directors that look at their tables every second and hear each other.
struct Pair {
  TableComparison here{kHere, 11};
  TableComparison there{kThere, 12};
  TableComparison::Time now{};

  static void Look(TableComparison& node, const std::vector<Connection>& table,
                   TableComparison::Time at) {
    node.BeginPass(at);
    for (const Connection& connection : table) node.Meet(connection);
    node.EndPass();
  }
  void Second(const std::vector<Connection>& table_here,
              const std::vector<Connection>& table_there) {
    now += seconds(1);
    Look(here, table_here, now);
    Look(there, table_there, now);
    here.Hear(kPeer, there.OwnReport(seconds(1)), now);
  }
  void Seconds(int count, const std::vector<Connection>& table_here,
               const std::vector<Connection>& table_there) {
    for (int i = 0; i < count; ++i) Second(table_here, table_there);
  }
};

TEST(TableComparison, KnowsNothingBeforeAPeerHasSettled) {
  Pair pair;
  EXPECT_FALSE(pair.here.ConvergedAt(0, pair.now));
  pair.Seconds(4, Numbers(0, 10), Numbers(0, 10));
  EXPECT_FALSE(pair.here.ConvergedAt(0, pair.now));
  EXPECT_TRUE(pair.here.StatusAt(pair.now).peers.empty());
  pair.Seconds(2, Numbers(0, 10), Numbers(0, 10));
  EXPECT_TRUE(pair.here.ConvergedAt(1, pair.now));
}

TEST(TableComparison, TellsTheShareOfThePeersConnectionsThatAreHere) {
  Pair pair;
  pair.Seconds(7, Numbers(0, 75), Numbers(0, 100));
  const SyncStatus status = pair.here.StatusAt(pair.now);
  EXPECT_EQ(status.connections, 75U);
  ASSERT_EQ(status.peers.size(), 1U);
  EXPECT_EQ(status.peers[0].peer, "10.0.0.12");
  EXPECT_EQ(status.peers[0].connections, 100U);
  EXPECT_DOUBLE_EQ(status.peers[0].held, 0.75);
  EXPECT_EQ(status.peers[0].age, seconds(1));  // compared with the report of the second before
  EXPECT_TRUE(pair.here.ConvergedAt(0.75, pair.now));
  EXPECT_FALSE(pair.here.ConvergedAt(0.76, pair.now));
}

TEST(TableComparison, MoreConnectionsHereThanThereAreNoFault) {
  Pair pair;
  pair.Seconds(7, Numbers(0, 500), Numbers(0, 10));
  EXPECT_TRUE(pair.here.ConvergedAt(1, pair.now));
}

TEST(TableComparison, ConnectionOfAnotherRealServerIsNotTheSame) {
  Pair pair;
  std::vector<Connection> scattered = Numbers(0, 10);
  for (Connection& connection : scattered) connection.real_server.port = 81;
  pair.Seconds(7, scattered, Numbers(0, 10));
  EXPECT_DOUBLE_EQ(pair.here.StatusAt(pair.now).peers.at(0).held, 0);
}

TEST(TableComparison, YoungConnectionsAreNotAskedFor) {
  // Every second all connections are new: none of them could have been synchronised yet.
  Pair pair;
  for (int second = 0; second < 10; ++second) {
    pair.Second({}, Numbers(second * 100, second * 100 + 100));
  }
  EXPECT_TRUE(pair.here.ConvergedAt(1, pair.now));
}

TEST(TableComparison, ConnectionsThatEndMeanwhileAreFoundClosing) {
  Pair pair;
  pair.Seconds(7, Numbers(0, 10), Numbers(0, 10));
  pair.Second(Numbers(0, 10, ConnectionClass::kClosing), Numbers(0, 10));
  EXPECT_TRUE(pair.here.ConvergedAt(1, pair.now));
}

TEST(TableComparison, OpeningAndClosingConnectionsOfThePeerDoNotMatter) {
  Pair pair;
  pair.Seconds(7, {}, Numbers(0, 50, ConnectionClass::kClosing));
  EXPECT_TRUE(pair.here.ConvergedAt(1, pair.now));
  EXPECT_EQ(pair.here.StatusAt(pair.now).peers.at(0).connections, 50U);
}

TEST(TableComparison, EveryPeerMustBeHeld) {
  Pair pair;
  TableComparison third{3, 13};
  const std::vector<Connection> missing = Numbers(200, 210);
  for (int second = 0; second < 8; ++second) {
    pair.Second(Numbers(0, 10), Numbers(0, 10));
    Pair::Look(third, missing, pair.now);
    pair.here.Hear(IpAddress::V4({10, 0, 0, 13}), third.OwnReport(seconds(1)), pair.now);
  }
  EXPECT_EQ(pair.here.StatusAt(pair.now).peers.size(), 2U);
  EXPECT_FALSE(pair.here.ConvergedAt(0.5, pair.now));
}

TEST(TableComparison, SilentPeerIsForgotten) {
  Pair pair;
  pair.Seconds(7, Numbers(0, 10), Numbers(0, 10));
  ASSERT_TRUE(pair.here.ConvergedAt(1, pair.now));
  pair.now += seconds(9);  // three periods and 5 s
  EXPECT_FALSE(pair.here.ConvergedAt(0, pair.now));
  EXPECT_TRUE(pair.here.StatusAt(pair.now).peers.empty());
}

TEST(TableComparison, PeerThatStartedAnewIsJudgedAnew) {
  Pair pair;
  pair.Seconds(7, Numbers(0, 10), Numbers(0, 10));
  ASSERT_TRUE(pair.here.ConvergedAt(1, pair.now));
  pair.there = TableComparison(5, 12);
  pair.Second(Numbers(0, 10), Numbers(0, 10));
  EXPECT_FALSE(pair.here.ConvergedAt(0, pair.now));
}

TEST(TableComparison, OwnReportThatComesBackIsDropped) {
  Pair pair;
  for (int second = 0; second < 8; ++second) {
    pair.now += seconds(1);
    Pair::Look(pair.here, Numbers(0, 10), pair.now);
    pair.here.Hear(kPeer, pair.here.OwnReport(seconds(1)), pair.now);
  }
  EXPECT_FALSE(pair.here.ConvergedAt(0, pair.now));
}

TEST(TableComparison, ForgedPeersAreBounded) {
  TableComparison here{kHere, 11};
  TableComparison::Time now{};
  TableReport report;
  report.settled = true;
  for (int i = 0; i < 1000; ++i) {
    report.node = static_cast<std::uint64_t>(100 + i);
    here.Hear(
        IpAddress::V4({10, 9, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}),
        report, now);
  }
  Pair::Look(here, {}, now);
  EXPECT_EQ(here.StatusAt(now).peers.size(), kMaxPeers);
}

// Ages were once counted to the end of a pass: when passes became slow, the oldest one was thrown
// away too early and the node said that nothing had settled.
TEST(TableComparison, WhatHasSettledStaysSettledWhenPassesBecomeSlow) {
  TableComparison here{kHere, 11};
  TableComparison::Time now{};
  for (int pass = 0; pass < 20; ++pass) {
    Pair::Look(here, Numbers(0, 10), now);
    EXPECT_EQ(here.OwnReport(seconds(1)).settled, pass > 3) << pass;
    now += milliseconds(pass < 10 ? 1000 : 3000);
  }
}

TEST(TableComparison, SlowPassesSettleToo) {
  // A large table: a pass takes 30 s, and the connections live on.
  TableComparison here{kHere, 11};
  TableComparison::Time now{};
  for (int pass = 0; pass < 3; ++pass) {
    here.BeginPass(now);
    for (const Connection& connection : Numbers(0, 200)) here.Meet(connection);
    now += seconds(30);
    here.EndPass();
  }
  const TableReport report = here.OwnReport(seconds(30));
  EXPECT_TRUE(report.settled);
  EXPECT_EQ(report.sample.size(), kMaxSample);
  EXPECT_EQ(report.counts.total(), 200U);
}

}  // namespace
}  // namespace drover
