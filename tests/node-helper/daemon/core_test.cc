#include "node-helper/daemon/core.h"

#include <gtest/gtest.h>

#include "node-helper/store/session_lock.h"
#include "tests/node-helper/daemon/daemon_fixture.h"

namespace drover {
namespace {

class Daemon : public DaemonFixture {};

TEST_F(Daemon, SetsWhatIsRecordedAndRepairsDriftWithAWordAboutIt) {
  Begin(State({Vip("10.0.0.100/32")}, {}, {Web()}));
  EXPECT_EQ(kernel_.state().addresses.size(), 1U);
  EXPECT_EQ(Told("drift"), "");
  kernel_.state().addresses.clear();
  kernel_.state().services[0].destinations[1].weight = 9;
  Later(milliseconds{500});
  EXPECT_EQ(kernel_.state().addresses.size(), 1U);
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 1}));
  EXPECT_EQ(Told("drift"),
            "real server 10.0.0.12:80 of service tcp 10.0.0.100:80: was dr weight 9; set to dr "
            "weight 1 again\n"
            "address 10.0.0.100/32 on lo: was gone; set again (10.0.0.100/32)\n");
  EXPECT_EQ(core_.StatusNow(now_).repairs, 2U);
}

TEST_F(Daemon, ATugOfWarDoesNotFillTheLog) {
  Begin(State({Vip("10.0.0.100/32")}));
  for (int i = 0; i < 50; ++i) {
    kernel_.state().addresses.clear();
    Later(milliseconds{500});
  }
  EXPECT_EQ(core_.StatusNow(now_).repairs, 50U);
  const std::string told = Told("drift");
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 5);
}

TEST_F(Daemon, WhileASessionIsAtWorkOnlyWeightsAreApplied) {
  Begin(WatchedWeb());
  Decide(true, true);
  core_.ApplyHealth(now_);
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 1}));
  {
    const auto session =
        SessionLock::Take(store_.directory(), RunInfo{}, milliseconds{0}, [] { return true; });
    ASSERT_TRUE(session);
    Record(State({Vip("10.0.0.101/32")}), "dns");  // the session has not set it yet
    Decide(true, false);
    core_.ApplyHealth(now_);
    Later(milliseconds{500});
    EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 0}));
    EXPECT_TRUE(kernel_.state().addresses.empty());
    kernel_.state().services.clear();  // as a prune does
    Decide(true, true);
    core_.ApplyHealth(now_);
    Later(milliseconds{500});
    EXPECT_TRUE(kernel_.state().services.empty());
  }
  Later(milliseconds{500});  // what the session left behind is read again
  EXPECT_EQ(kernel_.state().addresses.size(), 1U);
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 1}));
}

TEST_F(Daemon, VerdictsMoveWeightsAndAreNoDrift) {
  Begin(WatchedWeb());
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{0, 0}));  // nobody has answered yet
  Decide(true, true);
  core_.VerdictIsIn({Web().key, Web().destinations[0].endpoint(), true, "10.0.0.11:80 is up"});
  EXPECT_GT(asked_soon_, 0);
  core_.ApplyHealth(now_);
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 1}));
  Later(milliseconds{500});
  EXPECT_EQ(Told("drift"), "");
  EXPECT_EQ(core_.overlay(now_).services.at(0).effective, Web());
}

TEST_F(Daemon, ServersThatWereInUseBeforeItStartedStayInUse) {
  kernel_.state().services = {Web()};
  kernel_.state().services[0].destinations[1].weight = 0;
  Begin(WatchedWeb());
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 0}));
}

TEST_F(Daemon, LostQuorumBringsTheSorryServerAndTellsTrackers) {
  DesiredState state = WatchedWeb();
  state.watches[0].sorry_server = Destination{IpAddress::V4({10, 0, 0, 99}), 80};
  Begin(state);
  Decide(true, true);
  core_.ApplyHealth(now_);
  EXPECT_TRUE(trackers_.quorums.at(Web().key));
  Decide(false, false);
  core_.ApplyHealth(now_);
  ASSERT_EQ(kernel_.state().services[0].destinations.size(), 1U);
  EXPECT_EQ(kernel_.state().services[0].destinations[0].address.ToString(), "10.0.0.99");
  EXPECT_FALSE(trackers_.quorums.at(Web().key));
  EXPECT_NE(Told("check").find("has lost its quorum"), std::string::npos);
  const ServiceStatus status = core_.StatusNow(now_).services.at(0);
  EXPECT_TRUE(status.sorry);
  EXPECT_EQ(status.servers.size(), 3U);
}

TEST_F(Daemon, PrivateServicesAreOnlyItsOwnAndGoWhenItStops) {
  Begin(WatchedWeb());
  VirtualService probe;
  probe.key = FwmarkKey{0x70000001};
  probe.destinations = {Web().destinations[0]};
  probe.destinations[0].port = 0;
  core_.PrivateServicesAre({probe});
  core_.ApplyHealth(now_);
  EXPECT_EQ(kernel_.state().services.size(), 2U);
  VirtualService other = probe;
  other.key = FwmarkKey{0x70000002};
  core_.PrivateServicesAre({other});
  core_.ApplyHealth(now_);
  ASSERT_EQ(kernel_.state().services.size(), 2U);
  EXPECT_EQ(kernel_.state().services[1].key, other.key);
  EXPECT_TRUE(store_.Load("web")->state.services.size() == 1U);
  core_.Stop();
  EXPECT_EQ(kernel_.state().services.size(), 1U);
}

TEST_F(Daemon, PrivateServicesOfAProcessThatWasKilledAreRemoved) {
  VirtualService left;
  left.key = FwmarkKey{0x44520003};
  VirtualService foreign;
  foreign.key = FwmarkKey{7};
  kernel_.state().services = {left, foreign};
  Begin(State({}, {}, {Web()}));
  ASSERT_EQ(kernel_.state().services.size(), 2U);
  EXPECT_EQ(kernel_.state().services[0].key, foreign.key);
}

TEST_F(Daemon, TrackersOfInstanceAndGroupBecomeFaultAndWeight) {
  DesiredState state;
  state.vrrp_instances = {Instance("web"), Instance("dns")};
  state.vrrp_instances[1].addresses = {Prefix::Parse("10.0.0.201/32").value()};
  state.vrrp_instances[0].track = {TrackedBy{"uplink", -50}};
  state.vrrp_groups = {VrrpGroup{"pair", {"web", "dns"}, {TrackedBy{"inside", 0}}}};
  state.trackers = {Tracker{"uplink", InterfaceTracker{"eth0"}},
                    Tracker{"inside", InterfaceTracker{"eth1"}}};
  Begin(state);
  EXPECT_EQ(speaker_.instances.size(), 2U);
  EXPECT_EQ(speaker_.tracked["web"], TrackedState{});
  down_links_ = {"eth0", "eth1"};
  core_.LinkChanged("eth0");
  core_.LinkChanged("eth1");
  core_.TrackerIsIn(trackers_.statuses[0]);
  EXPECT_EQ(speaker_.tracked["web"].weight, -50);
  EXPECT_NE(speaker_.tracked["web"].fault.find("tracker inside is down"), std::string::npos);
  EXPECT_NE(speaker_.tracked["dns"].fault, "");
  EXPECT_EQ(speaker_.tracked["dns"].weight, 0);
}

TEST_F(Daemon, ATrackerThatARunningInstanceGetsDoesNotPutItIntoFaultBeforeItsVerdict) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  Begin(state);
  EXPECT_EQ(speaker_.tracked["web"], TrackedState{});
  state.trackers = {Tracker{"nginx", ProcessTracker{"nginx"}}};
  state.vrrp_instances[0].track = {TrackedBy{"nginx", 0}};
  Record(state);
  ASSERT_TRUE(core_.Reload(now_));
  EXPECT_EQ(speaker_.tracked["web"], TrackedState{});
  trackers_.statuses[0].decided = true;
  core_.TrackerIsIn(trackers_.statuses[0]);
  EXPECT_NE(speaker_.tracked["web"].fault, "");
}

TEST_F(Daemon, ANewInstanceWaitsForTheVerdictOfItsTracker) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  state.trackers = {Tracker{"nginx", ProcessTracker{"nginx"}}};
  state.vrrp_instances[0].track = {TrackedBy{"nginx", 0}};
  Begin(state);
  EXPECT_NE(speaker_.tracked["web"].fault, "");
  ASSERT_TRUE(core_.Reload(now_));  // still without a verdict
  EXPECT_NE(speaker_.tracked["web"].fault, "");
}

TEST_F(Daemon, SettledMeansEveryRoleAndEveryVerdict) {
  DesiredState state = WatchedWeb();
  state.vrrp_instances = {Instance()};
  Begin(state);
  EXPECT_EQ(core_.Settled().open.size(), 3U);  // the instance does not run; two servers
  InstanceStatus web;
  web.name = "web";
  web.state = "backup";
  speaker_.snapshot = {web};
  Decide(true, false);
  EXPECT_EQ(core_.Settled().open,
            std::vector<std::string>{"vrrp_instance web is backup and hears no master yet"});
  speaker_.snapshot[0].last_heard = milliseconds{100};
  EXPECT_TRUE(core_.Settled().open.empty());
  speaker_.snapshot[0].preempts = true;
  speaker_.snapshot[0].master = IpAddress::Parse("10.0.0.2").value();
  EXPECT_EQ(
      core_.Settled().open,
      std::vector<std::string>{"vrrp_instance web is backup and about to take over from 10.0.0.2"});
  speaker_.snapshot[0].preempts = false;
  speaker_.snapshot[0].awaits_sync = true;
  EXPECT_EQ(core_.Settled().open.size(), 1U);
  speaker_.snapshot[0].state = "fault";
  speaker_.snapshot[0].reason = "the link is down";
  EXPECT_TRUE(core_.Settled().open.empty());
  EXPECT_EQ(core_.Settled().faults,
            std::vector<std::string>{"vrrp_instance web is in fault: the link is down"});
}

TEST_F(Daemon, WhatCannotBeSetIsSaidOnceAndShownAsAProblem) {
  Begin(State({Vip("10.0.0.100/32", "eth7")}));
  for (int i = 0; i < 10; ++i) Later(milliseconds{500});
  EXPECT_EQ(core_.StatusNow(now_).problems.size(), 1U);
  const std::string told = Told("daemon");
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << told;
  kernel_.AddInterface("eth7");
  Later(seconds{60});
  EXPECT_TRUE(core_.StatusNow(now_).problems.empty());
}

TEST_F(Daemon, RecordsThatCannotBeReadChangeNothingAndAreReadAgainLater) {
  Begin(State({Vip("10.0.0.100/32")}));
  const std::string path = folder_ / "state/owners/web/current.json";
  const std::string good = ReadWholeFile(path).value();
  ASSERT_TRUE(WriteFileAtomically(path, "{", 0600));
  EXPECT_FALSE(core_.Reload(now_));
  for (int i = 0; i < 20; ++i) Later(milliseconds{500});
  EXPECT_EQ(core_.StatusNow(now_).problems.size(), 1U);
  EXPECT_EQ(kernel_.state().addresses.size(), 1U);
  kernel_.state().addresses.clear();  // what was read before is still kept
  Later(milliseconds{500});
  EXPECT_EQ(kernel_.state().addresses.size(), 1U);
  ASSERT_TRUE(WriteFileAtomically(path, good, 0600));
  for (int i = 0; i < 130; ++i) Later(milliseconds{500});
  EXPECT_TRUE(core_.StatusNow(now_).problems.empty());
}

TEST_F(Daemon, AReturningBackupWaitsForTheConnectionTable) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  state.sync_daemons = {SyncDaemon{SyncRole::kBackup, "eth0"}};
  Begin(state);
  speaker_.events = {{"web", now_, InstanceMoved{"initialize", "backup", "started"}}};
  core_.SpeakerSpoke(now_);
  EXPECT_FALSE(speaker_.may_preempt.at("web"));
  SyncStatus sync;
  sync.peers = {SyncPeerStatus{"10.0.0.2", 1000, 0.5}};
  core_.SyncIs(sync, /*converged=*/false, now_);
  EXPECT_FALSE(speaker_.may_preempt.at("web"));
  sync.peers[0].held = 1;
  core_.SyncIs(sync, /*converged=*/true, now_);
  EXPECT_TRUE(speaker_.may_preempt.at("web"));
  // Nobody counts: it waits no longer than it was told to.
  speaker_.events = {{"web", now_, InstanceMoved{"fault", "backup", "the link is up"}}};
  core_.SpeakerSpoke(now_);
  sync.peers.clear();
  core_.SyncIs(sync, /*converged=*/false, now_);
  EXPECT_FALSE(speaker_.may_preempt.at("web"));
  Later(seconds{61});
  EXPECT_TRUE(speaker_.may_preempt.at("web"));
}

TEST_F(Daemon, ATableThatNoLongerGetsThePeersConnectionsIsTold) {
  DesiredState state;
  state.sync_daemons = {SyncDaemon{SyncRole::kBackup, "eth0"}};
  Begin(state);
  SyncStatus sync;
  sync.peers = {SyncPeerStatus{"10.0.0.2", 1000, 0.5}, SyncPeerStatus{"10.0.0.3", 10, 1}};
  const auto told = [&] {
    std::vector<std::string> texts;
    for (const LoggedEvent& event : core_.StatusNow(now_).events) {
      if (event.kind == "sync") texts.push_back(event.text);
    }
    return texts;
  };
  core_.SyncIs(sync, /*converged=*/false, now_);  // it is filled for the first time
  core_.SyncIs(sync, /*converged=*/true, now_);
  EXPECT_EQ(told().size(), 0U);
  core_.SyncIs(sync, /*converged=*/false, now_);
  core_.SyncIs(sync, /*converged=*/false, now_);
  ASSERT_EQ(told().size(), 1U);
  EXPECT_EQ(told().back(),
            "does not get all connections of 10.0.0.2: holds 50 % of the settled ones");
  core_.SyncIs(sync, /*converged=*/true, now_);
  ASSERT_EQ(told().size(), 2U);
  EXPECT_EQ(told().back(), "holds the connections of its peers again");
  sync.peers.clear();
  core_.SyncIs(sync, /*converged=*/false, now_);
  EXPECT_EQ(told().back(), "hears no peer's connection table any more");
}

// A million connections take longer than some seconds to compare, so that every comparison is old;
// but one of before the outage says nothing about what was missed in it.
TEST_F(Daemon, AComparisonOfALongTableCountsWhenItIsOfAfterTheReturn) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  state.sync_daemons = {SyncDaemon{SyncRole::kBackup, "eth0"}};
  Begin(state);
  speaker_.events = {{"web", now_, InstanceMoved{"fault", "backup", "the link is up"}}};
  core_.SpeakerSpoke(now_);
  now_ += seconds{20};
  SyncStatus sync;
  sync.peers = {SyncPeerStatus{"10.0.0.2", 1000000, 1, seconds{25}}};
  core_.SyncIs(sync, /*converged=*/true, now_);
  Later(milliseconds{500});  // time alone makes it no younger
  EXPECT_FALSE(speaker_.may_preempt.at("web"));
  now_ += seconds{20};
  sync.peers[0].age = seconds{12};
  core_.SyncIs(sync, /*converged=*/true, now_);
  EXPECT_TRUE(speaker_.may_preempt.at("web"));
}

TEST_F(Daemon, WhoFollowsALivingMasterPassesOnWhatItDoesNotKnow) {
  DesiredState state = WatchedWeb();
  state.vrrp_instances = {Instance()};
  state.vrrp_instances[0].addresses = {Prefix::Host(std::get<SocketKey>(Web().key).address)};
  state.sync_daemons = {SyncDaemon{SyncRole::kBackup, "eth0"}};
  Begin(state);
  const IpAddress before = IpAddress::V4({10, 0, 0, 2});
  speaker_.events = {{"web", now_, TakeoverAhead{before, "eth0"}}};
  core_.SpeakerSpoke(now_);
  const std::vector<PassedOn> wanted = {{std::get<SocketKey>(Web().key), before, "eth0"}};
  EXPECT_EQ(passed_on_, wanted);
  speaker_.events = {{"web", now_, InstanceMoved{"backup", "master", "the master let go"}}};
  core_.SpeakerSpoke(now_);
  EXPECT_EQ(passed_on_, wanted);
  // It ends before the other one stops lingering.
  EXPECT_LT(again_at_, now_ + speaker_.instances.at(0).linger);
  core_.PassOnWhatIsDue(again_at_);
  EXPECT_TRUE(passed_on_.empty());
}

TEST_F(Daemon, EventsOfTheSpeakerAreTold) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  Begin(state);
  speaker_.events = {
      {"web", now_, InstanceMoved{"backup", "master", "no advert"}},
      {"web", now_,
       RivalSeen{IpAddress::V4({10, 0, 0, 200}), "02:00:00:00:00:01", "announced again"}},
      {"web", now_, AddressRepaired{"address 10.0.0.200/32 on eth0"}},
      {"web", now_, SpeakerProblem{"cannot send"}}};
  core_.SpeakerSpoke(now_);
  EXPECT_EQ(Told("vrrp"), "vrrp_instance web: backup -> master: no advert\n");
  EXPECT_EQ(Told("rival"),
            "vrrp_instance web: 10.0.0.200 is claimed by 02:00:00:00:00:01: announced again\n");
  EXPECT_EQ(core_.StatusNow(now_).repairs, 1U);
  EXPECT_EQ(core_.StatusNow(now_).problems,
            std::vector<std::string>{"vrrp_instance web: cannot send"});
  speaker_.events = {{"web", now_, SpeakerProblem{"something else", /*over=*/true}}};
  core_.SpeakerSpoke(now_);
  EXPECT_EQ(core_.StatusNow(now_).problems.size(), 1U);
  speaker_.events = {{"web", now_, SpeakerProblem{"cannot send", /*over=*/true}}};
  core_.SpeakerSpoke(now_);
  EXPECT_TRUE(core_.StatusNow(now_).problems.empty());
}

TEST_F(Daemon, TheNextProcessGoesOnWhereThisOneWas) {
  DesiredState state = WatchedWeb();
  state.vrrp_instances = {Instance()};
  Begin(state);
  Decide(true, false);
  core_.ApplyHealth(now_);
  now_ += seconds{10};
  const CoreMemory memory = core_.Freeze(now_);
  EXPECT_TRUE(speaker_.frozen);
  // No script outlives its process, and no advert waits for the end of one.
  EXPECT_EQ(frozen_before_engines_ended_, false);
  DaemonCore next(Parts(), now_);
  next.Begin(memory, now_);
  EXPECT_EQ(speaker_.remembered, "speaker");
  EXPECT_EQ(checks_.thawed, "checks");
  EXPECT_EQ(trackers_.thawed, "trackers");
  EXPECT_EQ(next.StatusNow(now_).running_for, milliseconds{10000});
  EXPECT_EQ(Told("drift"), "");
}

TEST_F(Daemon, AnUpgradeThatFailsGoesOn) {
  DesiredState state = WatchedWeb();
  state.vrrp_instances = {Instance()};
  state.trackers = {Tracker{"uplink", InterfaceTracker{"eth0"}}};
  Begin(state);
  Decide(true, false);
  core_.ApplyHealth(now_);
  const CoreMemory memory = core_.Freeze(now_);
  FakeChecks checks;
  FakeTrackers trackers;
  core_.SetEngines(&checks, &trackers);
  core_.Unfreeze(memory, now_);
  EXPECT_EQ(speaker_.remembered, "speaker");
  EXPECT_EQ(speaker_.instances.size(), 1U);
  EXPECT_EQ(checks.thawed, "checks");
  EXPECT_EQ(checks.verdicts.size(), 2U);
  EXPECT_EQ(trackers.thawed, "trackers");
  EXPECT_EQ(trackers.statuses.size(), 1U);
  Later(milliseconds{500});
  EXPECT_EQ(Weights(), (std::vector<std::uint32_t>{1, 0}));
}

TEST_F(Daemon, YieldAndReturnReachTheSpeaker) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  Begin(state);
  EXPECT_TRUE(core_.Move(HandoverMove::kYield, {}, false));
  EXPECT_TRUE(speaker_.yielded.contains("web"));
  EXPECT_TRUE(core_.Move(HandoverMove::kReturn, {"web"}, false));
  EXPECT_TRUE(speaker_.yielded.empty());
  EXPECT_EQ(core_.Move(HandoverMove::kYield, {"dns"}, false).error().code, ErrorCode::kNotFound);
  core_.Stop();
  EXPECT_TRUE(speaker_.stopped);
}

TEST_F(Daemon, WhatWasHandedOverForARunMayBeMasterAgainWhenNoRunHasTheNode) {
  DesiredState state;
  state.vrrp_instances = {Instance("web"), Instance("dns")};
  state.vrrp_instances[1].vrid = 2;
  Begin(state);
  speaker_.snapshot.resize(2);
  speaker_.snapshot[0].name = "web";
  speaker_.snapshot[1].name = "dns";
  has_run_ = true;
  EXPECT_TRUE(core_.Move(HandoverMove::kYield, {"web"}, /*with_run=*/true));
  EXPECT_TRUE(core_.Move(HandoverMove::kYield, {"dns"}, /*with_run=*/false));
  core_.EndHoldsOfRuns();
  EXPECT_TRUE(speaker_.yielded.contains("web"));
  const CoreMemory memory = core_.Freeze(now_);  // and through an upgrade in place
  EXPECT_EQ(memory.held_with_run, std::set<std::string>{"web"});
  core_.SetEngines(&checks_, &trackers_);
  core_.Unfreeze(memory, now_);
  has_run_ = false;
  core_.EndHoldsOfRuns();
  EXPECT_EQ(speaker_.yielded, std::set<std::string>{"dns"});
  EXPECT_EQ(Told("vrrp"),
            "vrrp_instance web: was handed over for a run that has ended; may be master again\n");
}

TEST_F(Daemon, WhatIsHandedOverAgainByHandIsNotTheRunsAnyMore) {
  DesiredState state;
  state.vrrp_instances = {Instance()};
  Begin(state);
  speaker_.snapshot.resize(1);
  speaker_.snapshot[0].name = "web";
  EXPECT_TRUE(core_.Move(HandoverMove::kYield, {"web"}, /*with_run=*/true));
  EXPECT_TRUE(core_.Move(HandoverMove::kYield, {"web"}, /*with_run=*/false));
  core_.EndHoldsOfRuns();
  EXPECT_TRUE(speaker_.yielded.contains("web"));
}

}  // namespace
}  // namespace drover
