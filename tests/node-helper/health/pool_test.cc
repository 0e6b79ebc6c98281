// From health to the table of ip_vs: failure, drain, slow start, quorum, sorry server.

#include "node-helper/health/pool.h"

#include <gtest/gtest.h>

namespace drover::health {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Endpoint Server(int number) { return *Endpoint::Parse("10.0.0." + std::to_string(number) + ":80"); }

VirtualService ThreeServers(std::uint32_t weight = 10) {
  VirtualService service{.key = SocketKey{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80},
                         .scheduler = "wrr"};
  for (int i = 1; i <= 3; ++i) {
    service.destinations.push_back({.address = Server(i).address, .port = 80, .weight = weight});
  }
  return service;
}

std::vector<std::uint32_t> Weights(const VirtualService& service) {
  std::vector<std::uint32_t> weights;
  for (const Destination& destination : service.destinations) weights.push_back(destination.weight);
  return weights;
}

const Time kNow{seconds(1000)};
const ServerHealth kUp{.up = true};
const ServerHealth kDown{.up = false};
const Destination kSorry{.address = *IpAddress::Parse("10.0.0.99"), .port = 80};

TEST(Pool, WithoutChecksTheServiceStandsAsDesired) {
  Pool pool{ServiceWatch{}};
  EXPECT_EQ(pool.Effective(ThreeServers(), {}, kNow), ThreeServers());
}

TEST(Pool, AServerThatIsDownIsQuiescedOrRemoved) {
  Pool quiesce{ServiceWatch{}};
  EXPECT_EQ(Weights(quiesce.Effective(ThreeServers(), {{Server(2), kDown}}, kNow)),
            (std::vector<std::uint32_t>{10, 0, 10}));
  Pool remove{ServiceWatch{.on_failure = OnFailure::kRemove}};
  EXPECT_EQ(remove.Effective(ThreeServers(), {{Server(2), kDown}}, kNow).destinations.size(), 2U);
}

TEST(Pool, MaintenanceDrainsAHealthyServerAndKeepsItInTheTable) {
  Pool pool{ServiceWatch{.on_failure = OnFailure::kRemove}};
  const ServerHealth drained{.up = true, .maintenance = true};
  EXPECT_EQ(Weights(pool.Effective(ThreeServers(), {{Server(1), drained}}, kNow)),
            (std::vector<std::uint32_t>{0, 10, 10}));
}

TEST(Pool, TheSorryServerStandsBesideThoseThatAreDrained) {
  Pool pool{ServiceWatch{.sorry_server = kSorry}};
  const ServerHealth drained{.up = true, .maintenance = true};
  const VirtualService now = pool.Effective(
      ThreeServers(), {{Server(1), drained}, {Server(2), kDown}, {Server(3), kDown}}, kNow);
  ASSERT_EQ(now.destinations.size(), 2U);
  EXPECT_EQ(now.destinations[0].endpoint(), Server(1));
  EXPECT_EQ(now.destinations[0].weight, 0U);
  EXPECT_EQ(now.destinations[1], kSorry);
}

TEST(Pool, SlowStartRaisesTheWeightEvenly) {
  EXPECT_EQ(RampedWeight(10, milliseconds(0), seconds(10)), 1U);
  EXPECT_EQ(RampedWeight(10, seconds(5), seconds(10)), 5U);
  EXPECT_EQ(RampedWeight(10, seconds(10), seconds(10)), 10U);
  EXPECT_EQ(RampedWeight(0, seconds(0), seconds(10)), 0U);
  EXPECT_EQ(RampedWeight(10, milliseconds(0), milliseconds(0)), 10U);
  Pool pool{ServiceWatch{.slow_start = seconds(10)}};
  const ServerHealth risen{.up = true, .since = kNow - seconds(4)};
  EXPECT_EQ(Weights(pool.Effective(ThreeServers(), {{Server(3), risen}}, kNow)),
            (std::vector<std::uint32_t>{10, 10, 4}));
  EXPECT_TRUE(pool.ramping());
  (void)pool.Effective(ThreeServers(), {{Server(3), risen}}, kNow + seconds(6));
  EXPECT_FALSE(pool.ramping());
}

TEST(Pool, ADynamicWeightReplacesTheDesiredOne) {
  Pool pool{ServiceWatch{}};
  const ServerHealth busy{.up = true, .dynamic_weight = 3};
  EXPECT_EQ(Weights(pool.Effective(ThreeServers(), {{Server(1), busy}}, kNow)),
            (std::vector<std::uint32_t>{3, 10, 10}));
}

TEST(Pool, TheSorryServerStandsInWhenNobodyIsLeft) {
  Pool pool{ServiceWatch{.sorry_server = kSorry}};
  const std::map<Endpoint, ServerHealth> none = {
      {Server(1), kDown}, {Server(2), kDown}, {Server(3), kDown}};
  EXPECT_EQ(pool.Effective(ThreeServers(), none, kNow).destinations,
            std::vector<Destination>{kSorry});
  EXPECT_FALSE(pool.has_quorum());
  EXPECT_EQ(pool.Effective(ThreeServers(),
                           {{Server(1), kUp}, {Server(2), kDown}, {Server(3), kDown}}, kNow)
                .destinations.size(),
            3U);
  EXPECT_TRUE(pool.has_quorum());
}

TEST(Pool, HysteresisKeepsTheQuorumFromFlapping) {
  Pool pool{ServiceWatch{.quorum = 20, .hysteresis = 5, .sorry_server = kSorry}};
  const auto quorum_with = [&](int live) {
    std::map<Endpoint, ServerHealth> health;
    for (int i = 1; i <= 3; ++i) health[Server(i)] = i <= live ? kUp : kDown;
    (void)pool.Effective(ThreeServers(), health, kNow);
    return pool.has_quorum();
  };
  EXPECT_TRUE(quorum_with(3));
  EXPECT_TRUE(quorum_with(2));
  EXPECT_FALSE(quorum_with(1));  // 10 < 20 - 5
  EXPECT_FALSE(quorum_with(2));  // 20 < 20 + 5
  EXPECT_TRUE(quorum_with(3));
}

TEST(Pool, AQuorumAboveAllServersIsReachedByAllServers) {
  Pool pool{ServiceWatch{.quorum = 1000, .hysteresis = 1000, .sorry_server = kSorry}};
  EXPECT_EQ(pool.Effective(ThreeServers(), {{Server(1), kUp}}, kNow).destinations.size(), 3U);
  const std::map<Endpoint, ServerHealth> none = {
      {Server(1), kDown}, {Server(2), kDown}, {Server(3), kDown}};
  (void)pool.Effective(ThreeServers(), none, kNow);
  EXPECT_FALSE(pool.has_quorum());
  (void)pool.Effective(ThreeServers(), {}, kNow);
  EXPECT_TRUE(pool.has_quorum());
}

TEST(Pool, ALostQuorumIsStillLostInTheProcessThatComesAfter) {
  const ServiceWatch watch{.quorum = 20, .hysteresis = 5, .sorry_server = kSorry};
  const std::map<Endpoint, ServerHealth> two = {
      {Server(1), kUp}, {Server(2), kUp}, {Server(3), kDown}};
  const std::map<Endpoint, ServerHealth> one = {
      {Server(1), kUp}, {Server(2), kDown}, {Server(3), kDown}};
  Pool before{watch};
  (void)before.Effective(ThreeServers(), one, kNow);
  ASSERT_FALSE(before.has_quorum());
  Pool after{watch};
  after.Recall(before.Remember());
  (void)after.Effective(ThreeServers(), two, kNow);
  EXPECT_FALSE(after.has_quorum()) << "20 < 20 + 5, though 20 would do for a quorum never lost";
}

}  // namespace
}  // namespace drover::health
