// Stations on a simulated network: who owns the addresses at which moment, and in which order
// things are done.

#include "node-helper/speaker/station.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/node-helper/speaker/fake_lan.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kVip = "10.0.0.100";

VrrpInstance Web(int priority, const std::string& name = "web") {
  VrrpInstance instance;
  instance.name = name;
  instance.interface = "eth0";
  instance.vrid = 51;
  instance.priority = static_cast<std::uint8_t>(priority);
  instance.addresses = {*Prefix::Parse(std::string(kVip) + "/32")};
  return instance;
}

Status Configure(FakeLan& lan, FakeLan::Node& node, const std::vector<VrrpInstance>& instances,
                 const std::vector<VrrpGroup>& groups = {}) {
  const Status status = node.station->Configure(instances, groups, lan.now());
  lan.Turn(node);
  return status;
}

std::string StateOf(const FakeLan& lan, const FakeLan::Node& node, std::size_t position = 0) {
  return node.station->Snapshot(lan.now()).at(position).state;
}

template <typename What>
std::vector<What> EventsOf(const FakeLan::Node& node) {
  std::vector<What> found;
  for (const SpeakerEvent& event : node.events) {
    if (const auto* what = std::get_if<What>(&event.what)) found.push_back(*what);
  }
  return found;
}

std::size_t Find(const std::vector<std::string>& log, const std::string& line) {
  return static_cast<std::size_t>(std::find(log.begin(), log.end(), line) - log.begin());
}

// A master and a backup, settled.
struct Pair {
  Pair(VrrpInstance of_first, VrrpInstance of_second)
      : first(lan.Add("10.0.0.1")), second(lan.Add("10.0.0.2")) {
    EXPECT_TRUE(Configure(lan, first, {of_first}));
    EXPECT_TRUE(Configure(lan, second, {of_second}));
    lan.Run(seconds(10));
    EXPECT_EQ(lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.1"});
    first.around.log.clear();
    second.around.log.clear();
  }
  Pair() : Pair(Web(150), Web(100)) {}

  // From now on somebody must own the address at every moment.
  void ExpectAnOwnerAlways() {
    lan.check = [this] { EXPECT_FALSE(lan.OwnersOf(kVip).empty()) << "nobody owns it"; };
  }

  FakeLan lan;
  FakeLan::Node& first;
  FakeLan::Node& second;
};

TEST(Station, AMasterHoldsItsAddressOnALeaseThatIsRefreshed) {
  Pair pair;
  const auto place = std::pair(FakeNode::kEth0, *Prefix::Parse("10.0.0.100/32"));
  for (int i = 0; i < 40; ++i) {
    pair.lan.Run(milliseconds(100));
    const auto until = pair.first.around.addresses.at(place);
    ASSERT_TRUE(until);
    EXPECT_GE(*until - pair.lan.now(), milliseconds(740)) << "a quarter may have passed";
  }
}

TEST(Station, WithoutALeaseTheAddressIsSetForEver) {
  VrrpInstance lasting = Web(150);
  lasting.lease = milliseconds(0);
  Pair pair(lasting, Web(100));
  EXPECT_EQ(pair.first.around.addresses.at({FakeNode::kEth0, lasting.addresses[0]}), std::nullopt);
}

TEST(Station, AYieldLeavesNoMomentWithoutAnOwner) {
  Pair pair;
  pair.ExpectAnOwnerAlways();
  ASSERT_TRUE(pair.first.station->Yield("web", pair.lan.now()));
  pair.lan.Run(seconds(5));
  EXPECT_EQ(pair.lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.2"});
  EXPECT_TRUE(pair.first.station->Snapshot(pair.lan.now())[0].yielded);
  pair.lan.Run(seconds(60));
  EXPECT_EQ(StateOf(pair.lan, pair.first), "backup") << "it does not preempt until told";
  pair.first.station->Return("web", pair.lan.now());
  pair.lan.Run(seconds(10));
  EXPECT_EQ(pair.lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.1"});
}

TEST(Station, TheSuccessorTellsOfTheTakeoverBeforeItIsMaster) {
  Pair pair;
  ASSERT_TRUE(pair.first.station->Yield("web", pair.lan.now()));
  pair.lan.Run(seconds(5));
  EXPECT_EQ(EventsOf<TakeoverAhead>(pair.second),
            (std::vector<TakeoverAhead>{{*IpAddress::Parse("10.0.0.1"), "eth0"}}));
  ASSERT_GE(pair.second.events.size(), 2U);
  const auto last = pair.second.events.rbegin();
  EXPECT_TRUE(std::holds_alternative<InstanceMoved>(last->what));
  EXPECT_TRUE(std::holds_alternative<TakeoverAhead>(std::next(last)->what));
}

TEST(Station, TheSuccessorAnnouncesAfterItsAdvertAndTheOldMasterLingersOnLo) {
  Pair pair;
  ASSERT_TRUE(pair.first.station->Yield("web", pair.lan.now()));
  pair.lan.Turn(pair.first);
  pair.lan.Run(milliseconds(700));
  const auto& after = pair.second.around.log;
  EXPECT_LT(Find(after, "set 10.0.0.100/32 on eth0"), Find(after, "advert 100"));
  EXPECT_LT(Find(after, "advert 100"), Find(after, "announce 10.0.0.100 on eth0"));
  const auto& before = pair.first.around.log;
  EXPECT_LT(Find(before, "set 10.0.0.100/32 on lo"), Find(before, "remove 10.0.0.100/32 from eth0"))
      << "at no moment does the node refuse packets that are on their way";
  EXPECT_TRUE(pair.first.around.Has(kVip, FakeNode::kLoopback));
  pair.lan.Run(milliseconds(200));
  EXPECT_FALSE(pair.first.around.Has(kVip, FakeNode::kLoopback));
}

// Over IPv6 the kernel sets an address first and takes packets for it later; on a busy node a
// handover lost what came in between.
TEST(Station, NeighboursAreToldWhenTheKernelTakesPacketsForTheAddress) {
  FakeLan lan;
  FakeLan::Node& node = lan.Add("10.0.0.1");
  node.around.delivers = false;
  ASSERT_TRUE(Configure(lan, node, {Web(255)}));
  lan.Run(milliseconds(50));
  EXPECT_TRUE(node.around.Has(kVip));
  EXPECT_EQ(node.around.announced.size(), 0U);
  node.around.delivers = true;
  lan.Run(milliseconds(300));
  EXPECT_EQ(node.around.announced.size(), Web(255).announce.count);
}

TEST(Station, AnIpv6AddressIsOnLoForAWhileBeforeItLeavesTheInterface) {
  constexpr const char* kVip6 = "2001:db8::100/128";
  const Prefix vip = *Prefix::Parse(kVip6);
  VrrpInstance web = Web(150);
  web.addresses = {vip};
  FakeLan lan;
  FakeLan::Node& first = lan.Add("fe80::1");
  FakeLan::Node& second = lan.Add("fe80::2");
  ASSERT_TRUE(Configure(lan, first, {web}));
  web.priority = 100;
  ASSERT_TRUE(Configure(lan, second, {web}));
  lan.Run(seconds(10));
  ASSERT_TRUE(first.around.HasAddress(FakeNode::kEth0, vip));
  ASSERT_TRUE(first.station->Yield("web", lan.now()));
  while (!first.around.HasAddress(FakeNode::kLoopback, vip)) lan.Run(milliseconds(1));
  lan.Run(milliseconds(50));
  EXPECT_TRUE(first.around.HasAddress(FakeNode::kEth0, vip));
  lan.Run(milliseconds(60));
  EXPECT_FALSE(first.around.HasAddress(FakeNode::kEth0, vip));
  EXPECT_TRUE(first.around.HasAddress(FakeNode::kLoopback, vip));
  lan.Run(milliseconds(100));
  EXPECT_FALSE(first.around.HasAddress(FakeNode::kLoopback, vip));
  EXPECT_TRUE(second.around.HasAddress(FakeNode::kEth0, vip));
}

TEST(Station, NeighboursAreToldAnywayWhenTheKernelDoesNotSayThatItTakesPackets) {
  FakeLan lan;
  FakeLan::Node& node = lan.Add("10.0.0.1");
  node.around.delivers = false;
  ASSERT_TRUE(Configure(lan, node, {Web(255)}));
  lan.Run(milliseconds(500));
  EXPECT_EQ(node.around.announced.size(), Web(255).announce.count);
}

TEST(Station, AnAddressThatStandsOnLoAnywayStaysThere) {
  Pair pair;
  const Prefix vip = *Prefix::Parse("10.0.0.100/32");
  pair.first.around.addresses[{FakeNode::kLoopback, vip}] = std::nullopt;
  ASSERT_TRUE(pair.first.station->Yield("web", pair.lan.now()));
  pair.lan.Run(seconds(3));
  EXPECT_TRUE(pair.first.around.Has(kVip, FakeNode::kLoopback));
}

TEST(Station, StoppingHandsOverAndIsDoneWhenNothingIsLeft) {
  Pair pair;
  pair.ExpectAnOwnerAlways();
  pair.first.station->Stop(/*hand_over=*/true, pair.lan.now());
  pair.lan.Turn(pair.first);
  EXPECT_FALSE(pair.first.station->Idle());
  pair.lan.Run(seconds(3));
  EXPECT_TRUE(pair.first.station->Idle());
  EXPECT_EQ(pair.lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.2"});
  EXPECT_FALSE(pair.first.around.Has(kVip, FakeNode::kLoopback));
}

TEST(Station, AnInstanceThatIsNotNamedAnyMoreHandsOver) {
  Pair pair;
  pair.ExpectAnOwnerAlways();
  ASSERT_TRUE(Configure(pair.lan, pair.first, {}));
  pair.lan.Run(seconds(3));
  EXPECT_EQ(pair.lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.2"});
  EXPECT_TRUE(pair.first.station->Ears().empty());
}

TEST(Station, AnInstanceUnderAnotherNameGoesOn) {
  Pair pair;
  pair.ExpectAnOwnerAlways();
  ASSERT_TRUE(Configure(pair.lan, pair.first, {Web(150, "shop")}));
  pair.lan.Run(seconds(10));
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
  EXPECT_EQ(StateOf(pair.lan, pair.second), "backup");
}

TEST(Station, ConfiguringTheSameAgainTouchesNothing) {
  Pair pair;
  ASSERT_TRUE(pair.first.station->Configure({Web(150)}, {}, pair.lan.now()));
  pair.first.station->Tick(pair.lan.now());
  EXPECT_TRUE(pair.first.around.log.empty());
}

TEST(Station, AddressesThatComeAndGoAreSetAndRemovedInPlace) {
  Pair pair;
  VrrpInstance other = Web(150);
  other.addresses = {*Prefix::Parse("10.0.0.101/32")};
  ASSERT_TRUE(Configure(pair.lan, pair.first, {other}));
  EXPECT_FALSE(pair.first.around.Has(kVip));
  EXPECT_TRUE(pair.first.around.Has("10.0.0.101"));
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
  EXPECT_NE(Find(pair.first.around.announced, "10.0.0.101 at 02:00:00:00:00:01"),
            pair.first.around.announced.size());
}

TEST(Station, ABrokenListIsRefusedAndTheOldOneGoesOn) {
  Pair pair;
  VrrpInstance broken = Web(150);
  broken.vrid = 0;
  EXPECT_EQ(Configure(pair.lan, pair.first, {broken}).error().code, ErrorCode::kInvalid);
  const VrrpGroup group{.name = "pair", .instances = {"web", "other"}, .track = {}};
  EXPECT_EQ(Configure(pair.lan, pair.first, {Web(150)}, {group}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Configure(pair.lan, pair.first, {Web(150), Web(150)}).error().code,
            ErrorCode::kInvalid);
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
}

TEST(Station, LeftoversOfAnEarlierProcessAreRemoved) {
  FakeLan lan;
  FakeLan::Node& node = lan.Add("10.0.0.1");
  node.around.addresses[{FakeNode::kEth0, *Prefix::Parse("10.0.0.100/32")}] = std::nullopt;
  ASSERT_TRUE(Configure(lan, node, {Web(150)}));
  EXPECT_FALSE(node.around.Has(kVip));
}

TEST(Station, AnAddressThatTheOwnerHasAnywayIsNeverTakenAway) {
  FakeLan lan;
  FakeLan::Node& node = lan.Add("10.0.0.1");
  VrrpInstance owner = Web(255);
  owner.addresses = {*Prefix::Parse("10.0.0.1/24")};
  ASSERT_TRUE(Configure(lan, node, {owner}));
  EXPECT_EQ(StateOf(lan, node), "master");
  lan.Run(seconds(5));
  node.station->Stop(/*hand_over=*/false, lan.now());
  EXPECT_TRUE(node.around.HasAddress(FakeNode::kEth0, owner.addresses[0]));
  EXPECT_EQ(node.around.addresses.at({FakeNode::kEth0, owner.addresses[0]}), std::nullopt);
}

// The lease, and that a thawed master says nothing before it has listened.
TEST(Station, AFrozenMasterLosesItsAddressAndStartsAsBackup) {
  Pair pair;
  pair.first.frozen = true;
  pair.lan.Run(milliseconds(1001));
  EXPECT_TRUE(pair.lan.OwnersOf(kVip).empty());
  pair.lan.Run(seconds(9));
  EXPECT_EQ(pair.lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.2"});
  pair.first.around.log.clear();
  pair.first.frozen = false;
  pair.lan.Turn(pair.first);
  EXPECT_EQ(StateOf(pair.lan, pair.first), "backup");
  EXPECT_EQ(Find(pair.first.around.log, "advert 150"), pair.first.around.log.size());
  pair.lan.check = [&] { EXPECT_LE(pair.lan.OwnersOf(kVip).size(), 2U); };
  pair.lan.Run(seconds(10));
  EXPECT_EQ(pair.lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.1"});
}

TEST(Station, ALinkThatGoesIsAFaultAtOnceAndABackupWhenItComes) {
  Pair pair;
  pair.first.around.links[FakeNode::kEth0].carrier = false;
  pair.first.station->LinksChanged(pair.lan.now());
  pair.lan.Turn(pair.first);
  EXPECT_EQ(StateOf(pair.lan, pair.first), "fault");
  EXPECT_EQ(pair.first.station->Snapshot(pair.lan.now())[0].reason, "eth0 has no carrier");
  EXPECT_FALSE(pair.first.around.Has(kVip));
  pair.lan.Run(seconds(5));
  EXPECT_EQ(pair.lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.2"});
  pair.first.around.links[FakeNode::kEth0].carrier = true;
  pair.first.station->LinksChanged(pair.lan.now());
  EXPECT_EQ(StateOf(pair.lan, pair.first), "backup");
}

TEST(Station, FaultsNameWhatIsMissing) {
  FakeLan lan;
  FakeLan::Node& node = lan.Add("10.0.0.1");
  VrrpInstance nowhere = Web(150);
  nowhere.interface = "eth7";
  ASSERT_TRUE(Configure(lan, node, {nowhere}));
  EXPECT_EQ(node.station->Snapshot(lan.now())[0].reason, "there is no interface eth7");
  VrrpInstance elsewhere = Web(150);
  elsewhere.source_address = *IpAddress::Parse("10.0.0.77");
  ASSERT_TRUE(Configure(lan, node, {elsewhere}));
  EXPECT_EQ(node.station->Snapshot(lan.now())[0].reason,
            "source address 10.0.0.77 is not on this node");
  node.around.addresses.clear();
  ASSERT_TRUE(Configure(lan, node, {Web(150)}));
  EXPECT_EQ(node.station->Snapshot(lan.now())[0].reason, "eth0 has no IPv4 address to send from");
  EXPECT_EQ(StateOf(lan, node), "fault");
}

TEST(Station, AMasterThatCannotListenIsInFault) {
  Pair pair;
  const EarWish ear = pair.first.station->Ears().at(0);
  pair.first.station->SetDeaf({{ear, "listening for VRRP on eth0: not permitted"}}, pair.lan.now());
  EXPECT_EQ(StateOf(pair.lan, pair.first), "fault");
  pair.first.station->SetDeaf({}, pair.lan.now());
  EXPECT_EQ(StateOf(pair.lan, pair.first), "backup");
}

TEST(Station, AnAddressThatSomebodyDeletesIsSetAgainAndAnnounced) {
  Pair pair;
  const Prefix vip = *Prefix::Parse("10.0.0.100/32");
  pair.first.around.addresses.erase({FakeNode::kEth0, vip});
  pair.first.around.announced.clear();
  pair.first.station->AddressGone(FakeNode::kEth0, vip, pair.lan.now());
  pair.lan.Turn(pair.first);
  EXPECT_TRUE(pair.first.around.Has(kVip));
  EXPECT_EQ(pair.first.around.announced,
            std::vector<std::string>{"10.0.0.100 at 02:00:00:00:00:01"});
  EXPECT_EQ(EventsOf<AddressRepaired>(pair.first),
            std::vector<AddressRepaired>{{"address 10.0.0.100/32 on eth0"}});
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
}

TEST(Station, AdvertsThatDoNotGoOutAreToldOnceAndAgainWhenTheyDo) {
  Pair pair;
  pair.first.around.filtered = true;
  pair.lan.Run(seconds(2));
  const SpeakerProblem refused{"Operation not permitted"};
  EXPECT_EQ(EventsOf<SpeakerProblem>(pair.first), std::vector{refused});
  pair.first.around.filtered = false;
  pair.lan.Run(seconds(2));
  EXPECT_EQ(EventsOf<SpeakerProblem>(pair.first),
            (std::vector{refused, SpeakerProblem{refused.text, /*over=*/true}}));
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
}

TEST(Station, ABackupDoesNotCareForAddressesOfOthers) {
  Pair pair;
  pair.second.station->AddressGone(FakeNode::kEth0, *Prefix::Parse("10.0.0.100/32"),
                                   pair.lan.now());
  EXPECT_FALSE(pair.second.around.Has(kVip));
}

TEST(Station, AWeightMovesTheMasterWithoutAMomentWithoutOwner) {
  Pair pair;
  pair.ExpectAnOwnerAlways();
  pair.first.station->Track("web", {.fault = "", .weight = -60}, pair.lan.now());
  pair.lan.Run(seconds(10));
  EXPECT_EQ(pair.lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.2"});
  EXPECT_EQ(pair.first.station->Snapshot(pair.lan.now())[0].priority, 90);
  EXPECT_EQ(pair.first.station->Snapshot(pair.lan.now())[0].base_priority, 150);
}

TEST(Station, AFaultOfATrackerHandsOverFirst) {
  Pair pair;
  pair.ExpectAnOwnerAlways();
  pair.first.station->Track("web", {.fault = "tracker uplink is down", .weight = 0},
                            pair.lan.now());
  pair.lan.Turn(pair.first);
  pair.lan.Run(seconds(3));
  EXPECT_EQ(StateOf(pair.lan, pair.first), "fault");
  EXPECT_EQ(pair.lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.2"});
}

TEST(Station, WithoutPermissionToPreemptABackupWaitsAndSaysSo) {
  FakeLan lan;
  FakeLan::Node& second = lan.Add("10.0.0.2");
  ASSERT_TRUE(Configure(lan, second, {Web(100)}));
  lan.Run(seconds(5));
  FakeLan::Node& first = lan.Add("10.0.0.1");
  first.station->AllowPreempt("web", false, lan.now());
  ASSERT_TRUE(Configure(lan, first, {Web(150)}));
  lan.Run(seconds(20));
  EXPECT_TRUE(first.station->Snapshot(lan.now())[0].awaits_sync);
  EXPECT_EQ(lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.2"});
  first.station->AllowPreempt("web", true, lan.now());
  lan.Run(seconds(5));
  EXPECT_EQ(lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.1"});
}

AddressClaim ClaimOf(const std::string& address, std::uint8_t mac) {
  return {*IpAddress::Parse(address), {2, 0, 0, 0, 0, mac}};
}

TEST(Station, AMasterAsksEachSecondWhetherAStrangerHasItsAddress) {
  Pair pair;
  pair.first.around.asked.clear();
  pair.lan.Run(seconds(3));
  EXPECT_EQ(pair.first.around.asked, (std::vector<std::string>(3, "10.0.0.100 for nobody")));
  EXPECT_EQ(pair.first.station->Watched(), std::vector<IpAddress>{*IpAddress::Parse("10.0.0.100")});
  EXPECT_TRUE(pair.second.station->Watched().empty());
}

TEST(Station, AStrangersClaimIsReportedAndAnsweredByAnnouncing) {
  Pair pair;
  pair.first.around.announced.clear();
  pair.first.station->HearClaim(FakeNode::kEth0, ClaimOf(kVip, 66), pair.lan.now());
  pair.lan.Turn(pair.first);
  EXPECT_EQ(
      EventsOf<RivalSeen>(pair.first),
      (std::vector<RivalSeen>{{*IpAddress::Parse(kVip), "02:00:00:00:00:42", "announced again"}}));
  EXPECT_EQ(pair.first.around.announced.size(), 1U);
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
  EXPECT_EQ(pair.first.station->Snapshot(pair.lan.now())[0].counters.at("rivals"), 1U);
}

TEST(Station, ClaimsOfOurOwnAndOfOtherAddressesAreNobodysBusiness) {
  Pair pair;
  pair.first.station->HearClaim(FakeNode::kEth0, ClaimOf(kVip, 1), pair.lan.now());
  pair.first.station->HearClaim(FakeNode::kEth0, ClaimOf("10.0.0.7", 66), pair.lan.now());
  pair.first.station->HearClaim(/*index=*/7, ClaimOf(kVip, 66), pair.lan.now());
  pair.second.station->HearClaim(FakeNode::kEth0, ClaimOf(kVip, 66), pair.lan.now());
  pair.lan.Turn(pair.first);
  pair.lan.Turn(pair.second);
  EXPECT_TRUE(EventsOf<RivalSeen>(pair.first).empty());
  EXPECT_TRUE(EventsOf<RivalSeen>(pair.second).empty());
}

TEST(Station, WhoseRuleIsToYieldGoesIntoFaultForAWhile) {
  VrrpInstance meek = Web(150);
  meek.on_rival = OnRival::kYield;
  Pair pair(meek, Web(100));
  pair.first.station->HearClaim(FakeNode::kEth0, ClaimOf(kVip, 66), pair.lan.now());
  pair.lan.Turn(pair.first);
  EXPECT_EQ(StateOf(pair.lan, pair.first), "fault");
  EXPECT_FALSE(pair.first.around.Has(kVip));
  pair.lan.Run(vrrp::kYieldFor + seconds(1));
  EXPECT_NE(StateOf(pair.lan, pair.first), "fault");
}

TEST(Station, ASecondMasterIsReportedWithItsMacWhenThatIsKnown) {
  Pair pair;
  pair.second.deaf = true;  // it does not hear us and becomes master
  pair.lan.Run(seconds(6));
  ASSERT_EQ(StateOf(pair.lan, pair.second), "master");
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
  EXPECT_NE(Find(pair.first.around.asked, "10.0.0.2 for 10.0.0.1"), pair.first.around.asked.size());
  ASSERT_EQ(EventsOf<RivalSeen>(pair.first).size(), 1U) << "no answer came, it is reported anyway";
  EXPECT_EQ(EventsOf<RivalSeen>(pair.first)[0].address, *IpAddress::Parse("10.0.0.2"));
}

TEST(Station, MembersOfAGroupAreNeverApart) {
  FakeLan lan;
  FakeLan::Node& first = lan.Add("10.0.0.1");
  FakeLan::Node& second = lan.Add("10.0.0.2");
  const auto both = [](int priority) {
    VrrpInstance inside = Web(priority, "inside");
    inside.vrid = 52;
    inside.addresses = {*Prefix::Parse("10.0.0.200/32")};
    return std::vector<VrrpInstance>{Web(priority), inside};
  };
  const VrrpGroup group{.name = "pair", .instances = {"web", "inside"}, .track = {}};
  ASSERT_TRUE(Configure(lan, first, both(150), {group}));
  ASSERT_TRUE(Configure(lan, second, both(100), {group}));
  lan.Run(seconds(10));
  EXPECT_EQ(lan.OwnersOf(kVip), lan.OwnersOf("10.0.0.200"));
  EXPECT_EQ(lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.1"});
  lan.check = [&] {
    EXPECT_FALSE(lan.OwnersOf(kVip).empty());
    EXPECT_FALSE(lan.OwnersOf("10.0.0.200").empty());
  };
  ASSERT_TRUE(first.station->Yield("web", lan.now()));
  lan.Run(seconds(5));
  EXPECT_EQ(lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.2"});
  EXPECT_EQ(lan.OwnersOf("10.0.0.200"), std::vector<std::string>{"10.0.0.2"});
  lan.check = [] {};
  second.station->Track("inside", {.fault = "tracker x is down", .weight = 0}, lan.now());
  lan.Turn(second);
  lan.Run(seconds(5));
  EXPECT_EQ(StateOf(lan, second, 0), "fault");
  EXPECT_EQ(second.station->Snapshot(lan.now())[0].reason, "group pair: inside: tracker x is down");
  EXPECT_EQ(second.station->Snapshot(lan.now())[0].group, "pair");
  EXPECT_EQ(lan.OwnersOf(kVip), std::vector<std::string>{"10.0.0.1"});
}

TEST(Station, ANewFormGoesOutWhenItIsSettledAndNobodyMissesAnAdvert) {
  Pair pair;
  const auto v2 = [](int priority) {
    VrrpInstance instance = Web(priority);
    instance.version = 2;
    instance.password = "secret";
    return instance;
  };
  ASSERT_TRUE(Configure(pair.lan, pair.first, {v2(150)}));
  EXPECT_TRUE(pair.first.station->Snapshot(pair.lan.now())[0].two_phase);
  pair.lan.Run(seconds(5));
  ASSERT_TRUE(Configure(pair.lan, pair.second, {v2(100)}));
  pair.lan.Run(seconds(5));
  EXPECT_EQ(pair.first.station->Snapshot(pair.lan.now())[0].version, 3);
  pair.first.station->SettleForms({"web"}, pair.lan.now());
  EXPECT_EQ(pair.first.station->Snapshot(pair.lan.now())[0].version, 3) << "not yet";
  pair.first.station->SettleForms({}, pair.lan.now());
  pair.lan.Run(seconds(5));
  EXPECT_EQ(pair.first.station->Snapshot(pair.lan.now())[0].version, 2);
  pair.second.station->SettleForms({}, pair.lan.now());
  pair.lan.Run(seconds(30));
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
  EXPECT_EQ(pair.second.station->Snapshot(pair.lan.now())[0].counters.at("transitions"), 1U)
      << "the backup never became master";
}

TEST(Station, FromMulticastToUnicastAndBackNobodyMissesAnAdvert) {
  Pair pair;
  const auto unicast = [](int priority, const std::string& peer) {
    VrrpInstance instance = Web(priority);
    instance.unicast_peers = {*IpAddress::Parse(peer)};
    return instance;
  };
  ASSERT_TRUE(Configure(pair.lan, pair.second, {unicast(100, "10.0.0.1")}));
  pair.lan.Run(seconds(5));
  ASSERT_TRUE(Configure(pair.lan, pair.first, {unicast(150, "10.0.0.2")}));
  pair.first.station->SettleForms({}, pair.lan.now());
  pair.lan.Run(seconds(5));
  pair.second.station->SettleForms({}, pair.lan.now());
  pair.lan.Run(seconds(30));
  ASSERT_TRUE(Configure(pair.lan, pair.first, {Web(150)}));
  pair.lan.Run(seconds(5));
  ASSERT_TRUE(Configure(pair.lan, pair.second, {Web(100)}));
  pair.second.station->SettleForms({}, pair.lan.now());
  pair.lan.Run(seconds(5));
  pair.first.station->SettleForms({}, pair.lan.now());
  pair.lan.Run(seconds(30));
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
  EXPECT_EQ(pair.second.station->Snapshot(pair.lan.now())[0].counters.at("transitions"), 1U)
      << "the backup never became master";
}

TEST(Station, AnUpgradeInPlaceIsNoTransitionForThePeer) {
  Pair pair;
  pair.ExpectAnOwnerAlways();
  const std::string remembered = pair.first.station->Freeze(pair.lan.now());
  pair.first.station = std::make_unique<Station>(pair.first.around);
  ASSERT_TRUE(pair.first.station->Resume(remembered, pair.lan.now() + milliseconds(50)));
  pair.lan.Run(seconds(1));
  ASSERT_TRUE(Configure(pair.lan, pair.first, {Web(150)}));
  pair.lan.Run(seconds(10));
  EXPECT_EQ(StateOf(pair.lan, pair.first), "master");
  EXPECT_EQ(pair.second.station->Snapshot(pair.lan.now())[0].counters.at("transitions"), 1U);
}

TEST(Station, AnUpgradeThatTookTooLongStartsAsBackup) {
  Pair pair;
  const std::string remembered = pair.first.station->Freeze(pair.lan.now());
  pair.first.station = std::make_unique<Station>(pair.first.around);
  ASSERT_TRUE(pair.first.station->Resume(remembered, pair.lan.now() + seconds(5)));
  EXPECT_EQ(StateOf(pair.lan, pair.first), "backup");
  EXPECT_FALSE(pair.first.around.Has(kVip));
}

TEST(Station, NonsenseFromAnEarlierProcessIsRefused) {
  FakeLan lan;
  FakeLan::Node& node = lan.Add("10.0.0.1");
  for (const char* text : {"{", "[]", "{}", "{\"at_ns\":1,\"roles\":[{}],\"settings\":\"{}\"}",
                           "{\"at_ns\":1,\"roles\":[],\"settings\":\"nonsense\"}"}) {
    EXPECT_FALSE(node.station->Resume(text, lan.now())) << text;
  }
}

TEST(Station, AVirtualMacHasALinkOfItsOwnThatIsUpOnlyWhileMaster) {
  VrrpInstance vmac = Web(150);
  vmac.vmac = true;
  VrrpInstance lesser = vmac;
  lesser.priority = 100;
  FakeLan lan;
  FakeLan::Node& first = lan.Add("10.0.0.1");
  FakeLan::Node& second = lan.Add("10.0.0.2");
  ASSERT_TRUE(Configure(lan, first, {vmac}));
  ASSERT_TRUE(Configure(lan, second, {lesser}));
  lan.Run(seconds(10));
  const LinkFact link = *first.around.FindLink("vrrp4.51.2");
  EXPECT_EQ(link.mac, (MacAddress{0x00, 0x00, 0x5e, 0x00, 0x01, 51}));
  EXPECT_TRUE(link.up);
  EXPECT_TRUE(first.around.Has(kVip, link.index));
  EXPECT_FALSE(second.around.FindLink("vrrp4.51.2")->up)
      << "section 6.4.2: a backup takes no packets for the virtual MAC";
  EXPECT_EQ(first.around.announced.at(0), "10.0.0.100 at 00:00:5e:00:01:33");
  first.station->Stop(/*hand_over=*/true, lan.now());
  lan.Run(seconds(3));
  first.station.reset();
  EXPECT_FALSE(first.around.FindLink("vrrp4.51.2"));
}

TEST(Station, PacketsThatAreRefusedAreCountedByTheirReason) {
  Pair pair;
  vrrp::Advertisement advert;
  advert.vrid = 51;
  advert.priority = 200;
  advert.addresses = {*IpAddress::Parse(kVip)};
  const vrrp::Route route{*IpAddress::Parse("10.0.0.9"), *IpAddress::Parse("224.0.0.18")};
  const vrrp::Bytes good = vrrp::Encode(advert, route, vrrp::ChecksumForm::kPseudoHeader);
  vrrp::Bytes broken = good;
  broken.back() ^= 1;
  Station& station = *pair.second.station;
  station.Hear(FakeNode::kEth0, {good, route, 254, std::nullopt}, pair.lan.now());
  station.Hear(FakeNode::kEth0, {broken, route, 255, std::nullopt}, pair.lan.now());
  station.Hear(FakeNode::kEth0, {{0x31}, route, 255, std::nullopt}, pair.lan.now());
  vrrp::Bytes other = good;
  other[1] = 52;
  station.Hear(FakeNode::kEth0, {other, route, 255, std::nullopt}, pair.lan.now());
  const auto counters = station.Snapshot(pair.lan.now())[0].counters;
  EXPECT_EQ(counters.at("refused_ttl"), 1U);
  EXPECT_EQ(counters.at("refused_checksum"), 1U);
  EXPECT_EQ(counters.at("refused_too_short"), 1U);
  EXPECT_EQ(counters.at("refused_vrid"), 1U);
}

TEST(Station, TheChecksumOfThePeerIsTakenOver) {
  VrrpInstance plain = Web(150);
  plain.checksum = VrrpChecksum::kRfc9568;
  Pair pair(plain, Web(100));
  const InstanceStatus status = pair.second.station->Snapshot(pair.lan.now())[0];
  EXPECT_EQ(status.peer_checksum, "rfc9568");
  EXPECT_EQ(status.counters.at("checksum_mismatch"), 1U) << "from then on it does the same";
}

TEST(Station, SpeakersOfOneInterfaceShareAnEar) {
  FakeLan lan;
  FakeLan::Node& node = lan.Add("10.0.0.1");
  VrrpInstance unicast = Web(150, "b");
  unicast.vrid = 52;
  unicast.addresses = {*Prefix::Parse("10.0.0.101/32")};
  unicast.unicast_peers = {*IpAddress::Parse("10.0.0.2")};
  ASSERT_TRUE(Configure(lan, node, {Web(150), unicast}));
  EXPECT_EQ(node.station->Ears(),
            (std::vector<EarWish>{{"eth0", FakeNode::kEth0, Family::kIpv4, true}}));
  ASSERT_TRUE(Configure(lan, node, {unicast}));
  lan.Run(seconds(3));
  EXPECT_EQ(node.station->Ears(),
            (std::vector<EarWish>{{"eth0", FakeNode::kEth0, Family::kIpv4, false}}));
}

}  // namespace
}  // namespace drover
