#include "orchestrator/rollout/batches.h"

#include <gtest/gtest.h>

#include "orchestrator/rollout/health.h"

namespace drover {
namespace {

using Hosts = std::vector<std::string>;

Hosts Numbered(int count) {
  Hosts hosts;
  for (int i = 0; i < count; ++i) hosts.push_back("h" + std::to_string(i));
  return hosts;
}

std::vector<std::size_t> Sizes(const PlayPolicy& policy, int hosts) {
  std::vector<std::size_t> sizes;
  for (const Hosts& batch : BatchesOf(policy, Numbered(hosts))) sizes.push_back(batch.size());
  return sizes;
}

// What ansible-playbook 2.14 does.
TEST(Batches, AreCutAsAnsibleCutsThem) {
  using S = std::vector<std::size_t>;
  const struct {
    std::vector<BatchSize> serial;
    int hosts;
    S want;
  } kCases[] = {
      {{}, 3, {3}},
      {{{2, false}}, 5, {2, 2, 1}},
      {{{33, true}}, 10, {3, 3, 3, 1}},
      {{{5, true}}, 10, S(10, 1)},
      {{{100, true}}, 4, {4}},
      {{{1, false}, {2, false}}, 6, {1, 2, 2, 1}},
      {{{1, false}, {50, true}}, 4, {1, 2, 1}},
      {{{0, false}}, 4, {4}},
      {{{1, false}, {0, false}}, 4, {1, 3}},
      {{{9, false}}, 2, {2}},
  };
  for (const auto& [serial, hosts, want] : kCases) {
    PlayPolicy policy;
    policy.serial = serial;
    EXPECT_EQ(Sizes(policy, hosts), want);
  }
}

TEST(Batches, OfAnUpdateBeginWithTheCanary) {
  PlayPolicy policy;
  policy.update = UpdatePolicy{.max_parallel = {2, false}, .canary = 1};
  EXPECT_EQ(Sizes(policy, 6), (std::vector<std::size_t>{1, 2, 2, 1}));
  policy.update->canary = 0;
  EXPECT_EQ(Sizes(policy, 3), (std::vector<std::size_t>{2, 1}));
}

TEST(Waves, GoFromRealServersOverBackupsToOneMasterAtATime) {
  CompiledRun run;
  run.states["rs1"];
  for (const char* host : {"lb1", "lb2", "lb3", "lb4"}) {
    run.states[host].services.emplace_back();
  }
  const auto roles = RolesOf(run, {{"lb1", {"web"}}, {"lb2", {}}, {"lb4", {"mail"}}});
  EXPECT_EQ(WavesOf({"lb1", "rs1", "lb2", "rs2", "lb3", "lb4"}, roles),
            (std::vector<Hosts>{{"rs1", "rs2"}, {"lb2", "lb3"}, {"lb1"}, {"lb4"}}));
  EXPECT_EQ(InOrderOfRoles({"lb1", "rs1", "lb2"}, roles), (Hosts{"rs1", "lb2", "lb1"}));
  EXPECT_TRUE(WavesOf({}, roles).empty());
}

NodeStatus Director(bool up, bool decided) {
  ServerStatus server;
  server.endpoint = {IpAddress::V4({10, 0, 0, 1}), 80};
  server.wanted = 1;
  server.up = up;
  server.checks.push_back({.kind = "http", .up = up, .decided = decided, .reason = "HTTP 500"});
  ServiceStatus service;
  service.service = SocketKey{Transport::kTcp, IpAddress::V4({10, 0, 0, 100}), 80};
  service.servers.push_back(server);
  NodeStatus status;
  status.services.push_back(service);
  return status;
}

TEST(Health, IsWhatTheDirectorsSayOfTheBatchAlone) {
  const std::map<IpAddress, std::string> names = {{IpAddress::V4({10, 0, 0, 1}), "rs1"}};
  EXPECT_TRUE(NotHealthy({"rs1"}, {{"lb1", Director(true, true)}}, names).empty());
  EXPECT_EQ(NotHealthy({"rs1"}, {{"lb1", Director(false, true)}}, names),
            (Hosts{"rs1 for tcp 10.0.0.100:80, as lb1 sees it: the http check fails (HTTP 500)"}));
  EXPECT_EQ(NotHealthy({"rs1"}, {{"lb1", Director(true, false)}}, names).size(), 1U);
  EXPECT_TRUE(NotHealthy({"rs2"}, {{"lb1", Director(false, true)}}, names).empty());
  NodeStatus drained = Director(false, true);
  drained.services[0].servers[0].wanted = 0;
  EXPECT_TRUE(NotHealthy({"rs1"}, {{"lb1", drained}}, names).empty());
}

TEST(Health, ADirectorOfTheBatchIsMasterOrBackup) {
  NodeStatus status;
  InstanceStatus instance;
  instance.name = "web";
  instance.state = "fault";
  instance.reason = "eth0 is down";
  status.instances.push_back(instance);
  EXPECT_EQ(NotHealthy({"lb1"}, {{"lb1", status}}, {}),
            (Hosts{"lb1: vrrp_instance web is in state fault (eth0 is down)"}));
  status.instances[0].state = "backup";
  EXPECT_TRUE(NotHealthy({"lb1"}, {{"lb1", status}}, {}).empty());
}

InstanceStatus Web(const std::string& state) {
  InstanceStatus instance;
  instance.name = "web";
  instance.state = state;
  return instance;
}

TEST(Settled, IsOneMasterWithNoTakeoverAheadAndEveryCheckWithAVerdict) {
  VirtualRouter router;
  router.members = {{"lb1", "web"}, {"lb2", "web"}};
  InstanceStatus preempting = Web("backup");
  preempting.preempts = true;
  InstanceStatus waiting = Web("backup");
  waiting.awaits_sync = true;
  struct Case {
    InstanceStatus first, second;
    const char* reason;  // empty: settled
  };
  for (const Case& c : {
           Case{Web("master"), Web("backup"), ""},
           Case{Web("fault"), Web("master"), ""},
           Case{Web("fault"), Web("fault"), ""},
           Case{Web("backup"), Web("backup"), "nobody is master of vrrp_instance web"},
           Case{Web("master"), Web("master"), "lb1 and lb2 are both master of vrrp_instance web"},
           Case{preempting, Web("master"), "lb1 is about to become master of vrrp_instance web"},
           Case{waiting, Web("master"),
                "lb1 waits for connections before it is master of "
                "vrrp_instance web"},
           Case{Web("master"), Web("initialize"),
                "lb2 has not begun with its part of "
                "vrrp_instance web"},
       }) {
    std::map<std::string, NodeStatus> statuses;
    statuses["lb1"].instances.push_back(c.first);
    statuses["lb2"].instances.push_back(c.second);
    const Hosts reasons = NotSettled(statuses, {router});
    EXPECT_EQ(reasons.empty() ? "" : reasons.front(), c.reason);
  }
  EXPECT_TRUE(NotSettled({{"lb1", Director(false, true)}}, {}).empty()) << "down is a verdict";
  EXPECT_EQ(
      NotSettled({{"lb1", Director(true, false)}}, {}),
      (Hosts{"the http check of 10.0.0.1:80 for tcp 10.0.0.100:80 on lb1 has no verdict yet"}));
}

}  // namespace
}  // namespace drover
