// The state machine by the sections of RFC 9568 (6.4.1 to 6.4.3), then several of them on a
// simulated wire.

#include "node-helper/vrrp/instance.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

namespace drover::vrrp {
namespace {

using std::chrono::milliseconds;

IpAddress Ip(const std::string& text) { return *IpAddress::Parse(text); }
Time At(std::int64_t ms) { return Time(milliseconds(ms)); }

Settings Named(const std::string& address, int priority) {
  return {.name = "web",
          .vrid = 51,
          .priority = static_cast<std::uint8_t>(priority),
          .own_address = Ip(address)};
}

AdvertReceived From(const std::string& address, int priority,
                    Centiseconds interval = Centiseconds(100)) {
  return {Ip(address), static_cast<std::uint8_t>(priority), interval};
}

template <typename Action>
bool Has(const Actions& actions) {
  for (const InstanceAction& action : actions) {
    if (std::holds_alternative<Action>(action)) return true;
  }
  return false;
}

Instance Master(const Settings& settings) {
  Instance instance(settings);
  instance.Step(Startup{}, At(0));
  instance.Step(TimerFired{}, *instance.Deadline());
  return instance;
}

// 6.1: Skew_Time and Active_Down_Interval; RFC 3768 counts the skew in seconds.
TEST(VrrpInstance, TimersFollowPriorityIntervalAndVersion) {
  struct Case {
    Version version;
    int priority;
    int interval_cs;
    std::int64_t want_ns;
  };
  for (const Case& c :
       {Case{Version::k3, 100, 100, 3'609'375'000}, Case{Version::k3, 254, 10, 300'781'250},
        Case{Version::k3, 100, 1, 36'093'750}, Case{Version::k2, 100, 100, 3'609'375'000},
        Case{Version::k2, 100, 500, 15'609'375'000}}) {
    Settings settings = Named("10.0.0.1", c.priority);
    settings.version = c.version;
    settings.interval = Centiseconds(c.interval_cs);
    EXPECT_EQ(Instance(settings).MasterDownInterval().count(), c.want_ns);
  }
}

// 6.4.1: the owner of the addresses (priority 255) is master at once.
TEST(VrrpInstance, OwnerStartsAsMaster) {
  Instance owner(Named("10.0.0.1", 255));
  const Actions actions = owner.Step(Startup{}, At(0));
  EXPECT_EQ(owner.state(), State::kMaster);
  EXPECT_EQ(actions,
            (Actions{Transition{State::kInitialize, State::kMaster, "owner of the addresses"},
                     SendAdvert{255}, TakeAddresses{}}));
}

TEST(VrrpInstance, OthersStartAsBackupAndListenForAWholeInterval) {
  Instance backup(Named("10.0.0.1", 100));
  backup.Step(Startup{}, At(0));
  EXPECT_EQ(backup.state(), State::kBackup);
  EXPECT_EQ(*backup.Deadline(), Time(backup.MasterDownInterval()));
  EXPECT_TRUE(backup.Step(TimerFired{}, At(3000)).empty())
      << "a timer that fires early means nothing";
  const Actions actions = backup.Step(TimerFired{}, *backup.Deadline());
  EXPECT_EQ(actions, (Actions{Transition{State::kBackup, State::kMaster, "no master was heard"},
                              SendAdvert{100}, TakeAddresses{}}));
}

// 6.4.2: priority 0 says that the master stops; the backup waits its skew only.
TEST(VrrpInstance, BackupTakesOverAfterItsSkewWhenTheMasterReleases) {
  Instance backup(Named("10.0.0.2", 100));
  backup.Step(Startup{}, At(0));
  backup.Step(From("10.0.0.1", 150), At(100));
  backup.Step(From("10.0.0.1", 0), At(200));
  EXPECT_EQ(*backup.Deadline(), At(200) + backup.SkewTime());
  const Actions actions = backup.Step(TimerFired{}, *backup.Deadline());
  EXPECT_EQ(std::get<Transition>(actions.front()).reason, "master 10.0.0.1 let go");
}

// In version 2, other intervals are refused on receipt but between two phases of a change.
TEST(VrrpInstance, BackupLearnsTheMastersInterval) {
  for (const Version version : {Version::k2, Version::k3}) {
    Settings settings = Named("10.0.0.2", 100);
    settings.version = version;
    Instance backup(settings);
    backup.Step(Startup{}, At(0));
    const Nanoseconds before = backup.MasterDownInterval();
    backup.Step(From("10.0.0.1", 150, Centiseconds(10)), At(0));
    EXPECT_LT(backup.MasterDownInterval(), before);
  }
}

TEST(VrrpInstance, AMoreImportantBackupLetsItsTimerRunAgainstALowerMaster) {
  Instance backup(Named("10.0.0.2", 200));
  backup.Step(Startup{}, At(0));
  const Time deadline = *backup.Deadline();
  EXPECT_TRUE(backup.Step(From("10.0.0.1", 100), At(1000)).empty());
  EXPECT_EQ(*backup.Deadline(), deadline);
  backup.Step(TimerFired{}, deadline);
  EXPECT_EQ(backup.state(), State::kMaster);
}

TEST(VrrpInstance, WithoutPreemptionALowerMasterIsLeftAlone) {
  Settings settings = Named("10.0.0.2", 200);
  settings.preempt = false;
  Instance backup(settings);
  backup.Step(Startup{}, At(0));
  for (int ms = 1000; ms < 60000; ms += 1000) {
    backup.Step(From("10.0.0.1", 100), At(ms));
    EXPECT_GT(*backup.Deadline(), At(ms + 3000));
  }
}

TEST(VrrpInstance, PreemptDelayHoldsBackForItsTime) {
  Settings settings = Named("10.0.0.2", 200);
  settings.preempt_delay = std::chrono::seconds(10);
  Instance backup(settings);
  backup.Step(Startup{}, At(0));
  int ms = 1000;
  for (; ms <= 10000; ms += 1000) {
    backup.Step(From("10.0.0.1", 100), At(ms));
    EXPECT_EQ(*backup.Deadline(), At(ms) + backup.MasterDownInterval()) << ms;
  }
  const Time held = *backup.Deadline();
  for (; ms <= 13000; ms += 1000) backup.Step(From("10.0.0.1", 100), At(ms));
  EXPECT_EQ(*backup.Deadline(), held) << "after the delay the timer runs";
}

// 6.4.3.
TEST(VrrpInstance, MasterAdvertisesEachIntervalWithoutDriftAndWithoutBursts) {
  Instance master = Master(Named("10.0.0.1", 100));
  const Time first = *master.Deadline();
  EXPECT_EQ(master.Step(TimerFired{}, first + milliseconds(7)), Actions{SendAdvert{100}});
  EXPECT_EQ(*master.Deadline(), first + milliseconds(1000)) << "lateness must not add up";
  EXPECT_EQ(master.Step(TimerFired{}, first + milliseconds(5500)), Actions{SendAdvert{100}});
  EXPECT_EQ(*master.Deadline(), first + milliseconds(6500))
      << "what was missed is not sent in a burst";
}

TEST(VrrpInstance, MasterYieldsToAGreaterPriorityAndOnEqualOnesToTheGreaterAddress) {
  struct Case {
    AdvertReceived advert;
    State want;
  };
  for (const Case& c :
       {Case{From("10.0.0.1", 101), State::kBackup}, Case{From("10.0.0.9", 100), State::kBackup},
        Case{From("10.0.0.1", 100), State::kMaster}, Case{From("10.0.0.9", 99), State::kMaster}}) {
    Instance master = Master(Named("10.0.0.5", 100));
    const Actions actions = master.Step(c.advert, At(9000));
    EXPECT_EQ(master.state(), c.want);
    EXPECT_EQ(Has<ReleaseAddresses>(actions), c.want == State::kBackup);
    EXPECT_EQ(actions.front(), InstanceAction{SendAdvert{100}})
        << "the winner answers at once; the loser lets the winner know that it was there";
    EXPECT_EQ(Has<AnnounceAgain>(actions), c.want == State::kMaster);
  }
}

TEST(VrrpInstance, MasterAnswersARelease) {
  Instance master = Master(Named("10.0.0.5", 100));
  EXPECT_EQ(master.Step(From("10.0.0.9", 0), At(9000)), Actions{SendAdvert{100}});
  EXPECT_EQ(master.state(), State::kMaster);
}

TEST(VrrpInstance, ShutdownOfAMasterReleasesBeforeItSaysSo) {
  Instance master = Master(Named("10.0.0.5", 100));
  EXPECT_EQ(master.Step(Shutdown{}, At(9000)),
            (Actions{ReleaseAddresses{}, SendAdvert{0},
                     Transition{State::kMaster, State::kInitialize, "shut down"}}));
  EXPECT_FALSE(master.Deadline());
}

TEST(VrrpInstance, AfterAFreezeTheMasterLetsGoAndListensBeforeItSendsAnything) {
  Instance master = Master(Named("10.0.0.5", 100));
  const Actions actions = master.Step(Thawed{}, At(60000));
  EXPECT_TRUE(Has<ReleaseAddresses>(actions));
  EXPECT_FALSE(Has<SendAdvert>(actions));
  EXPECT_EQ(master.state(), State::kBackup);
  EXPECT_EQ(*master.Deadline(), At(60000) + master.MasterDownInterval());
}

TEST(VrrpInstance, EventsThatMeanNothingInAStateDoNothing) {
  Instance instance(Named("10.0.0.5", 100));
  for (const InstanceEvent& event : {InstanceEvent{Shutdown{}}, InstanceEvent{From("10.0.0.1", 1)},
                                     InstanceEvent{TimerFired{}}, InstanceEvent{Thawed{}}}) {
    EXPECT_TRUE(instance.Step(event, At(0)).empty());
    EXPECT_EQ(instance.state(), State::kInitialize);
  }
  Instance master = Master(Named("10.0.0.5", 100));
  EXPECT_TRUE(master.Step(Startup{}, At(9000)).empty());
}

TEST(VrrpInstance, PriorityOfAnOwnerCannotBeMoved) {
  Instance owner(Named("10.0.0.5", 255));
  owner.Step(PriorityChanged{10}, At(0));
  EXPECT_EQ(owner.priority(), 255);
}

// Several instances on one wire; time is a number that only we turn.
class Wire {
 public:
  void Add(const Settings& settings) {
    nodes_.emplace(settings.own_address, Node{Instance(settings)});
    Do(settings.own_address, Startup{});
  }
  void Do(const IpAddress& node, const InstanceEvent& event) {
    Carry(node, nodes_.at(node).instance.Step(event, now_));
  }
  void Cut(const std::string& node) { nodes_.at(Ip(node)).cut = true; }
  void Heal(const std::string& node) { nodes_.at(Ip(node)).cut = false; }
  void Freeze(const std::string& node) { nodes_.at(Ip(node)).frozen = true; }

  void RunUntil(Time end) {
    while (true) {
      const Node* next = nullptr;
      IpAddress who;
      for (const auto& [address, node] : nodes_) {
        if (node.frozen || !node.instance.Deadline()) continue;
        if (next == nullptr || *node.instance.Deadline() < *next->instance.Deadline()) {
          next = &node;
          who = address;
        }
      }
      if (next == nullptr || *next->instance.Deadline() > end) break;
      now_ = std::max(now_, *next->instance.Deadline());
      Do(who, TimerFired{});
    }
    now_ = end;
  }
  [[nodiscard]] std::vector<std::string> Masters() const {
    std::vector<std::string> masters;
    for (const auto& [address, node] : nodes_) {
      if (node.instance.state() == State::kMaster && !node.frozen)
        masters.push_back(address.ToString());
    }
    return masters;
  }
  [[nodiscard]] Time last_take() const { return last_take_; }
  Instance& instance(const std::string& node) { return nodes_.at(Ip(node)).instance; }

 private:
  struct Node {
    Instance instance;
    bool cut = false;
    bool frozen = false;
  };

  void Carry(const IpAddress& sender, const Actions& actions) {
    for (const InstanceAction& action : actions) {
      if (std::holds_alternative<TakeAddresses>(action)) last_take_ = now_;
      const auto* advert = std::get_if<SendAdvert>(&action);
      if (advert == nullptr || nodes_.at(sender).cut) continue;
      for (auto& [address, node] : nodes_) {
        if (address == sender || node.cut || node.frozen) continue;
        Do(address, AdvertReceived{sender, advert->priority, Centiseconds(100)});
      }
    }
  }

  std::map<IpAddress, Node> nodes_;
  Time now_{};
  Time last_take_{};
};

TEST(VrrpWire, TheGreatestPriorityBecomesTheOnlyMaster) {
  Wire wire;
  for (int i = 1; i <= 5; ++i) wire.Add(Named("10.0.0." + std::to_string(i), 100 + i));
  wire.RunUntil(At(20000));
  EXPECT_EQ(wire.Masters(), std::vector<std::string>{"10.0.0.5"});
}

TEST(VrrpWire, EqualPrioritiesThatAllBecameMasterSettleOnTheGreatestAddress) {
  Wire wire;
  for (int i = 1; i <= 4; ++i) {
    wire.Add(Named("10.0.0." + std::to_string(i), 100));
    wire.Cut("10.0.0." + std::to_string(i));
  }
  wire.RunUntil(At(20000));
  ASSERT_EQ(wire.Masters().size(), 4U);
  for (int i = 1; i <= 4; ++i) wire.Heal("10.0.0." + std::to_string(i));
  wire.RunUntil(At(21001));
  EXPECT_EQ(wire.Masters(), std::vector<std::string>{"10.0.0.4"});
}

// The crash law: (2 + s) I to (3 + s) I after the crash, s the skew of the backup, whatever the
// phase.
TEST(VrrpWire, ACrashIsTakenOverWithinTheProtocolsBoundInEveryPhase) {
  for (int phase = 0; phase < 1000; phase += 37) {
    Wire wire;
    wire.Add(Named("10.0.0.1", 200));
    wire.Add(Named("10.0.0.2", 100));
    const Time crash = At(20000 + phase);
    wire.RunUntil(crash);
    ASSERT_EQ(wire.Masters(), std::vector<std::string>{"10.0.0.1"});
    wire.Cut("10.0.0.1");
    wire.Freeze("10.0.0.1");
    wire.RunUntil(crash + std::chrono::seconds(10));
    ASSERT_EQ(wire.Masters(), std::vector<std::string>{"10.0.0.2"});
    const Nanoseconds outage = wire.last_take() - crash;
    EXPECT_GE(outage, std::chrono::microseconds(2609375)) << phase;
    EXPECT_LE(outage, std::chrono::microseconds(3609375)) << phase;
  }
}

TEST(VrrpWire, AfterASplitTheGreaterOneStaysWithinOneInterval) {
  Wire wire;
  wire.Add(Named("10.0.0.1", 200));
  wire.Add(Named("10.0.0.2", 100));
  wire.RunUntil(At(20000));
  wire.Cut("10.0.0.2");
  wire.RunUntil(At(40000));
  EXPECT_EQ(wire.Masters().size(), 2U);
  wire.Heal("10.0.0.2");
  wire.RunUntil(At(41001));
  EXPECT_EQ(wire.Masters(), std::vector<std::string>{"10.0.0.1"});
}

TEST(VrrpWire, HandoverByPriorityIsMakeBeforeBreak) {
  Wire wire;
  wire.Add(Named("10.0.0.1", 200));
  wire.Add(Named("10.0.0.2", 100));
  wire.RunUntil(At(20000));
  wire.Do(Ip("10.0.0.2"), PriorityChanged{254});
  for (int ms = 20000; ms < 30000; ms += 10) {
    wire.RunUntil(At(ms));
    ASSERT_EQ(wire.Masters().size(), 1U) << "at no moment there may be no owner, at " << ms;
  }
  EXPECT_EQ(wire.Masters(), std::vector<std::string>{"10.0.0.2"});
}

}  // namespace
}  // namespace drover::vrrp
