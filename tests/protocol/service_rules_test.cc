// The rules of ip_vs that need no kernel.

#include <gtest/gtest.h>

#include <functional>

#include "protocol/desired_state.h"

namespace drover {
namespace {

VirtualService WebService() {
  VirtualService service;
  service.key = SocketKey{Transport::kTcp, *IpAddress::Parse("10.0.0.100"), 80};
  service.scheduler = "rr";
  service.destinations = {Destination{.address = *IpAddress::Parse("10.0.0.1"), .port = 80},
                          Destination{.address = *IpAddress::Parse("10.0.0.2"), .port = 80}};
  return service;
}

TEST(ServiceRules, AnOrdinaryServiceIsFine) { EXPECT_TRUE(ValidateService(WebService())); }

TEST(ServiceRules, EachOffenceIsNamed) {
  struct Case {
    std::string name;
    std::function<void(VirtualService&)> spoil;
    std::string want;
  };
  const std::vector<Case> cases = {
      {"scheduler", [](VirtualService& s) { s.scheduler = "rrr"; },
       "unknown scheduler \"rrr\" (rr, wrr, lc"},
      {"flag", [](VirtualService& s) { s.scheduler_flags = {"sh-port"}; },
       "scheduler rr has no flag \"sh-port\""},
      {"dr port", [](VirtualService& s) { s.destinations[1].port = 8080; },
       "real server 10.0.0.2:8080: forwarding method dr cannot change the port: it must be 80"},
      {"tun port",
       [](VirtualService& s) {
         s.destinations[1].port = 8080;
         s.destinations[1].forward = Forwarding::kTun;
       },
       "forwarding method tun cannot change the port"},
      {"gue without tun",
       [](VirtualService& s) {
         s.destinations[1].tunnel = {TunnelKind::kGue, 6080};
       },
       "only forwarding method tun wraps packets (gue port 6080)"},
      {"gue without a port",
       [](VirtualService& s) {
         s.destinations[1].forward = Forwarding::kTun;
         s.destinations[1].tunnel = {TunnelKind::kGue};
       },
       "gue needs the port that the real server takes it at"},
      {"gre with a port",
       [](VirtualService& s) {
         s.destinations[1].forward = Forwarding::kTun;
         s.destinations[1].tunnel = {TunnelKind::kGre, 6080};
       },
       "a port is a setting of gue, not of gre"},
      {"gre with a remote checksum",
       [](VirtualService& s) {
         s.destinations[1].forward = Forwarding::kTun;
         s.destinations[1].tunnel = {TunnelKind::kGre, 0, TunnelChecksum::kRemote};
       },
       "the checksum remcsum is none of gre"},
      {"ipip with a checksum",
       [](VirtualService& s) {
         s.destinations[1].forward = Forwarding::kTun;
         s.destinations[1].tunnel = {TunnelKind::kIpip, 0, TunnelChecksum::kFull};
       },
       "the checksum csum is none of ipip"},
      {"port 0", [](VirtualService& s) { std::get<SocketKey>(s.key).port = 0; },
       "needs persistence"},
      {"weight", [](VirtualService& s) { s.destinations[0].weight = 65536; },
       "weight must be 0 to 65535"},
      {"twice", [](VirtualService& s) { s.destinations[1] = s.destinations[0]; }, "is named twice"},
      {"family",
       [](VirtualService& s) { s.destinations[0].address = *IpAddress::Parse("2001:db8::1"); },
       "can be mixed with forwarding method tun only"},
      {"one packet", [](VirtualService& s) { s.one_packet = true; },
       "one-packet scheduling is for UDP only"},
      {"persistence",
       [](VirtualService& s) { s.persistence = Persistence{.timeout = std::chrono::seconds(0)}; },
       "persistence must last"},
      {"netmask", [](VirtualService& s) { s.persistence = Persistence{.netmask_length = 33}; },
       "netmask must have 1 to 32 bits"},
      {"thresholds",
       [](VirtualService& s) {
         s.destinations[0].upper_threshold = 5;
         s.destinations[0].lower_threshold = 6;
       },
       "the lower threshold is above the upper one"},
      {"mark", [](VirtualService& s) { s.key = FwmarkKey{}; }, "the mark must not be 0"},
  };
  for (const Case& c : cases) {
    VirtualService service = WebService();
    c.spoil(service);
    const Status status = ValidateService(service);
    ASSERT_FALSE(status) << c.name;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalid) << c.name;
    EXPECT_NE(status.error().message.find(c.want), std::string::npos)
        << c.name << ": " << status.error().message;
  }
}

TEST(ServiceRules, NatMayTranslatePortsAndTunMayMixFamilies) {
  VirtualService service = WebService();
  service.destinations[0].forward = Forwarding::kNat;
  service.destinations[0].port = 8080;
  service.destinations[1].forward = Forwarding::kTun;
  service.destinations[1].address = *IpAddress::Parse("2001:db8::1");
  EXPECT_TRUE(ValidateService(service));
}

TEST(SchedulerFlags, NamesAndBitsAgreeForEveryScheduler) {
  for (const std::string& scheduler : KnownSchedulers()) {
    for (std::uint32_t bits : {0x0U, 0x8U, 0x10U, 0x20U, 0x38U}) {
      const std::vector<std::string> names = SchedulerFlagNames(scheduler, bits);
      EXPECT_EQ(*SchedulerFlagBits(scheduler, names), bits) << scheduler;
    }
  }
  EXPECT_EQ(*SchedulerFlagBits("sh", {"sh-port"}), 0x10U);
  EXPECT_EQ(*SchedulerFlagBits("mh", {"flag-1"}), *SchedulerFlagBits("mh", {"mh-fallback"}));
}

}  // namespace
}  // namespace drover
