// Gates, and when a cluster is whole again, from what the nodes say.

#include "orchestrator/drill/gates.h"

#include <gtest/gtest.h>

#include <functional>

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kVip = IpAddress::V4({10, 0, 0, 100});
const SocketKey kService{Transport::kTcp, kVip, 80};

InstanceStatus Instance(const std::string& state, int priority) {
  InstanceStatus instance{.name = "web", .vrid = 51, .state = state};
  instance.base_priority = static_cast<std::uint8_t>(priority);
  instance.in_state_for = seconds(600);
  instance.addresses = {Prefix::Host(kVip)};
  if (state == "backup") instance.last_heard = milliseconds(300);
  return instance;
}

HostStatus Director(const std::string& host, const std::string& state, int priority) {
  NodeStatus status{.host = host, .instances = {Instance(state, priority)}};
  ServiceStatus service{.service = kService, .scheduler = "rr"};
  for (const std::uint8_t last : {11, 12, 13}) {
    service.servers.push_back({.endpoint = {IpAddress::V4({10, 0, 0, last}), 80},
                               .wanted = 1,
                               .weight = 1,
                               .in_table = true});
  }
  status.services = {service};
  status.sync =
      SyncStatus{.connections = 10, .peers = {{.peer = "x", .connections = 10, .held = 1}}};
  return {.host = host, .needs_daemon = true, .status = std::move(status)};
}

GateLook Well() {
  GateLook look;
  look.target = "lb1";
  look.cluster.hosts = {Director("lb1", "master", 150), Director("lb2", "backup", 100)};
  look.router = *FindRouter(look.cluster, kVip);
  look.service = kService;
  look.sync = true;
  for (const char* host : {"lb1", "lb2"}) {
    look.grounds[host] = {.guards = {"kernel", "guardian"}, .clock_us = 1'000'000'000};
    look.clocks[host] = {};
  }
  return look;
}

std::vector<std::string> RedOf(const GateLook& look) {
  std::vector<std::string> red;
  for (const Gate& gate : JudgeGates(look)) {
    if (!gate.green) red.push_back(gate.name + ": " + gate.text);
  }
  return red;
}

TEST(DrillGates, AreGreenForAClusterThatIsWell) {
  EXPECT_EQ(RedOf(Well()), std::vector<std::string>{});
  EXPECT_EQ(Well().router.peer, "lb2");
}

TEST(DrillGates, EachSaysWhatIsWrong) {
  struct Case {
    std::string want;
    std::function<void(GateLook&)> spoil;
  };
  const auto instance = [](GateLook& look, std::size_t host) -> InstanceStatus& {
    return look.cluster.hosts[host].status->instances.front();
  };
  const auto service = [](GateLook& look, std::size_t host) -> ServiceStatus& {
    return look.cluster.hosts[host].status->services.front();
  };
  const std::vector<Case> cases = {
      {"nodes answer: rs1: no route",
       [](GateLook& look) {
         look.silent["rs1"] = {ErrorCode::kUnreachable, "no route"};
       }},
      {"one master: lb1 and lb2 are both master",
       [](GateLook& look) {
         look.router.masters = {"lb1", "lb2"};
       }},
      {"peer healthy: lb2 is in state fault (eth0 is down)",
       [&](GateLook& look) {
         instance(look, 1).state = "fault";
         instance(look, 1).reason = "eth0 is down";
       }},
      {"peer healthy: lb2 hears no adverts",
       [&](GateLook& look) { instance(look, 1).last_heard.reset(); }},
      {"peer healthy: lb2 heard the last advert 2s ago",
       [&](GateLook& look) { instance(look, 1).last_heard = seconds(2); }},
      {"peer healthy: lb2 is under maintenance",
       [](GateLook& look) { look.cluster.hosts[1].status->maintenance = {{.host = "lb2"}}; }},
      {"rules equal: only lb1 has tcp 10.0.0.100:80 rr -> 10.0.0.13:80 dr weight 1",
       [&](GateLook& look) { service(look, 1).servers.pop_back(); }},
      {"sync converged: lb2 holds 50.0 % of the connections of lb1",
       [](GateLook& look) { look.cluster.hosts[1].status->sync->peers.front().held = 0.5; }},
      {"real servers: only 1 of 3 are live",
       [&](GateLook& look) {
         service(look, 0).servers[0].up = false;
         service(look, 0).servers[1].up = false;
       }},
      {"no drift: lb1 mended vip 5 s ago",
       [](GateLook& look) {
         look.cluster.hosts[0].status->events = {
             {.wall_us = 995'000'000, .kind = "drift", .subject = "vip"}};
       }},
      {"settled: lb2 has been backup for 3 s only",
       [&](GateLook& look) { instance(look, 1).in_state_for = seconds(3); }},
      {"clocks agree: the clock of lb2 is 80 ms behind",
       [](GateLook& look) { look.clocks["lb2"].ahead = milliseconds(-80); }},
      {"no no-drill flag: lb2: sale",
       [](GateLook& look) { look.grounds["lb2"].no_drill = "sale"; }},
      {"no no-drill flag: control host: audit", [](GateLook& look) { look.no_drill = "audit"; }},
      {"no blackout: christmas", [](GateLook& look) { look.blackout = "christmas"; }},
      {"nothing left behind: lb2 still holds the journal of drill old",
       [](GateLook& look) { look.grounds["lb2"].leftovers = {"old"}; }},
      {"fault possible: no nftables",
       [](GateLook& look) { look.grounds["lb1"].obstacles = {"no nftables"}; }},
      {"guards: it would be undone by daemon only",
       [](GateLook& look) { look.grounds["lb1"].guards = {"daemon"}; }},
  };
  for (const Case& one : cases) {
    GateLook look = Well();
    one.spoil(look);
    EXPECT_EQ(RedOf(look), std::vector<std::string>{one.want});
  }
}

TEST(DrillGates, ARealServersFaultLeavesOneServing) {
  GateLook look = Well();
  look.fault = Fault::kRealServerStop;
  look.target = "rs1";
  look.grounds["rs1"] = look.grounds["lb1"];
  auto& servers = look.cluster.hosts[0].status->services.front().servers;
  servers.resize(1);
  look.cluster.hosts[1].status->services.front().servers.resize(1);
  EXPECT_EQ(RedOf(look), std::vector<std::string>{"real servers: only 1 of 1 are live"});
}

TEST(DrillRedundancy, NeedsTwoDirectorsTheTableAndTheServersThatThereWere) {
  const WholeCluster whole{.instance = "web",
                           .vip = kVip,
                           .master = "lb1",
                           .directors = 2,
                           .service = kService,
                           .live = 3,
                           .sync = true};
  const GateLook well = Well();
  EXPECT_TRUE(LookForRedundancy(well.cluster, whole).redundant());
  EXPECT_TRUE(IsHome(well.cluster, whole));

  GateLook look = Well();
  look.cluster.hosts[1].status.reset();
  EXPECT_FALSE(LookForRedundancy(look.cluster, whole).directors_healthy);
  look = Well();
  look.cluster.hosts[1].status->sync->peers.front().held = 0.9;
  EXPECT_FALSE(LookForRedundancy(look.cluster, whole).synced);
  look = Well();
  look.cluster.hosts[0].status->services.front().servers.front().in_table = false;
  EXPECT_FALSE(LookForRedundancy(look.cluster, whole).gate_green);
  look = Well();
  look.cluster.hosts = {Director("lb1", "backup", 150), Director("lb2", "master", 100)};
  EXPECT_TRUE(LookForRedundancy(look.cluster, whole).redundant());
  EXPECT_FALSE(IsHome(look.cluster, whole));
  look.cluster.hosts[0].status->instances.front().preempts = true;
  EXPECT_FALSE(LookForRedundancy(look.cluster, whole).redundant());
}

TEST(DrillRouter, AVipThatNobodyHasIsAnError) {
  const auto router = FindRouter(Well().cluster, IpAddress::V4({10, 0, 0, 1}));
  ASSERT_FALSE(router);
  EXPECT_EQ(router.error().message, "no VRRP instance has 10.0.0.1; there are web");
}

}  // namespace
}  // namespace drover
