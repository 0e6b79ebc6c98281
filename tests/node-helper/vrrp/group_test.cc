// Sync groups: members move together.

#include "node-helper/vrrp/group.h"

#include <gtest/gtest.h>

#include <array>

namespace drover::vrrp {
namespace {

using std::chrono::milliseconds;

IpAddress Ip(const std::string& text) { return *IpAddress::Parse(text); }
Time At(std::int64_t ms) { return Time(milliseconds(ms)); }

// Two members on one node, and what happened to them.
class Pair {
 public:
  Pair() : members_{Instance(Member(1)), Instance(Member(2))} {}

  // Orders are carried out until there are none.
  void Do(std::size_t member, const InstanceEvent& event, Time now) {
    Note(members_[member].Step(event, now));
    while (true) {
      const std::array<const Instance*, 2> all = {&members_[0], &members_[1]};
      const GroupOrders orders = OrdersOf(all);
      if (orders == GroupOrders{}) return;
      for (const std::size_t i : orders.promote) Note(members_[i].Step(Promoted{}, now));
      for (const std::size_t i : orders.drag)
        Note(members_[i].Step(Dragged{"the other one is backup"}, now));
    }
  }
  void StartBoth() {
    Do(0, Startup{}, At(0));
    Do(1, Startup{}, At(0));
  }
  void BecomeMasters() {
    StartBoth();
    Do(0, TimerFired{}, *members_[0].Deadline());
    Do(1, TimerFired{}, *members_[1].Deadline());
  }
  Instance& operator[](std::size_t i) { return members_[i]; }
  int adverts_of_zero = 0;

 private:
  static Settings Member(std::uint8_t vrid) {
    return {.name = "m" + std::to_string(vrid),
            .vrid = vrid,
            .priority = 150,
            .own_address = Ip("10.0.0.5"),
            .grouped = true};
  }
  void Note(const Actions& actions) {
    for (const InstanceAction& action : actions) {
      const auto* advert = std::get_if<SendAdvert>(&action);
      if (advert != nullptr && advert->priority == 0) ++adverts_of_zero;
    }
  }

  std::array<Instance, 2> members_;
};

AdvertReceived Higher() { return {Ip("10.0.0.6"), 200, Centiseconds(100)}; }

TEST(VrrpGroup, AMemberThatIsReadyWaitsForTheOthers) {
  Pair pair;
  pair.StartBoth();
  pair.Do(0, TimerFired{}, *pair[0].Deadline());
  EXPECT_EQ(pair[0].state(), State::kBackup);
  EXPECT_TRUE(pair[0].ready());
  pair.Do(1, TimerFired{}, *pair[1].Deadline());
  EXPECT_EQ(pair[0].state(), State::kMaster);
  EXPECT_EQ(pair[1].state(), State::kMaster);
}

TEST(VrrpGroup, AMemberThatHearsAMasterHoldsTheOthersBack) {
  Pair pair;
  pair.StartBoth();
  for (int ms = 500; ms < 20000; ms += 1000) {
    pair.Do(1, Higher(), At(ms));
    if (At(ms) >= *pair[0].Deadline()) pair.Do(0, TimerFired{}, At(ms));
  }
  EXPECT_EQ(pair[0].state(), State::kBackup);
  EXPECT_EQ(pair[1].state(), State::kBackup);
}

TEST(VrrpGroup, AMemberThatYieldsToAPeerDragsTheOthersWithoutPriorityZero) {
  Pair pair;
  pair.BecomeMasters();
  pair.Do(0, Higher(), At(9000));
  EXPECT_EQ(pair[0].state(), State::kBackup);
  EXPECT_EQ(pair[1].state(), State::kBackup);
  EXPECT_EQ(pair.adverts_of_zero, 0) << "the peer's group is master of both already";
}

TEST(VrrpGroup, AReadyMemberThatHearsAHigherMasterIsNotReadyAnyMore) {
  Pair pair;
  pair.StartBoth();
  pair.Do(0, TimerFired{}, *pair[0].Deadline());
  pair.Do(0, Higher(), At(4000));
  pair.Do(1, TimerFired{}, At(4001));
  EXPECT_EQ(pair[0].state(), State::kBackup);
  EXPECT_EQ(pair[1].state(), State::kBackup);
}

TEST(VrrpGroup, AnOwnerInAGroupWaitsToo) {
  Settings settings = {
      .name = "m", .priority = 255, .own_address = Ip("10.0.0.5"), .grouped = true};
  Instance owner(settings);
  owner.Step(Startup{}, At(5));
  EXPECT_EQ(owner.state(), State::kBackup);
  EXPECT_EQ(*owner.Deadline(), At(5));
  EXPECT_EQ(owner.Step(TimerFired{}, At(5)), Actions{WantsMaster{}});
  owner.Step(Promoted{}, At(5));
  EXPECT_EQ(owner.state(), State::kMaster);
}

TEST(VrrpGroup, ADraggedMemberThatWasYieldingHoldsBackAfterwards) {
  Pair pair;
  pair.BecomeMasters();
  pair.Do(0, Yield{}, At(9000));
  pair.Do(1, Yield{}, At(9000));
  pair.Do(0, AdvertReceived{Ip("10.0.0.6"), 100, Centiseconds(100)}, At(9600));
  EXPECT_EQ(pair[1].state(), State::kBackup);
  EXPECT_TRUE(pair[0].held());
  EXPECT_TRUE(pair[1].held());
}

TEST(VrrpGroup, AFaultOfOneIsAFaultOfAllAndNamesItsOrigin) {
  const std::vector<MemberFault> members = {{"inside", ""}, {"outside", "eth1 has no carrier"}};
  EXPECT_EQ(GroupFault("pair", "inside", members), "group pair: outside: eth1 has no carrier");
  EXPECT_EQ(GroupFault("pair", "outside", members), std::nullopt) << "it has a reason of its own";
}

}  // namespace
}  // namespace drover::vrrp
