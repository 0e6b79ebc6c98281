#include "orchestrator/cluster/cluster_status.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/cluster/two_directors.h"

namespace drover {
namespace {

// "down lb1: text" of every concern, one per line.
std::string Concerns(const ClusterStatus& cluster) {
  std::string all;
  for (const Concern& concern : ConcernsOf(cluster)) {
    const char* weight = concern.weight == Concern::Weight::kNote   ? "note"
                         : concern.weight == Concern::Weight::kDown ? "down"
                                                                    : "unreachable";
    all += std::string(weight) + " " + concern.host + ": " + concern.text + "\n";
  }
  return all;
}

TEST(ClusterStatus, AHealthyClusterGivesNoConcern) {
  const ClusterStatus cluster = TwoDirectors();
  EXPECT_EQ(Concerns(cluster), "");
  EXPECT_FALSE(OwnersAreOdd(cluster));
  const auto routers = RoutersOf(cluster);
  ASSERT_EQ(routers.size(), 1U);
  EXPECT_EQ(routers[0].masters(), std::vector<std::string>{"lb1"});
}

TEST(ClusterStatus, TwoMastersAndNoMasterAreSaid) {
  EXPECT_EQ(Concerns(TwoDirectors("master", "master")),
            "down : vrrp_instance web (10.0.0.100) has 2 masters: lb1 and lb2\n");
  EXPECT_TRUE(OwnersAreOdd(TwoDirectors("master", "master")));
  EXPECT_EQ(Concerns(TwoDirectors("backup", "backup")),
            "down : vrrp_instance web (10.0.0.100) has no master\n");
}

TEST(ClusterStatus, AMasterWithoutABackupIsSaid) {
  ClusterStatus cluster = TwoDirectors("master", "fault");
  cluster.hosts[1].status->instances[0].reason = "tracker uplink is down";
  EXPECT_EQ(Concerns(cluster),
            "down lb2: vrrp_instance web in fault: tracker uplink is down\n"
            "down : vrrp_instance web (10.0.0.100) has no backup\n");
}

TEST(ClusterStatus, HostsThatGiveNoAnswer) {
  ClusterStatus cluster = TwoDirectors();
  cluster.hosts.push_back(SilentHost("lb3", ErrorCode::kUnreachable, "no route to host"));
  cluster.hosts.push_back(SilentHost("lb4", ErrorCode::kNotFound, "no daemon"));
  cluster.hosts.push_back(SilentHost("rs1", ErrorCode::kNotFound, "no daemon", false));
  EXPECT_EQ(Concerns(cluster),
            "unreachable lb3: no route to host\n"
            "down lb4: no daemon\n"
            "note rs1: no daemon\n");
}

TEST(ClusterStatus, ARealServerThatIsDownIsSaidWithItsReason) {
  ClusterStatus cluster = TwoDirectors();
  ServerStatus& server = cluster.hosts[0].status->services[0].servers[1];
  server.up = false;
  server.checks = {CheckStatus{"http", false, true, "status 500", {}}};
  EXPECT_EQ(Concerns(cluster),
            "down lb1: tcp 10.0.0.100:80: real server 10.0.0.22:80 is down: http: status 500\n");
}

TEST(ClusterStatus, WhatBothDirectorsSayIsOneProblem) {
  ClusterStatus cluster = TwoDirectors();
  for (HostStatus& host : cluster.hosts) {
    ServerStatus& server = host.status->services[0].servers[1];
    server.up = false;
    server.checks = {CheckStatus{"http", false, true, "status 500", {}}};
  }
  EXPECT_EQ(Concerns(cluster),
            "down lb1, lb2: tcp 10.0.0.100:80: real server 10.0.0.22:80 is down: http: status "
            "500\n");
}

TEST(ClusterStatus, ALostQuorumAndTheSorryServerAreSaid) {
  ClusterStatus cluster = TwoDirectors();
  ServiceStatus& service = cluster.hosts[0].status->services[0];
  service.has_quorum = false;
  service.sorry = true;
  EXPECT_EQ(Concerns(cluster),
            "down lb1: tcp 10.0.0.100:80 has no quorum of live real servers; the sorry server "
            "stands in\n");
}

TEST(ClusterStatus, ATrackerThatIsDownIsSaidUnlessItsEffectIs) {
  ClusterStatus cluster = TwoDirectors();
  NodeStatus& backup = *cluster.hosts[1].status;
  backup.trackers = {{"haproxy", true, true, ""},
                     {"serves", false, true, "exit 1"},
                     {"young", false, false, "no verdict yet"}};
  EXPECT_EQ(Concerns(cluster), "down lb2: tracker serves is down: exit 1\n");
  backup.instances[0].state = "fault";
  backup.instances[0].reason = "tracker serves is down";
  EXPECT_EQ(Concerns(cluster),
            "down lb2: vrrp_instance web in fault: tracker serves is down\n"
            "down : vrrp_instance web (10.0.0.100) has no backup\n");
}

TEST(ClusterStatus, NotesAreWhatIsNotBroken) {
  ClusterStatus cluster = TwoDirectors();
  InstanceStatus& backup = cluster.hosts[1].status->instances[0];
  backup.yielded = true;
  backup.two_phase = true;
  cluster.hosts[1].status->sync =
      SyncStatus{{"master", "backup"}, 40, {{"10.0.0.11", 50, 0.8, {}}}};
  EXPECT_EQ(Concerns(cluster),
            "note lb2: vrrp_instance web was handed over (drover handover --back lets it return)\n"
            "note lb2: vrrp_instance web still speaks its old form: another host has not taken "
            "the new settings\n"
            "note lb2: holds 80.0 % of the connections of 10.0.0.11\n");
}

TEST(ClusterStatus, OneIdOnTwoNetworksIsTwoRouters) {
  ClusterStatus cluster = TwoDirectors("master", "master");
  InstanceStatus& other = cluster.hosts[1].status->instances[0];
  other.name = "mail";
  other.addresses = {*Prefix::Parse("10.9.0.100/32")};
  EXPECT_EQ(RoutersOf(cluster).size(), 2U);
  EXPECT_EQ(Concerns(cluster), "");
}

TEST(ClusterStatus, TheOwnersViewOfAServiceComesFirst) {
  const ClusterStatus cluster = TwoDirectors("backup", "master");
  const auto services = ServicesOf(cluster);
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services[0].views[0].host, "lb2");
  EXPECT_EQ(services[0].views[1].host, "lb1");
}

}  // namespace
}  // namespace drover
