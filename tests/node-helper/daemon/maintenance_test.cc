// Maintenance as the daemon carries it out: weights, restarts, drift, slow start, instances.
#include "node-helper/store/maintenance.h"

#include <gtest/gtest.h>

#include "node-helper/store/session_lock.h"
#include "tests/node-helper/daemon/daemon_fixture.h"

namespace drover {
namespace {

const Maintenance kFirst{"rs1", {IpAddress::V4({10, 0, 0, 11})}, "maintenance", "ann", "ctl", 1};
const Maintenance kSelf{"lb1", {}, "maintenance", "ann", "ctl", 1};

class UnderMaintenance : public DaemonFixture {
 protected:
  void Drain(const std::vector<Maintenance>& list) {
    ASSERT_TRUE(SaveMaintenance(store_, list));
    ASSERT_TRUE(core_.Reload(now_));
  }
};

TEST_F(UnderMaintenance, AServiceWithoutChecksIsDrainedAtOnceAndGetsItsWeightBack) {
  Begin(State({}, {}, {Web()}));
  Drain({kFirst});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(Told("maintenance"), "rs1: begins: maintenance, by ann@ctl\n");
  Drain({});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 1}));
  EXPECT_EQ(Told("drift"), "");
}

TEST_F(UnderMaintenance, AlsoWhileASessionIsAtWork) {
  Begin(State({}, {}, {Web()}));
  const auto session =
      SessionLock::Take(store_.directory(), RunInfo{}, milliseconds{0}, [] { return true; });
  ASSERT_TRUE(session);
  Later(milliseconds{500});
  Drain({kFirst});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 1}));
  Drain({});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 1}));
}

TEST_F(UnderMaintenance, ADaemonThatStartsDrainsBeforeItsChecksHaveSpoken) {
  ASSERT_TRUE(SaveMaintenance(store_, {kFirst}));
  Begin(State({}, {}, {Web()}));
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(Told("maintenance"), "");
}

TEST_F(UnderMaintenance, AWeightThatSomebodyRaisesIsDrift) {
  Begin(State({}, {}, {Web()}));
  Drain({kFirst});
  kernel_.state().services[0].destinations[0].weight = 5;
  Later(milliseconds{500});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 1}));
}

TEST_F(UnderMaintenance, ItsEndIsASlowStart) {
  DesiredState state = WatchedWeb();
  state.watches[0].slow_start = seconds{10};
  for (Destination& destination : state.services[0].destinations) destination.weight = 10;
  Begin(state);
  Decide(true, true);
  Drain({kFirst});
  EXPECT_EQ(Weights()[0], 0U);
  Later(seconds{60});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 10}));
  Drain({});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 10}));
  Later(seconds{5});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{5, 10}));
  EXPECT_TRUE(core_.ramping());
  Later(seconds{5});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{10, 10}));
}

TEST_F(UnderMaintenance, StatusNamesIt) {
  Begin(State({}, {}, {Web()}));
  Drain({kFirst});
  const NodeStatus status = core_.StatusNow(now_);
  EXPECT_EQ(status.maintenance, std::vector<Maintenance>{kFirst});
  ASSERT_EQ(status.services.at(0).servers.size(), 2U);
  EXPECT_EQ(status.services[0].servers[0].drained, kFirst);
  EXPECT_FALSE(status.services[0].servers[1].drained);
  EXPECT_FALSE(status.services[0].watched);
}

TEST_F(UnderMaintenance, AListThatCannotBeReadIsTold) {
  Begin(State({}, {}, {Web()}));
  Drain({kFirst});
  ASSERT_TRUE(WriteFileAtomically(store_.directory() + "/maintenance.json", "{", 0600));
  ASSERT_TRUE(core_.Reload(now_));
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(core_.StatusNow(now_).problems.size(), 1U);
}

TEST_F(UnderMaintenance, ADirectorHoldsItsInstancesBackAgainAfterARestart) {
  ASSERT_TRUE(SaveMaintenance(store_, {kSelf}));
  DesiredState state;
  state.vrrp_instances = {Instance()};
  Begin(state);
  EXPECT_FALSE(speaker_.yielded.contains("web"));  // it has no role yet
  speaker_.events = {{"web", now_, InstanceMoved{"initialize", "backup", "started"}}};
  core_.SpeakerSpoke(now_);
  EXPECT_TRUE(speaker_.yielded.contains("web"));
}

TEST_F(UnderMaintenance, ADirectorHoldsItsInstancesBackWhenItBegins) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  Begin(state);
  Drain({kSelf});
  EXPECT_TRUE(speaker_.yielded.contains("web"));
}

}  // namespace
}  // namespace drover
