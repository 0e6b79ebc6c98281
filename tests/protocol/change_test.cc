// Changes in words: what the operator reads under a changed task.

#include "protocol/change.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

const ServiceKey kWeb = SocketKey{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80};

TEST(Change, IsDescribedByVerbResourceSidesAndReason) {
  const Destination light{.address = *IpAddress::Parse("10.0.0.1"), .port = 80, .weight = 1};
  Destination heavy = light;
  heavy.weight = 5;
  VirtualService service{.key = kWeb, .scheduler = "rr"};
  VirtualService persistent = service;
  persistent.persistence = Persistence{.timeout = std::chrono::seconds(50)};
  const InterfaceAddress vip{.interface = "lo", .prefix = *Prefix::Parse("10.0.0.100")};

  struct Case {
    Change change;
    std::string want;
  };
  const std::vector<Case> cases = {
      {{AddAddress{vip}, "missing"}, "add address 10.0.0.100/32 on lo (missing)"},
      {{RemoveAddress{vip}, "left the playbook"},
       "remove address 10.0.0.100/32 on lo (left the playbook)"},
      {{SetSysctl{{"net/ipv4/ip_forward", "1"}, "0"}, ""},
       "change sysctl net.ipv4.ip_forward: 0 -> 1"},
      {{AddService{service}, "missing"}, "add service tcp 10.0.0.100:80 (missing)"},
      {{EditService{persistent, service}, "persistence differs"},
       "change service tcp 10.0.0.100:80: rr -> rr persistent 50s mask 32 (persistence differs)"},
      {{RemoveService{service}, ""}, "remove service tcp 10.0.0.100:80"},
      {{AddDestination{kWeb, light}, ""},
       "add real server 10.0.0.1:80 of service tcp 10.0.0.100:80"},
      {{EditDestination{kWeb, heavy, light}, ""},
       "change real server 10.0.0.1:80 of service tcp 10.0.0.100:80: dr weight 1 -> dr weight 5"},
      {{RemoveDestination{FwmarkKey{7, Family::kIpv6}, light}, ""},
       "remove real server 10.0.0.1:80 of service fwmark 7 ipv6"},
  };
  for (const Case& c : cases) EXPECT_EQ(OneLine(Describe(c.change)), c.want);
}

}  // namespace
}  // namespace drover
