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

}  // namespace
}  // namespace drover
