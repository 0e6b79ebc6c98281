// Which targets the watches of a node make.

#include "node-helper/checks/target.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

const IpAddress kVip = *IpAddress::Parse("10.0.0.100");

ServiceKey Service(std::uint16_t port) { return SocketKey{Transport::kTcp, kVip, port}; }

Destination Server(int number, std::uint16_t port = 80) {
  return {.address = *IpAddress::Parse("10.0.0." + std::to_string(number)), .port = port};
}

VirtualService With(const ServiceKey& key, std::vector<Destination> servers) {
  VirtualService service{.key = key};
  service.destinations = std::move(servers);
  return service;
}

TargetList List(const std::vector<ServiceWatch>& watches,
                const std::vector<VirtualService>& services) {
  return ListTargets(watches, services, {}, {});
}

TEST(Targets, AServerBehindManyServicesIsAskedOnce) {
  const CheckSettings tcp{.kind = TcpCheck{}};
  std::vector<ServiceWatch> watches;
  std::vector<VirtualService> services;
  for (std::uint16_t port = 1; port <= 5; ++port) {
    watches.push_back({.service = Service(port), .checks = {tcp}});
    services.push_back(With(Service(port), {Server(1), Server(2)}));
  }
  const TargetList list = List(watches, services);
  ASSERT_EQ(list.targets.size(), 2U);
  EXPECT_EQ(list.targets[0].users.size(), 5U);
  EXPECT_EQ(list.of_server.size(), 10U);
}

TEST(Targets, EveryDifferenceMakesAnother) {
  const CheckSettings plain{.kind = HttpCheck{}};
  std::vector<CheckSettings> all = {plain};
  const auto add = [&](auto change) {
    CheckSettings other = plain;
    change(other, std::get<HttpCheck>(other.kind));
    all.push_back(other);
  };
  add([](auto& check, auto&) { check.interval = std::chrono::milliseconds(3000); });
  add([](auto& check, auto&) { check.fast_interval = std::chrono::milliseconds(300); });
  add([](auto& check, auto&) { check.timeout = std::chrono::milliseconds(300); });
  add([](auto& check, auto&) { check.fall = 9; });
  add([](auto& check, auto&) { check.rise = 9; });
  add([](auto& check, auto&) { check.jitter_percent = 9; });
  add([](auto& check, auto&) { check.initial = InitialState::kUp; });
  add([](auto& check, auto&) { check.port = 8080; });
  add([](auto& check, auto&) { check.through_vip = true; });
  add([](auto&, auto& http) { http.tls = true; });
  add([](auto&, auto& http) { http.path = "/x"; });
  add([](auto&, auto& http) { http.host = "x"; });
  add([](auto&, auto& http) { http.headers = {{"x", "y"}}; });
  add([](auto&, auto& http) { http.status = {{200, 200}}; });
  add([](auto&, auto& http) { http.body_regex = "x"; });
  add([](auto&, auto& http) { http.body_sha256 = "x"; });
  add([](auto&, auto& http) { http.weight_header = "x"; });
  add([](auto& check, auto&) { check.kind = TcpCheck{}; });
  const TargetList list =
      List({{.service = Service(80), .checks = all}}, {With(Service(80), {Server(1)})});
  EXPECT_EQ(list.targets.size(), all.size());
}

TEST(Targets, TheSameInTheNextProcess) {
  const std::vector<ServiceWatch> watches = {
      {.service = Service(80), .checks = {{.kind = TcpCheck{}}}}};
  const std::vector<VirtualService> services = {With(Service(80), {Server(1)})};
  EXPECT_EQ(List(watches, services).targets[0].id, List(watches, services).targets[0].id);
  EXPECT_EQ(List(watches, services).targets[0].id.size(), 32U);
}

TEST(Targets, ScriptsKnowTheirServiceAndAreNotShared) {
  const CheckSettings script{.kind = ScriptCheck{.argv = {"/bin/true"}}};
  const TargetList list = List(
      {{.service = Service(80), .checks = {script}}, {.service = Service(81), .checks = {script}}},
      {With(Service(80), {Server(1)}), With(Service(81), {Server(1)})});
  ASSERT_EQ(list.targets.size(), 2U);
  EXPECT_EQ(list.targets[0].service, "tcp 10.0.0.100:80");
  EXPECT_EQ(list.targets[1].service, "tcp 10.0.0.100:81");
}

TEST(Targets, TheCheckMayHaveAPortOfItsOwn) {
  const TargetList list =
      List({{.service = Service(80), .checks = {{.kind = TcpCheck{}, .port = 9000}}}},
           {With(Service(80), {Server(1), Server(1, 81)})});
  ASSERT_EQ(list.targets.size(), 1U) << "two servers of one host, one question";
  EXPECT_EQ(list.targets[0].ask.ToString(), "10.0.0.1:9000");
  EXPECT_EQ(list.targets[0].users.size(), 2U);
}

TEST(Targets, UpAtFirstIsWhatTheKernelHas) {
  const auto initially = [](InitialState initial, bool in_table) {
    const std::map<ServiceKey, std::vector<Endpoint>> table = {
        {Service(80), {Server(in_table ? 1 : 2).endpoint()}}};
    return ListTargets(
               {{.service = Service(80), .checks = {{.kind = TcpCheck{}, .initial = initial}}}},
               {With(Service(80), {Server(1)})}, table, {})
        .targets[0]
        .initially_up;
  };
  EXPECT_TRUE(initially(InitialState::kAuto, true));
  EXPECT_FALSE(initially(InitialState::kAuto, false));
  EXPECT_TRUE(initially(InitialState::kUp, false));
  EXPECT_FALSE(initially(InitialState::kDown, true));
}

TEST(Targets, ThroughTheVipEachServerHasItsWay) {
  const CheckSettings through{.kind = TcpCheck{}, .through_vip = true};
  Destination heavy = Server(2);
  heavy.weight = 0;
  heavy.upper_threshold = 7;
  const TargetList list = List({{.service = Service(80), .checks = {through}}},
                               {With(Service(80), {Server(1), heavy})});
  ASSERT_EQ(list.targets.size(), 2U);
  for (const Target& target : list.targets) EXPECT_EQ(target.ask.ToString(), "10.0.0.100:80");
  const std::vector<VirtualService> ways = PrivateServices(list);
  ASSERT_EQ(ways.size(), 2U);
  EXPECT_EQ(ways[0].key, ServiceKey(FwmarkKey{0x44520001, Family::kIpv4}));
  EXPECT_EQ(ways[1].key, ServiceKey(FwmarkKey{0x44520002, Family::kIpv4}));
  EXPECT_EQ(ways[1].destinations, std::vector<Destination>{Server(2)})
      << "drained or full, its way stays open";
  for (const VirtualService& way : ways) EXPECT_TRUE(ValidateService(way).has_value());
}

TEST(Targets, AServerKeepsItsMark) {
  const CheckSettings through{.kind = TcpCheck{}, .through_vip = true};
  const std::vector<ServiceWatch> watches = {{.service = Service(80), .checks = {through}}};
  const TargetList first =
      ListTargets(watches, {With(Service(80), {Server(1), Server(2)})}, {}, {});
  const TargetList second =
      ListTargets(watches, {With(Service(80), {Server(3), Server(2)})}, {}, first.marks);
  const ServerKey stays{Service(80), Server(2).endpoint()};
  EXPECT_EQ(second.marks.at(stays), first.marks.at(stays));
  const ServerKey comes{Service(80), Server(3).endpoint()};
  EXPECT_NE(second.marks.at(comes), first.marks.at({Service(80), Server(1).endpoint()}))
      << "ip_vs remembers connections of the mark that was";
}

}  // namespace
}  // namespace drover
