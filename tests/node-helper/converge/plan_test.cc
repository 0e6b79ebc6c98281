#include "node-helper/converge/plan.h"

#include <gtest/gtest.h>

#include <functional>

namespace drover {
namespace {

IpAddress Ip(const std::string& text) { return IpAddress::Parse(text).value(); }

InterfaceAddress At(const std::string& interface, const std::string& prefix) {
  return InterfaceAddress{interface, Prefix::Parse(prefix).value()};
}

Destination Real(const std::string& address, std::uint32_t weight = 1) {
  Destination destination;
  destination.address = Ip(address);
  destination.port = 80;
  destination.weight = weight;
  return destination;
}

VirtualService Web(std::vector<Destination> destinations = {}) {
  VirtualService service;
  service.key = SocketKey{Transport::kTcp, Ip("10.0.0.100"), 80};
  service.scheduler = "rr";
  service.destinations = std::move(destinations);
  return service;
}

SyncDaemon Sync(SyncRole role) {
  SyncDaemon daemon;
  daemon.role = role;
  daemon.interface = "eth0";
  daemon.sync_id = role == SyncRole::kMaster ? 11 : 12;
  return daemon;
}

// The plan as people read it.
std::vector<std::string> Lines(const std::vector<Change>& plan) {
  std::vector<std::string> lines;
  for (const Change& change : plan) lines.push_back(OneLine(Describe(change)));
  return lines;
}

std::vector<std::string> PlanLines(const DesiredState& desired, const DesiredState& observed) {
  const auto plan = Plan(desired, observed);
  if (!plan) return {plan.error().message};
  return Lines(*plan);
}

using Strings = std::vector<std::string>;

DesiredState Everything() {
  DesiredState state;
  state.addresses = {At("lo", "10.0.0.100/32"), At("eth0", "2001:db8::100/64")};
  state.sysctls = {{"net/ipv4/ip_forward", "1"}, {"net/ipv4/conf/all/arp_ignore", "1"}};
  state.services = {Web({Real("10.0.0.11"), Real("10.0.0.12", 3)})};
  state.sync_daemons = {Sync(SyncRole::kMaster), Sync(SyncRole::kBackup)};
  return state;
}

TEST(Plan, OfWhatIsThereIsEmpty) { EXPECT_EQ(PlanLines(Everything(), Everything()), Strings{}); }

TEST(Plan, OfNothingTouchesNothing) { EXPECT_EQ(PlanLines({}, Everything()), Strings{}); }

TEST(Plan, PutsSysctlsBeforeServicesBeforeSyncDaemonsBeforeAddresses) {
  DesiredState observed;
  observed.sysctls = {{"net/ipv4/conf/all/arp_ignore", "0"}, {"net/ipv4/ip_forward", "0"}};
  EXPECT_EQ(PlanLines(Everything(), observed),
            (Strings{
                "change sysctl net.ipv4.ip_forward: 0 -> 1 (is 0)",
                "change sysctl net.ipv4.conf.all.arp_ignore: 0 -> 1 (is 0)",
                "add service tcp 10.0.0.100:80 (missing)",
                "add real server 10.0.0.11:80 of service tcp 10.0.0.100:80 (missing)",
                "add real server 10.0.0.12:80 of service tcp 10.0.0.100:80 (missing)",
                "add sync daemon master (missing)",
                "add sync daemon backup (missing)",
                "add address 10.0.0.100/32 on lo (missing)",
                "add address 2001:db8::100/64 on eth0 (missing)",
            }));
}

TEST(Plan, PutsTunnelsAndRoutesFirstAndFiltersBeforeAddresses) {
  DesiredState desired;
  desired.path = {PacketMark{{Transport::kTcp, Ip("10.0.0.100"), 80}, 7},
                  ArpFilter{Ip("10.0.0.100"), Ip("10.0.0.21")},
                  Route{Prefix::Parse("10.9.0.0/16").value(), Ip("10.0.0.1")}, GueReceiver{6080},
                  Tunnel{"lvs-ipip", TunnelKind::kIpip, Ip("10.0.0.21")}};
  desired.sysctls = {{"net/ipv4/conf/lvs-ipip/rp_filter", "2"}};
  desired.addresses = {At("lvs-ipip", "10.0.0.100/32")};
  EXPECT_EQ(PlanLines(desired, {}),
            (Strings{"add tunnel lvs-ipip (missing)", "add gue receiver 6080 (missing)",
                     "add route 10.9.0.0/16 (missing)",
                     "change sysctl net.ipv4.conf.lvs-ipip.rp_filter:  -> 2 (the tunnel is not "
                     "there yet)",
                     "add arp filter 10.0.0.100 (missing)", "add mark tcp 10.0.0.100:80 (missing)",
                     "add address 10.0.0.100/32 on lvs-ipip (missing)"}));
  DesiredState observed = desired;
  observed.path[1] = ArpFilter{Ip("10.0.0.100"), Ip("10.0.0.22")};
  EXPECT_EQ(PlanLines(desired, observed),
            (Strings{"change arp filter 10.0.0.100: asks as 10.0.0.22 -> asks as 10.0.0.21 "
                     "(asks as 10.0.0.22)"}));
  EXPECT_EQ(PlanLines({}, observed), Strings{});
}

TEST(Plan, PutsAnotherWrappingRightAndSaysWhichItWas) {
  DesiredState desired;
  desired.services = {Web()};
  desired.services[0].destinations = {Real("10.0.0.11")};
  Destination& real = desired.services[0].destinations[0];
  real.forward = Forwarding::kTun;
  real.tunnel = {TunnelKind::kGue, 6080};
  DesiredState observed = desired;
  EXPECT_EQ(PlanLines(desired, observed), Strings{});
  const struct {
    Wrapping wrapping;
    const char* before;
    const char* reason;
  } cases[] = {
      {{}, "tun weight 1", "ipip"},
      {{TunnelKind::kGre}, "tun by gre weight 1", "gre"},
      {{TunnelKind::kGue, 6081}, "tun by gue port 6081 weight 1", "gue port 6081"},
      {{TunnelKind::kGue, 6080, TunnelChecksum::kFull},
       "tun by gue port 6080 csum weight 1",
       "gue port 6080 csum"},
  };
  for (const auto& c : cases) {
    observed.services[0].destinations[0].tunnel = c.wrapping;
    EXPECT_EQ(PlanLines(desired, observed),
              Strings{"change real server 10.0.0.11:80 of service tcp 10.0.0.100:80: " +
                      std::string(c.before) +
                      " -> tun by gue port 6080 weight 1 (packets are "
                      "wrapped in " +
                      c.reason + ")"});
  }
}

TEST(Plan, WhatPacketsFindTheirWayByLeavesLast) {
  DesiredState owned;
  owned.path = {Tunnel{"lvs-ipip", TunnelKind::kIpip, Ip("10.0.0.21")}, GueReceiver{6080},
                ArpFilter{Ip("10.0.0.100"), Ip("10.0.0.21")}};
  owned.addresses = {At("lvs-ipip", "10.0.0.100/32")};
  EXPECT_EQ(Lines(PlanPrune(owned, {}, owned, {})),
            (Strings{"remove address 10.0.0.100/32 on lvs-ipip (left the playbook)",
                     "remove arp filter 10.0.0.100 (left the playbook)",
                     "remove gue receiver 6080 (left the playbook)",
                     "remove tunnel lvs-ipip (left the playbook)"}));
  EXPECT_EQ(PlanPrune(owned, owned, owned, {}), std::vector<Change>{});
}

TEST(Plan, WritesSysctlsThatChangeOthersFirst) {
  DesiredState desired;
  DesiredState observed;
  for (const char* key :
       {"net/ipv4/conf/all/accept_redirects", "net/ipv4/conf/default/rp_filter",
        "net/ipv4/conf/eth0/forwarding", "net/ipv4/conf/eth0/rp_filter",
        "net/ipv6/conf/all/forwarding", "net/ipv4/ip_forward", "net/ipv4/tcp_syncookies"}) {
    desired.sysctls.push_back({key, "1"});
    observed.sysctls.push_back({key, "0"});
  }
  Strings keys;
  const auto plan = Plan(desired, observed);
  ASSERT_TRUE(plan);
  for (const Change& change : *plan) {
    keys.push_back(std::get<SetSysctl>(change.action).sysctl.key);
  }
  EXPECT_EQ(keys, (Strings{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding",
                           "net/ipv4/conf/eth0/forwarding", "net/ipv4/conf/all/accept_redirects",
                           "net/ipv4/conf/default/rp_filter", "net/ipv4/conf/eth0/rp_filter",
                           "net/ipv4/tcp_syncookies"}));
}

TEST(Plan, SysctlThatTheKernelLacksIsAnError) {
  DesiredState desired;
  desired.sysctls = {{"net/ipv4/conf/eth9/arp_ignore", "1"}};
  const auto plan = Plan(desired, {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error(),
            (Error{ErrorCode::kInvalid,
                   "sysctl net.ipv4.conf.eth9.arp_ignore: this kernel has no such setting"}));
}

TEST(Plan, SysctlOfIpvsMayAppearWithItsModule) {
  DesiredState desired;
  desired.sysctls = {{"net/ipv4/vs/conntrack", "1"}};
  EXPECT_EQ(PlanLines(desired, {}),
            Strings{"change sysctl net.ipv4.vs.conntrack:  -> 1 (ip_vs is not loaded yet)"});
}

TEST(Plan, ServiceIsEditedForEverySettingThatDiffers) {
  struct Case {
    const char* name;
    std::function<void(VirtualService&)> differ;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {"scheduler", [](VirtualService& s) { s.scheduler = "wlc"; }, "scheduler is wlc"},
      {"flags", [](VirtualService& s) { s.scheduler_flags = {"flag-2"}; },
       "has scheduler flags flag-2"},
      {"one packet", [](VirtualService& s) { s.one_packet = true; }, "is one-packet"},
      {"persistence", [](VirtualService& s) { s.persistence = Persistence{}; },
       "is persistent 300s mask 32"},
      {"engine",
       [](VirtualService& s) {
         s.persistence = Persistence{std::chrono::seconds(5), 24, "sip"};
       },
       "is persistent 5s mask 24 engine sip"},
  };
  for (const Case& c : cases) {
    DesiredState desired;
    DesiredState observed;
    desired.services = {Web({Real("10.0.0.11")})};
    observed.services = desired.services;
    c.differ(observed.services[0]);
    const auto plan = Plan(desired, observed);
    ASSERT_TRUE(plan) << c.name;
    ASSERT_EQ(plan->size(), 1U) << c.name;
    EXPECT_EQ(plan->at(0).reason, c.reason) << c.name;
    EXPECT_EQ(std::get<EditService>(plan->at(0).action).service, Web()) << c.name;
    EXPECT_EQ(PlanLines(observed, desired).size(), 1U) << c.name << " the other way round";
  }
}

TEST(Plan, FlagsAreComparedByTheirBits) {
  DesiredState desired;
  desired.services = {Web()};
  desired.services[0].scheduler = "sh";
  DesiredState observed = desired;
  desired.services[0].scheduler_flags = {"flag-1", "flag-2"};
  observed.services[0].scheduler_flags = {"sh-fallback", "sh-port"};
  EXPECT_EQ(PlanLines(desired, observed), Strings{});
}

TEST(Plan, DestinationsOfADesiredServiceAreTheWholeList) {
  DesiredState desired;
  DesiredState observed;
  desired.services = {Web({Real("10.0.0.11", 5), Real("10.0.0.12"), Real("10.0.0.13")})};
  observed.services = {Web({Real("10.0.0.10"), Real("10.0.0.11", 3), Real("10.0.0.12")})};
  EXPECT_EQ(PlanLines(desired, observed),
            (Strings{
                "add real server 10.0.0.13:80 of service tcp 10.0.0.100:80 (missing)",
                "change real server 10.0.0.11:80 of service tcp 10.0.0.100:80: dr weight 3 -> dr "
                "weight 5 (weight is 3)",
                "remove real server 10.0.0.10:80 of service tcp 10.0.0.100:80 (not in the "
                "service's list)",
            }));
}

TEST(Plan, EveryDifferenceOfADestinationIsNamed) {
  Destination now = Real("10.0.0.11", 3);
  now.forward = Forwarding::kNat;
  now.upper_threshold = 20;
  now.lower_threshold = 10;
  DesiredState desired;
  DesiredState observed;
  desired.services = {Web({Real("10.0.0.11")})};
  observed.services = {Web({now})};
  EXPECT_EQ(Plan(desired, observed).value().at(0).reason,
            "forwarding is nat, weight is 3, upper threshold is 20, lower threshold is 10");
}

TEST(Plan, OrderOfDestinationsIsNoDifference) {
  DesiredState desired;
  DesiredState observed;
  desired.services = {Web({Real("10.0.0.11"), Real("10.0.0.12")})};
  observed.services = {Web({Real("10.0.0.12"), Real("10.0.0.11")})};
  EXPECT_EQ(PlanLines(desired, observed), Strings{});
}

TEST(Plan, PrefixLengthIsReplacedWithoutLosingAnIpv4Address) {
  DesiredState desired;
  DesiredState observed;
  desired.addresses = {At("eth0", "10.0.0.100/32")};
  observed.addresses = {At("eth0", "10.0.0.100/24")};
  EXPECT_EQ(PlanLines(desired, observed),
            (Strings{"add address 10.0.0.100/32 on eth0 (prefix length is 24)",
                     "remove address 10.0.0.100/24 on eth0 (prefix length is 24)"}));
}

TEST(Plan, PrefixLengthOfIpv6IsReplacedByRemovingFirst) {
  DesiredState desired;
  DesiredState observed;
  desired.addresses = {At("eth0", "2001:db8::1/128")};
  observed.addresses = {At("eth0", "2001:db8::1/64")};
  EXPECT_EQ(PlanLines(desired, observed),
            (Strings{"remove address 2001:db8::1/64 on eth0 (prefix length is 64)",
                     "add address 2001:db8::1/128 on eth0 (prefix length is 64)"}));
}

TEST(Plan, SurplusPrefixLengthOfADesiredAddressIsRemoved) {
  DesiredState desired;
  DesiredState observed;
  desired.addresses = {At("eth0", "10.0.0.100/32")};
  observed.addresses = {At("eth0", "10.0.0.100/24"), At("eth0", "10.0.0.100/32")};
  EXPECT_EQ(PlanLines(desired, observed),
            Strings{"remove address 10.0.0.100/24 on eth0 (prefix length is 24)"});
}

TEST(Plan, SameAddressOnAnotherInterfaceIsAnotherResource) {
  DesiredState desired;
  DesiredState observed;
  desired.addresses = {At("lo", "10.0.0.100/32")};
  observed.addresses = {At("eth0", "10.0.0.100/24")};
  EXPECT_EQ(PlanLines(desired, observed), Strings{"add address 10.0.0.100/32 on lo (missing)"});
}

TEST(Plan, WishToAnnounceIsCarriedButNotCompared) {
  DesiredState desired;
  desired.addresses = {At("eth0", "10.0.0.100/32")};
  desired.addresses[0].announce = true;
  EXPECT_TRUE(std::get<AddAddress>(Plan(desired, {}).value().at(0).action).address.announce);
  DesiredState observed;
  observed.addresses = {At("eth0", "10.0.0.100/32")};
  EXPECT_EQ(PlanLines(desired, observed), Strings{});
}

TEST(Plan, SaysThatLoopbackIsNotAnnounced) {
  DesiredState desired;
  desired.addresses = {At("lo", "10.0.0.100/32")};
  desired.addresses[0].announce = true;
  EXPECT_EQ(Plan(desired, {}).value().at(0).reason, "missing; not announced, lo has no neighbours");
}

TEST(Plan, SyncDaemonIsRestartedForEverySettingThatDiffersAndTheOtherRoleIsLeftAlone) {
  struct Case {
    const char* name;
    std::function<void(SyncDaemon&)> differ;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {"interface", [](SyncDaemon& d) { d.interface = "eth1"; }, "runs on eth1"},
      {"id", [](SyncDaemon& d) { d.sync_id = 3; }, "id is 3"},
      {"group", [](SyncDaemon& d) { d.group = Ip("ff02::81"); }, "group is ff02::81"},
      {"port", [](SyncDaemon& d) { d.port = 9000; }, "port is 9000"},
      {"ttl", [](SyncDaemon& d) { d.ttl = 2; }, "ttl is 2"},
      {"length", [](SyncDaemon& d) { d.max_length = 1472; }, "datagrams hold 1472 bytes"},
  };
  for (const SyncRole role : {SyncRole::kMaster, SyncRole::kBackup}) {
    for (const Case& c : cases) {
      DesiredState desired;
      desired.sync_daemons = {Sync(SyncRole::kMaster), Sync(SyncRole::kBackup)};
      DesiredState observed = desired;
      SyncDaemon& wanted = desired.sync_daemons[role == SyncRole::kMaster ? 0 : 1];
      SyncDaemon& running = observed.sync_daemons[role == SyncRole::kMaster ? 0 : 1];
      wanted.max_length = 1400;
      running.max_length = 1400;
      c.differ(running);
      const auto plan = Plan(desired, observed);
      ASSERT_TRUE(plan) << c.name;
      EXPECT_EQ(*plan, (std::vector<Change>{{StopSyncDaemon{running}, c.reason},
                                            {StartSyncDaemon{wanted}, c.reason}}))
          << c.name;
    }
  }
}

TEST(Plan, LengthThatTheKernelChoosesOrLimitsIsNoDifference) {
  struct Case {
    const char* name;
    SyncRole role;
    const char* group;
    std::uint16_t wanted;
    std::uint16_t in_kernel;
  };
  for (const Case& c : std::vector<Case>{
           {"the kernel's choice", SyncRole::kMaster, "224.0.0.81", 0, 1472},
           {"a backup takes no less", SyncRole::kBackup, "224.0.0.81", 500, 1024},
           {"a master may send less", SyncRole::kMaster, "224.0.0.81", 500, 500},
           {"the largest packet, IPv4", SyncRole::kMaster, "224.0.0.81", 65535, 65507},
           {"the largest packet, IPv6", SyncRole::kBackup, "ff02::81", 65535, 65487},
       }) {
    DesiredState desired;
    desired.sync_daemons = {Sync(c.role)};
    desired.sync_daemons[0].group = Ip(c.group);
    DesiredState observed = desired;
    desired.sync_daemons[0].max_length = c.wanted;
    observed.sync_daemons[0].max_length = c.in_kernel;
    EXPECT_EQ(PlanLines(desired, observed), Strings{}) << c.name;
  }
}

TEST(Plan, SyncDaemonThatIsNotDesiredIsLeftAlone) {
  DesiredState desired;
  desired.sync_daemons = {Sync(SyncRole::kBackup)};
  DesiredState observed = desired;
  observed.sync_daemons.push_back(Sync(SyncRole::kMaster));
  EXPECT_EQ(PlanLines(desired, observed), Strings{});
}

TEST(SameSysctlValue, ComparesTextAndNumbers) {
  struct Case {
    const char* a;
    const char* b;
    bool same;
  };
  for (const Case& c : std::vector<Case>{
           {"1", "1", true},
           {"1", "2", false},
           {"32768\t60999", "32768 60999", true},
           {" 1\n", "1", true},
           {"0x10", "16", true},
           {"010", "8", true},
           {"-1", "-1", true},
           {"-1", "1", false},
           {"1 2", "1", false},
           {"cubic", "reno", false},
           {"", "", true},
           {"", "0", false},
           {"1x", "1", false},
           {"08", "8", false},
       }) {
    EXPECT_EQ(SameSysctlValue(c.a, c.b), c.same) << c.a << " and " << c.b;
  }
}

TEST(PlanPrune, RemovesAddressesThenSyncDaemonsThenServicesThenRestoresSysctls) {
  const DesiredState owned = Everything();
  DesiredState observed = Everything();
  observed.addresses.push_back(At("lo", "10.0.0.200/32"));  // somebody else's
  EXPECT_EQ(Lines(PlanPrune(owned, {}, observed,
                            {{"net/ipv4/ip_forward", "0"},
                             {"net/ipv4/conf/all/arp_ignore", "0"},
                             {"net/ipv4/tcp_syncookies", "0"}})),
            (Strings{
                "remove address 10.0.0.100/32 on lo (left the playbook)",
                "remove address 2001:db8::100/64 on eth0 (left the playbook)",
                "remove sync daemon master (left the playbook)",
                "remove sync daemon backup (left the playbook)",
                "remove service tcp 10.0.0.100:80 (left the playbook)",
                "change sysctl net.ipv4.ip_forward: 1 -> 0 (left the playbook)",
                "change sysctl net.ipv4.conf.all.arp_ignore: 1 -> 0 (left the playbook)",
            }));
}

TEST(PlanPrune, KeepsWhatThePlaybookStillNames) {
  EXPECT_TRUE(PlanPrune(Everything(), Everything(), Everything(),
                        {{"net/ipv4/ip_forward", "0"}, {"net/ipv4/conf/all/arp_ignore", "0"}})
                  .empty());
}

TEST(PlanPrune, TouchesOnlyWhatIsOwnedAndThere) {
  EXPECT_TRUE(PlanPrune({}, {}, Everything(), {{"net/ipv4/ip_forward", "0"}}).empty());
  EXPECT_TRUE(PlanPrune(Everything(), {}, {}, {{"net/ipv4/ip_forward", "0"}}).empty());
}

TEST(PlanPrune, SysctlWithoutARecordedOriginalStays) {
  DesiredState owned;
  owned.sysctls = {{"net/ipv4/ip_forward", "1"}};
  EXPECT_TRUE(PlanPrune(owned, {}, owned, {}).empty());
}

TEST(Advance, LeavesTheStateAloneWhereTheKernelWouldRefuse) {
  const DesiredState state = Everything();
  const ServiceKey missing = SocketKey{Transport::kUdp, Ip("10.0.0.100"), 80};
  VirtualService other = Web();
  other.key = missing;
  const std::vector<ChangeAction> refused = {
      AddAddress{At("lo", "10.0.0.100/32")},
      AddAddress{At("eth0", "2001:db8::100/128")},
      RemoveAddress{At("lo", "10.0.0.100/24")},
      AddService{Web()},
      EditService{other, other},
      RemoveService{other},
      AddDestination{missing, Real("10.0.0.11")},
      AddDestination{Web().key, Real("10.0.0.11", 9)},
      EditDestination{Web().key, Real("10.0.0.13"), Real("10.0.0.13")},
      RemoveDestination{Web().key, Real("10.0.0.13")},
      RemoveDestination{missing, Real("10.0.0.11")},
      StartSyncDaemon{Sync(SyncRole::kBackup)},
  };
  for (const ChangeAction& action : refused) {
    EXPECT_EQ(Advance(state, {action, ""}), state) << OneLine(Describe({action, ""}));
  }
}

TEST(Advance, AlongAPlanReachesTheDesiredState) {
  DesiredState observed;
  observed.sysctls = {{"net/ipv4/conf/all/arp_ignore", "0"}, {"net/ipv4/ip_forward", "0"}};
  DesiredState state = observed;
  const auto plan = Plan(Everything(), observed);
  ASSERT_TRUE(plan);
  for (const Change& change : *plan) state = Advance(state, change);
  EXPECT_EQ(Canonical(state), Canonical(Everything()));
}

}  // namespace
}  // namespace drover
