#include "node-helper/store/ownership.h"

#include <gtest/gtest.h>

#include "tests/node-helper/store/samples.h"

namespace drover {
namespace {

OwnerRecord Fresh(const std::string& owner = "web") {
  OwnerRecord record;
  record.owner = owner;
  return record;
}

TEST(Ownership, ClaimRecordsResourcesAndOriginals) {
  const auto claimed = Claim(Fresh(), State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}, {Web()}),
                             State({}, {ArpIgnore("0")}), {});
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->state, State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}, {Web()}));
  EXPECT_EQ(claimed->original_sysctls.at("net/ipv4/conf/all/arp_ignore"), "0");
  EXPECT_TRUE(claimed->adopted.empty());
  EXPECT_FALSE(claimed->complete);
}

TEST(Ownership, ClaimOfWhatIsRecordedChangesNothing) {
  const DesiredState wanted = State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}, {Web()});
  OwnerRecord record = RecordOf("web", wanted);
  record.original_sysctls["net/ipv4/conf/all/arp_ignore"] = "0";
  const auto claimed = Claim(record, wanted, wanted, {});
  ASSERT_TRUE(claimed);
  EXPECT_TRUE(SameContent(*claimed, record));
  EXPECT_TRUE(claimed->complete);
}

TEST(Ownership, WhatIsThereAndNobodysIsAdopted) {
  const DesiredState there = State({Vip("10.0.0.100/24")}, {}, {Web("wlc")});
  const auto claimed = Claim(Fresh(), State({Vip("10.0.0.100/24")}, {}, {Web()}), there, {});
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->adopted,
            (std::set<std::string>{"address 10.0.0.100 on lo", "service tcp 10.0.0.100:80"}));
  EXPECT_EQ(Adopted(*claimed), State({Vip("10.0.0.100/24")}, {}, {Web()}));
}

TEST(Ownership, AdoptedResourceThatDroverSetsAgainIsDroversOwn) {
  OwnerRecord record = RecordOf("web", State({Vip("10.0.0.100/32")}));
  record.adopted.insert("address 10.0.0.100 on lo");
  const auto claimed = Claim(record, record.state, State({}), {});
  ASSERT_TRUE(claimed);
  EXPECT_TRUE(claimed->adopted.empty());
}

TEST(Ownership, OriginalStaysWhatItWasBeforeTheFirstTouch) {
  OwnerRecord record = RecordOf("web", State({}, {ArpIgnore("1")}));
  record.original_sysctls["net/ipv4/conf/all/arp_ignore"] = "0";
  const auto claimed = Claim(record, State({}, {ArpIgnore("2")}), State({}, {ArpIgnore("1")}), {});
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->original_sysctls.at("net/ipv4/conf/all/arp_ignore"), "0");
  EXPECT_EQ(claimed->state.sysctls.at(0).value, "2");
}

TEST(Ownership, SecondOwnerInheritsTheOriginal) {
  OwnerRecord first = RecordOf("web", State({}, {ArpIgnore("1")}));
  first.original_sysctls["net/ipv4/conf/all/arp_ignore"] = "0";
  const auto claimed =
      Claim(Fresh("dns"), State({}, {ArpIgnore("1")}), State({}, {ArpIgnore("1")}), {first});
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->original_sysctls.at("net/ipv4/conf/all/arp_ignore"), "0");
}

TEST(Ownership, WhatAnotherOwnerMadeIsNotAdopted) {
  const DesiredState state = State({Vip("10.0.0.100/32")});
  const auto claimed = Claim(Fresh("dns"), state, state, {RecordOf("web", state)});
  ASSERT_TRUE(claimed);
  EXPECT_TRUE(claimed->adopted.empty());
}

TEST(Ownership, OtherValueOfAnotherOwnerIsRefusedByName) {
  struct Case {
    const char* name;
    DesiredState held;
    DesiredState wanted;
    const char* message;
  };
  const Case cases[] = {
      {"sysctl", State({}, {ArpIgnore("1")}), State({}, {ArpIgnore("2")}),
       "sysctl net.ipv4.conf.all.arp_ignore: web owns it with 1, this run wants 2"},
      {"address", State({Vip("10.0.0.100/32")}), State({Vip("10.0.0.100/24")}),
       "address 10.0.0.100 on lo: web owns it with 10.0.0.100/32"},
      {"service", State({}, {}, {Web("rr")}), State({}, {}, {Web("wrr")}),
       "service tcp 10.0.0.100:80: web owns it with scheduler rr"},
  };
  for (const Case& test : cases) {
    const auto claimed = Claim(Fresh("dns"), test.wanted, State({}), {RecordOf("web", test.held)});
    ASSERT_FALSE(claimed) << test.name;
    EXPECT_EQ(claimed.error().code, ErrorCode::kInvalid) << test.name;
    EXPECT_NE(claimed.error().message.find(test.message), std::string::npos)
        << claimed.error().message;
    EXPECT_NE(claimed.error().message.find("uninstall --owner web"), std::string::npos);
  }
}

TEST(Ownership, OwnersMayDifferInTheWishToAnnounce) {
  InterfaceAddress loud = Vip("10.0.0.100/32");
  loud.announce = true;
  EXPECT_TRUE(Claim(Fresh("dns"), State({loud}), State({}),
                    {RecordOf("web", State({Vip("10.0.0.100/32")}))}));
}

TEST(Ownership, ConcludeForgetsWhatIsNotNamedAndKeepsWhatTagsLeftOut) {
  OwnerRecord record = RecordOf(
      "web", State({Vip("10.0.0.100/32"), Vip("10.0.0.101/32")}, {ArpIgnore("1")}, {Web()}));
  record.original_sysctls["net/ipv4/conf/all/arp_ignore"] = "0";
  record.adopted = {"address 10.0.0.101 on lo", "service tcp 10.0.0.100:80"};
  // The address 102 was left out by --tags and never set: naming it does not record it.
  const OwnerRecord concluded =
      Conclude(record, State({Vip("10.0.0.100/32"), Vip("10.0.0.102/32")}, {}, {Web()}));
  EXPECT_EQ(concluded.state, State({Vip("10.0.0.100/32")}, {}, {Web()}));
  EXPECT_TRUE(concluded.original_sysctls.empty());
  EXPECT_EQ(concluded.adopted, std::set<std::string>{"service tcp 10.0.0.100:80"});
  EXPECT_EQ(concluded.generation, 2U);
  EXPECT_TRUE(concluded.complete);
}

TEST(Ownership, ConcludeOfAnUnchangedRecordIsTheRecord) {
  const OwnerRecord record = RecordOf("web", State({Vip("10.0.0.100/32")}));
  EXPECT_EQ(Conclude(record, record.state), record);
  EXPECT_EQ(Conclude(Fresh(), State({})), Fresh());
}

TEST(Ownership, ConcludeAfterAKilledRunCompletesTheRecord) {
  OwnerRecord record = RecordOf("web", State({Vip("10.0.0.100/32")}));
  record.complete = false;
  const OwnerRecord concluded = Conclude(record, record.state);
  EXPECT_TRUE(concluded.complete);
  EXPECT_EQ(concluded.generation, 2U);
}

TEST(Ownership, WhatTwoOwnersHoldIsHeldAloneByNone) {
  const OwnerRecord web =
      RecordOf("web", State({Vip("10.0.0.100/32"), Vip("10.0.0.101/32")}, {ArpIgnore("1")}));
  const OwnerRecord dns = RecordOf("dns", State({Vip("10.0.0.100/32")}, {ArpIgnore("1")}));
  EXPECT_EQ(HeldAlone(web, {dns}), State({Vip("10.0.0.101/32")}));
  EXPECT_TRUE(HeldAlone(dns, {web}).empty());
}

VrrpInstance Router(const std::string& name, std::uint8_t vrid = 51) {
  VrrpInstance instance;
  instance.name = name;
  instance.interface = "eth0";
  instance.vrid = vrid;
  instance.password = "s3cret";
  instance.addresses = {Prefix::Parse("10.0.0." + std::to_string(vrid) + "/32").value()};
  return instance;
}

// Everything that a daemon carries out, with names that end in `suffix`.
DesiredState ForDaemon(const std::string& suffix, std::uint8_t vrid) {
  DesiredState state;
  state.sync_daemons = {SyncDaemon{SyncRole::kMaster, "eth0"}};
  state.vrrp_instances = {Router("web" + suffix, vrid)};
  state.vrrp_groups = {VrrpGroup{"pair" + suffix, {"web" + suffix, "dns"}, {}}};
  state.trackers = {Tracker{"uplink" + suffix, InterfaceTracker{"eth0"}}};
  state.watches = {ServiceWatch{Web("rr", "10.0.0." + std::to_string(vrid)).key, {}}};
  state.metrics = {MetricsListen{"127.0.0.1:9630"}};
  return state;
}

TEST(Ownership, WhatTheDaemonCarriesOutIsClaimedConcludedAndHeldAloneLikeTheRest) {
  const DesiredState wanted = ForDaemon("", 51);
  const auto claimed = Claim(Fresh("web"), wanted, State({}), {});
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->state, wanted);
  EXPECT_EQ(Conclude(*claimed, wanted).state, wanted);
  EXPECT_TRUE(Conclude(*claimed, State({})).state.empty());
  const auto again = Claim(*claimed, wanted, State({}), {});
  ASSERT_TRUE(again);
  EXPECT_TRUE(SameContent(*again, *claimed));
  const OwnerRecord other = RecordOf("other", ForDaemon("2", 52));
  const DesiredState alone = HeldAlone(*claimed, {other});
  EXPECT_EQ(alone.vrrp_instances, wanted.vrrp_instances);
  EXPECT_EQ(alone.watches, wanted.watches);
  EXPECT_TRUE(alone.sync_daemons.empty());
  EXPECT_TRUE(alone.metrics.empty());
}

TEST(Ownership, SyncDaemonThatRanBeforeIsAdopted) {
  const DesiredState wanted = ForDaemon("", 51);
  DesiredState observed;
  observed.sync_daemons = wanted.sync_daemons;
  const auto claimed = Claim(Fresh("web"), wanted, observed, {});
  ASSERT_TRUE(claimed);
  EXPECT_EQ(Adopted(*claimed).sync_daemons, wanted.sync_daemons);
}

TEST(Ownership, OwnersCannotRunOneVirtualRouterOrHoldOneVirtualAddress) {
  const auto refusal = [](DesiredState wanted, DesiredState held) {
    const auto claimed = Claim(Fresh("dns"), wanted, State({}), {RecordOf("web", std::move(held))});
    return claimed ? std::string() : claimed.error().message;
  };
  DesiredState held;
  held.vrrp_instances = {Router("web")};
  DesiredState wanted;
  wanted.vrrp_instances = {Router("web")};
  EXPECT_EQ(refusal(wanted, held), "");  // the same
  wanted.vrrp_instances[0].password = "0ther";
  const std::string differs = refusal(wanted, held);
  EXPECT_NE(differs.find("vrrp_instance web: web owns it"), std::string::npos) << differs;
  EXPECT_EQ(differs.find("s3cret"), std::string::npos);
  EXPECT_EQ(differs.find("0ther"), std::string::npos);
  wanted.vrrp_instances = {Router("dns")};
  EXPECT_NE(refusal(wanted, held).find("virtual router 51 on eth0"), std::string::npos);
  wanted.vrrp_instances[0].vrid = 52;
  EXPECT_NE(refusal(wanted, held).find("10.0.0.51 as part of vrrp_instance web"),
            std::string::npos);
  EXPECT_NE(refusal(wanted, State({Vip("10.0.0.51/24", "eth0")})).find("web owns address"),
            std::string::npos);
  EXPECT_EQ(refusal(wanted, State({Vip("10.0.0.51/32", "lo")})), "");
}

}  // namespace
}  // namespace drover
