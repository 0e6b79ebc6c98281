// What is open to hosts that are being drained, and what is left without them.
#include "orchestrator/cluster/drain.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/cluster/two_directors.h"

namespace drover {
namespace {

const IpAddress kFirst = *IpAddress::Parse("10.0.0.21");
const IpAddress kSecond = *IpAddress::Parse("10.0.0.22");
const Maintenance kDrained{"rs1", {kFirst}, "remove", "ann", "ctl", 1769860800};

ServerStatus& ServerOf(ClusterStatus& cluster, std::size_t director, std::size_t server) {
  return cluster.hosts[director].status->services[0].servers[server];
}

TEST(OpenFlows, AreCountedPerDirectorAndOnlyTheOwnersCount) {
  ClusterStatus cluster = TwoDirectors();
  ServerOf(cluster, 0, 0).active = 3;
  ServerOf(cluster, 0, 0).templates = 1;
  ServerOf(cluster, 0, 1).active = 9;
  ServerOf(cluster, 1, 0).active = 2;
  auto flows = FlowsTo(cluster, {kFirst});
  EXPECT_EQ(TextOf(flows), "lb1: 3 established, 1 bound client; lb2 (backup): 2 established");
  EXPECT_FALSE(AreDrained(flows));
  ServerOf(cluster, 0, 0).active = 0;
  ServerOf(cluster, 0, 0).templates = 0;
  flows = FlowsTo(cluster, {kFirst});
  EXPECT_TRUE(AreDrained(flows)) << TextOf(flows);
}

TEST(OpenFlows, OfAnAddressWithoutAnOwnerCountEverywhere) {
  ClusterStatus cluster = TwoDirectors();
  for (HostStatus& host : cluster.hosts) host.status->instances.clear();
  ServerOf(cluster, 1, 0).active = 1;
  EXPECT_FALSE(AreDrained(FlowsTo(cluster, {kFirst})));
}

TEST(OpenFlows, OfUdpAreTheEntriesOfTheTable) {
  ClusterStatus cluster = TwoDirectors();
  std::get<SocketKey>(cluster.hosts[0].status->services[0].service).transport = Transport::kUdp;
  ServerOf(cluster, 0, 0).inactive = 2;
  const auto flows = FlowsTo(cluster, {kFirst});
  EXPECT_EQ(TextOf(flows.at(0)), "lb1: 2 UDP flows");
  EXPECT_FALSE(AreDrained(flows));
}

TEST(OpenFlows, OfConnectionsThatAreClosingDoNotCount) {
  ClusterStatus cluster = TwoDirectors();
  ServerOf(cluster, 0, 0).inactive = 7;
  EXPECT_TRUE(AreDrained(FlowsTo(cluster, {kFirst})));
}

TEST(LeftWithout, TheLastLiveRealServerIsMissed) {
  ClusterStatus cluster = TwoDirectors();
  EXPECT_TRUE(LeftWithout(cluster, {kFirst}, {}).empty());
  EXPECT_EQ(LeftWithout(cluster, {kFirst, kSecond}, {}).size(), 2U);  // a sentence per director
  EXPECT_TRUE(LeftWithout(cluster, {*IpAddress::Parse("10.0.0.99")}, {}).empty());
  ServerOf(cluster, 0, 1).up = false;
  EXPECT_EQ(LeftWithout(cluster, {kFirst}, {}),
            (std::vector<std::string>{
                "service tcp 10.0.0.100:80 on lb1 would have no live real server"}));
  ServerOf(cluster, 0, 1).up = true;
  ServerOf(cluster, 1, 1).drained = kDrained;
  EXPECT_EQ(LeftWithout(cluster, {kFirst}, {}).size(), 1U);
}

TEST(LeftWithout, TheQuorumIsMissed) {
  const ClusterStatus cluster = TwoDirectors();
  const ServiceKey key = WebService().service;
  EXPECT_TRUE(LeftWithout(cluster, {kFirst}, {{key, 1}}).empty());
  EXPECT_EQ(LeftWithout(cluster, {kFirst}, {{key, 2}}).at(0),
            "service tcp 10.0.0.100:80 on lb1 would have a live weight of 1, its quorum is 2");
}

std::map<std::string, std::vector<VirtualService>> Wanted() {
  VirtualService service;
  service.key = WebService().service;
  service.destinations = {Destination{kFirst, 80}, Destination{kSecond, 80}};
  return {{"lb1", {service}}, {"lb2", {service}}};
}

TEST(Readiness, NeedsEveryDirectorsTableAndVerdict) {
  ClusterStatus cluster = TwoDirectors();
  EXPECT_TRUE(ReadinessOf(cluster, {kFirst}, Wanted()).ready());
  ServerOf(cluster, 1, 0).in_table = false;
  EXPECT_EQ(ReadinessOf(cluster, {kFirst}, Wanted()).open,
            (std::vector<std::string>{
                "lb2: 10.0.0.21:80 of service tcp 10.0.0.100:80: not in the table"}));
  ServerOf(cluster, 1, 0).in_table = true;
  ServerOf(cluster, 1, 0).checks[0] = CheckStatus{"http", false, true, "status 500", {}};
  ServerOf(cluster, 0, 0).checks[0].decided = false;
  EXPECT_EQ(ReadinessOf(cluster, {kFirst}, Wanted()).open,
            (std::vector<std::string>{
                "lb1: 10.0.0.21:80 of service tcp 10.0.0.100:80: http: no verdict yet",
                "lb2: 10.0.0.21:80 of service tcp 10.0.0.100:80: http: status 500"}));
  EXPECT_TRUE(ReadinessOf(cluster, {kSecond}, Wanted()).ready());
  cluster.hosts[1] = SilentHost("lb2", ErrorCode::kUnreachable, "connection refused");
  EXPECT_FALSE(ReadinessOf(cluster, {kSecond}, Wanted()).ready());
}

TEST(Readiness, NamesThoseThatNobodyAsks) {
  ClusterStatus cluster = TwoDirectors();
  for (std::size_t director : {0, 1}) ServerOf(cluster, director, 0).checks.clear();
  const Readiness readiness = ReadinessOf(cluster, {kFirst, kSecond}, Wanted());
  EXPECT_TRUE(readiness.ready());
  EXPECT_EQ(readiness.unchecked, std::vector<Endpoint>{*Endpoint::Parse("10.0.0.21:80")});
}

TEST(Readiness, ServingMeansAWeightOnEveryDirector) {
  ClusterStatus cluster = TwoDirectors();
  EXPECT_TRUE(AreServing(cluster, {kFirst}, Wanted()));
  ServerOf(cluster, 1, 0).weight = 0;
  EXPECT_FALSE(AreServing(cluster, {kFirst}, Wanted()));
  ServerOf(cluster, 1, 0).weight = 1;
  ServerOf(cluster, 1, 0).drained = kDrained;
  EXPECT_FALSE(AreServing(cluster, {kFirst}, Wanted()));
}

TEST(MaintenanceOfCluster, NamesTheDirectorsThatKnowOfIt) {
  ClusterStatus cluster = TwoDirectors();
  for (HostStatus& host : cluster.hosts) host.status->maintenance = {kDrained};
  const auto all = MaintenanceOf(cluster);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].directors, (std::vector<std::string>{"lb1", "lb2"}));
  EXPECT_EQ(TextOf(all[0].maintenance), "rs1 by ann@ctl since 2026-01-31 12:00:00 UTC (remove)");
}

TEST(MaintenanceOfCluster, ADirectorThatDoesNotKnowIsAProblem) {
  ClusterStatus cluster = TwoDirectors();
  cluster.hosts[0].status->maintenance = {kDrained};
  ServerOf(cluster, 0, 0).drained = kDrained;
  const auto concerns = ConcernsOf(cluster);
  ASSERT_EQ(concerns.size(), 2U);
  EXPECT_EQ(concerns[0].weight, Concern::Weight::kDown);
  EXPECT_EQ(concerns[0].host, "lb2");
  EXPECT_EQ(concerns[1].text,
            "maintenance of rs1 by ann@ctl since 2026-01-31 12:00:00 UTC (remove)");
}

}  // namespace
}  // namespace drover
