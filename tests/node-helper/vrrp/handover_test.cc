// What RFC 9568 does not know: handing over on purpose, faults with a reason, permission to
// preempt, and going on after an upgrade in place.

#include <gtest/gtest.h>

#include "node-helper/vrrp/instance.h"

namespace drover::vrrp {
namespace {

using std::chrono::milliseconds;

IpAddress Ip(const std::string& text) { return *IpAddress::Parse(text); }
Time At(std::int64_t ms) { return Time(milliseconds(ms)); }

Settings Web(int priority = 150) {
  return {.name = "web",
          .vrid = 51,
          .priority = static_cast<std::uint8_t>(priority),
          .own_address = Ip("10.0.0.5")};
}

AdvertReceived From(const std::string& address, int priority) {
  return {Ip(address), static_cast<std::uint8_t>(priority), Centiseconds(100)};
}

// A master since 0 ms.
Instance Master(const Settings& settings = Web()) {
  Instance instance(settings);
  instance.Step(Adopted{}, At(0));
  return instance;
}

Instance Backup(const Settings& settings = Web()) {
  Instance instance(settings);
  instance.Step(Startup{}, At(0));
  return instance;
}

TEST(VrrpHandover, AYieldingMasterSaysSoAndKeepsItsAddresses) {
  Instance master = Master();
  EXPECT_EQ(master.Step(Yield{}, At(500)), Actions{SendAdvert{0}});
  EXPECT_EQ(master.state(), State::kMaster);
  EXPECT_TRUE(master.yielding());
  EXPECT_FALSE(master.held()) << "it has not handed over yet";
}

TEST(VrrpHandover, WhenTheSuccessorIsHeardTheMasterLingersAndDoesNotPreempt) {
  Instance master = Master();
  master.Step(Yield{}, At(500));
  EXPECT_EQ(master.Step(From("10.0.0.6", 100), At(1100)),
            (Actions{ReleaseAddresses{.linger = true},
                     Transition{State::kMaster, State::kBackup,
                                "handed over to 10.0.0.6 with priority 100"}}));
  EXPECT_TRUE(master.held());
  EXPECT_EQ(master.master(), Ip("10.0.0.6"));
  for (int ms = 2100; ms < 60000; ms += 1000) {
    master.Step(TimerFired{}, At(ms));
    master.Step(From("10.0.0.6", 100), At(ms));
    ASSERT_EQ(master.state(), State::kBackup) << ms;
  }
  master.Step(Return{}, At(60000));
  for (int ms = 60100; ms < 65000; ms += 1000) {
    master.Step(From("10.0.0.6", 100), At(ms));
    if (At(ms) >= *master.Deadline()) master.Step(TimerFired{}, At(ms));
  }
  EXPECT_EQ(master.state(), State::kMaster) << "told to return, it preempts again";
}

TEST(VrrpHandover, ABackupNamesTheLivingMasterThatItIsAboutToFollow) {
  Instance follows = Backup();
  EXPECT_FALSE(follows.predecessor());
  follows.Step(From("10.0.0.6", 200), At(100));
  EXPECT_FALSE(follows.predecessor());
  follows.Step(From("10.0.0.6", 0), At(200));
  EXPECT_EQ(follows.predecessor(), Ip("10.0.0.6")) << "the master let go";
  follows.Step(From("10.0.0.7", 200), At(300));
  EXPECT_FALSE(follows.predecessor()) << "another one was faster";
  follows.Step(From("10.0.0.7", 100), At(1300));
  EXPECT_EQ(follows.predecessor(), Ip("10.0.0.7")) << "the master has a lower priority";
  follows.Step(TimerFired{}, *follows.Deadline());
  EXPECT_EQ(follows.state(), State::kMaster);
  EXPECT_FALSE(follows.predecessor());
}

TEST(VrrpHandover, WhoWaitsForThePreemptDelayFollowsNobodyYet) {
  Settings patient = Web();
  patient.preempt_delay = std::chrono::seconds(5);
  Instance waits = Backup(patient);
  waits.Step(From("10.0.0.6", 100), At(100));
  EXPECT_FALSE(waits.predecessor());
  waits.Step(From("10.0.0.6", 100), At(5100));
  EXPECT_EQ(waits.predecessor(), Ip("10.0.0.6"));
}

// Between its advert and its addresses the old one, which hears the advert, would have let go.
TEST(VrrpHandover, ASuccessorTakesTheAddressesBeforeItSaysSo) {
  const auto takes_first = [](Instance& backup) {
    const Actions actions = backup.Step(TimerFired{}, *backup.Deadline());
    return actions.at(1) == InstanceAction{TakeAddresses{}} &&
           actions.at(2) == InstanceAction{SendAdvert{150}};
  };
  Instance follows = Backup();
  follows.Step(From("10.0.0.6", 200), At(100));
  follows.Step(From("10.0.0.6", 0), At(200));
  EXPECT_TRUE(takes_first(follows)) << "the master let go";
  Instance preempts = Backup();
  preempts.Step(From("10.0.0.6", 100), At(100));
  EXPECT_TRUE(takes_first(preempts)) << "a lower master still serves";
  Instance replaces = Backup();
  replaces.Step(From("10.0.0.6", 200), At(100));
  EXPECT_FALSE(takes_first(replaces)) << "a dead master has nothing to wait for, other backups do";
}

// A backup starts its skew anew with every priority 0, and that is shorter than an interval.
TEST(VrrpHandover, PriorityZeroIsRepeatedOnceAfterAnInterval) {
  Instance master = Master();
  master.Step(Yield{}, At(500));
  EXPECT_EQ(*master.Deadline(), At(1500));
  EXPECT_TRUE(master.Step(TimerFired{}, At(1400)).empty());
  EXPECT_EQ(master.Step(TimerFired{}, At(1500)), Actions{SendAdvert{0}});
}

TEST(VrrpHandover, WithoutASuccessorTheMasterGoesOn) {
  Instance master = Master();
  master.Step(Yield{}, At(500));
  master.Step(TimerFired{}, At(1500));
  const Time end = At(500) + master.HandoverBound();
  EXPECT_EQ(*master.Deadline(), end);
  EXPECT_EQ(master.Step(TimerFired{}, end),
            (Actions{SendAdvert{150}, AnnounceAgain{}, YieldFailed{}}));
  EXPECT_EQ(master.state(), State::kMaster);
  EXPECT_FALSE(master.held());
  EXPECT_EQ(master.Step(TimerFired{}, end + milliseconds(1000)), Actions{SendAdvert{150}});
}

TEST(VrrpHandover, AStoppingMasterWithoutASuccessorGoesAllTheSame) {
  Instance master = Master();
  EXPECT_EQ(master.Step(Shutdown{.hand_over = true}, At(500)), Actions{SendAdvert{0}});
  master.Step(TimerFired{}, At(1500));
  EXPECT_EQ(master.Step(TimerFired{}, At(500) + master.HandoverBound()),
            (Actions{ReleaseAddresses{}, Transition{State::kMaster, State::kInitialize,
                                                    "shut down; nobody took over"}}));
}

TEST(VrrpHandover, AStoppingMasterLingersWhenTheSuccessorIsThere) {
  Instance master = Master();
  master.Step(Shutdown{.hand_over = true}, At(500));
  const Actions actions = master.Step(From("10.0.0.6", 100), At(1100));
  EXPECT_EQ(actions.front(), InstanceAction{ReleaseAddresses{.linger = true}});
  EXPECT_EQ(master.state(), State::kInitialize);
  EXPECT_FALSE(master.Deadline());
}

TEST(VrrpHandover, AStopDuringAYieldMakesItFinal) {
  Instance master = Master();
  master.Step(Yield{}, At(500));
  EXPECT_TRUE(master.Step(Shutdown{.hand_over = true}, At(600)).empty());
  master.Step(TimerFired{}, At(500) + master.HandoverBound());
  EXPECT_EQ(master.state(), State::kInitialize);
}

TEST(VrrpHandover, AYieldThatIsTakenBackInTimeLeavesTheMasterMaster) {
  Instance master = Master();
  master.Step(Yield{}, At(500));
  EXPECT_EQ(master.Step(Return{}, At(600)), (Actions{SendAdvert{150}, AnnounceAgain{}}));
  EXPECT_FALSE(master.yielding());
  EXPECT_EQ(master.state(), State::kMaster);
}

TEST(VrrpHandover, ABackupThatIsToldToYieldOnlyGivesUpPreempting) {
  Instance backup = Backup();
  backup.Step(From("10.0.0.6", 100), At(100));
  EXPECT_TRUE(backup.Step(Yield{}, At(200)).empty());
  EXPECT_TRUE(backup.held());
  backup.Step(From("10.0.0.6", 100), At(1100));
  EXPECT_EQ(*backup.Deadline(), At(1100) + backup.MasterDownInterval());
}

TEST(VrrpHandover, AHeldBackupStillTakesOverWhenNobodyIsLeft) {
  Instance backup = Backup();
  backup.Step(Yield{}, At(200));
  backup.Step(TimerFired{}, *backup.Deadline());
  EXPECT_EQ(backup.state(), State::kMaster);
  EXPECT_FALSE(backup.held());
}

TEST(VrrpHandover, TheBoundLeavesTimeForTheSlowestBackupEvenIfOnePacketIsLost) {
  Settings v2 = Web();
  v2.version = Version::k2;
  v2.interval = Centiseconds(500);
  EXPECT_EQ(Instance(v2).HandoverBound(), milliseconds(6100));
  Settings fast = Web();
  fast.interval = Centiseconds(1);
  EXPECT_EQ(Instance(fast).HandoverBound(), milliseconds(120));
}

TEST(VrrpFault, WithoutALinkTheAddressesGoAtOnce) {
  Instance master = Master();
  EXPECT_EQ(master.Step(Faulted{"eth0 has no carrier"}, At(500)),
            (Actions{ReleaseAddresses{}, SendAdvert{0},
                     Transition{State::kMaster, State::kFault, "eth0 has no carrier"}}));
  EXPECT_FALSE(master.Deadline());
  EXPECT_TRUE(master.Step(TimerFired{}, At(9000)).empty());
  EXPECT_TRUE(master.Step(From("10.0.0.6", 1), At(9000)).empty());
}

TEST(VrrpFault, ATrackersFaultHandsOverFirst) {
  Instance master = Master();
  EXPECT_EQ(master.Step(Faulted{"tracker web is down", /*at_once=*/false}, At(500)),
            Actions{SendAdvert{0}});
  const Actions actions = master.Step(From("10.0.0.6", 100), At(1100));
  EXPECT_EQ(actions, (Actions{ReleaseAddresses{.linger = true},
                              Transition{State::kMaster, State::kFault, "tracker web is down"}}));
  Instance alone = Master();
  alone.Step(Faulted{"tracker web is down", /*at_once=*/false}, At(500));
  alone.Step(TimerFired{}, At(500) + alone.HandoverBound());
  EXPECT_EQ(alone.state(), State::kFault) << "with or without a successor";
}

TEST(VrrpFault, AFaultThatClearsBeforeASuccessorCameIsForgotten) {
  Instance master = Master();
  master.Step(Faulted{"tracker web is down", /*at_once=*/false}, At(500));
  EXPECT_EQ(master.Step(FaultCleared{}, At(600)), (Actions{SendAdvert{150}, AnnounceAgain{}}));
  EXPECT_EQ(master.state(), State::kMaster);
}

TEST(VrrpFault, AfterAFaultTheInstanceListensForAWholeInterval) {
  Instance backup = Backup();
  EXPECT_EQ(backup.Step(Faulted{"eth0 is down"}, At(100)),
            (Actions{Transition{State::kBackup, State::kFault, "eth0 is down"}}))
      << "a backup has nothing to release and nothing to say";
  backup.Step(FaultCleared{}, At(5000));
  EXPECT_EQ(backup.state(), State::kBackup);
  EXPECT_EQ(*backup.Deadline(), At(5000) + backup.MasterDownInterval());
}

TEST(VrrpFault, AnInstanceThatIsFaultyBeforeItStartsStartsInFault) {
  Instance instance(Web());
  instance.Step(Faulted{"there is no interface eth7"}, At(0));
  EXPECT_EQ(instance.state(), State::kInitialize);
  instance.Step(Startup{}, At(1));
  EXPECT_EQ(instance.state(), State::kFault);
  instance.Step(FaultCleared{}, At(2));
  EXPECT_EQ(instance.state(), State::kBackup);
  instance.Step(Faulted{"eth0 is down"}, At(3));
  instance.Step(Shutdown{}, At(4));
  EXPECT_EQ(instance.state(), State::kInitialize);
}

TEST(VrrpPreempt, WithoutPermissionALowerMasterIsLeftAloneAndTheWaitingShows) {
  Instance backup = Backup();
  backup.Step(AllowPreempt{false}, At(0));
  for (int ms = 500; ms < 30000; ms += 1000) {
    backup.Step(From("10.0.0.6", 100), At(ms));
    ASSERT_EQ(*backup.Deadline(), At(ms) + backup.MasterDownInterval());
  }
  EXPECT_TRUE(backup.waits_for_permission());
  backup.Step(AllowPreempt{true}, At(30000));
  EXPECT_FALSE(backup.waits_for_permission());
  const Time deadline = *backup.Deadline();
  backup.Step(From("10.0.0.6", 100), At(30500));
  EXPECT_EQ(*backup.Deadline(), deadline) << "now the timer runs";
}

TEST(VrrpPreempt, WithoutPermissionADeadMasterIsReplacedAllTheSame) {
  Instance backup = Backup();
  backup.Step(AllowPreempt{false}, At(0));
  backup.Step(From("10.0.0.6", 100), At(500));
  backup.Step(TimerFired{}, *backup.Deadline());
  EXPECT_EQ(backup.state(), State::kMaster);
}

// 6.4.2: the timer is not less than the priority heard only when it is lower; a tie is no
// preemption.
TEST(VrrpPreempt, AnEqualPriorityIsNotPreemptedWhateverTheAddresses) {
  for (const char* peer : {"10.0.0.1", "10.0.0.9"}) {
    Instance backup = Backup();
    backup.Step(From(peer, 150), At(500));
    EXPECT_EQ(*backup.Deadline(), At(500) + backup.MasterDownInterval()) << peer;
  }
}

TEST(VrrpUpgrade, AnAdoptedInstanceIsMasterAtOnceAndSaysSo) {
  Instance instance(Web());
  EXPECT_EQ(
      instance.Step(Adopted{}, At(0)),
      (Actions{Transition{State::kInitialize, State::kMaster, "went on after an upgrade in place"},
               SendAdvert{150}, TakeAddresses{}}));
}

TEST(VrrpSettings, AShorterIntervalCountsFromTheNextAdvertOn) {
  Instance master = Master();
  Settings faster = Web();
  faster.interval = Centiseconds(10);
  master.Reconfigure(faster, At(200));
  EXPECT_EQ(*master.Deadline(), At(300)) << "peers that learn the new interval must not wait";
  master.Step(TimerFired{}, At(300));
  EXPECT_EQ(*master.Deadline(), At(400));
}

TEST(VrrpSettings, ALongerIntervalIsToldAtTheOldPaceSoThatOneLostAdvertDoesNoHarm) {
  Instance master = Master();
  Settings slower = Web();
  slower.interval = Centiseconds(1000);
  master.Reconfigure(slower, At(200));
  for (const int ms : {1000, 2000, 3000}) {
    EXPECT_EQ(*master.Deadline(), At(ms));
    EXPECT_EQ(master.Step(TimerFired{}, At(ms)), Actions{SendAdvert{150}});
  }
  EXPECT_EQ(*master.Deadline(), At(4000));
  master.Step(TimerFired{}, At(4000));
  EXPECT_EQ(*master.Deadline(), At(14000));
}

TEST(VrrpSettings, TheOldPaceEndsWithTheMasterAndWithAShorterInterval) {
  Instance master = Master();
  Settings other = Web();
  other.interval = Centiseconds(1000);
  master.Reconfigure(other, At(200));
  other.interval = Centiseconds(50);
  master.Reconfigure(other, At(300));
  EXPECT_EQ(*master.Deadline(), At(800));
  master.Step(TimerFired{}, At(800));
  EXPECT_EQ(*master.Deadline(), At(1300));
  other.interval = Centiseconds(1000);
  master.Reconfigure(other, At(900));
  master.Step(From("10.0.0.6", 200), At(1000));
  EXPECT_EQ(master.state(), State::kBackup);
  master.Step(Adopted{}, At(1100));
  EXPECT_EQ(*master.Deadline(), At(1000) + master.MasterDownInterval());
}

// Between the two phases the master may count in the other interval already, or still.
TEST(VrrpSettings, ABackupOfVersion2CountsInTheIntervalThatItHearsDuringAChange) {
  Settings two = Web();
  two.version = Version::k2;
  Instance backup = Backup(two);
  AdvertReceived slow = From("10.0.0.6", 200);
  slow.interval = Centiseconds(1000);
  backup.Step(slow, At(100));
  EXPECT_GT(*backup.Deadline(), At(30000));
  backup.Reconfigure(two, At(200));
  EXPECT_GT(*backup.Deadline(), At(30000)) << "settled before the master";
}

TEST(VrrpSettings, AnotherPriorityIsSentFromTheNextAdvertOn) {
  Instance master = Master();
  master.Reconfigure(Web(120), At(200));
  EXPECT_EQ(master.Step(TimerFired{}, At(1000)), Actions{SendAdvert{120}});
  master.Step(PriorityChanged{90}, At(1100));
  master.Reconfigure(Web(120), At(1200));
  EXPECT_EQ(master.priority(), 90) << "what trackers say stays when the settings say nothing new";
}

}  // namespace
}  // namespace drover::vrrp
