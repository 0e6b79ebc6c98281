#include "orchestrator/cluster/handover_plan.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/cluster/two_directors.h"

namespace drover {
namespace {

std::string WhyNot(const ClusterStatus& cluster, const std::string& instance = "") {
  const auto steps = PlanYield(cluster, instance);
  return steps ? "no reason" : steps.error().message;
}

TEST(HandoverPlan, TheMasterYieldsToTheBackup) {
  const auto steps = PlanYield(TwoDirectors(), "");
  ASSERT_TRUE(steps) << steps.error().message;
  EXPECT_EQ(*steps, (std::vector{HandoverStep{.router = "web",
                                              .host = "lb1",
                                              .instance = "web",
                                              .owner = "lb1",
                                              .addresses = {"10.0.0.100"},
                                              .heirs = {"lb2"}}}));
}

TEST(HandoverPlan, IsRefusedWithTheReason) {
  const std::string start = "vrrp_instance web: ";
  EXPECT_EQ(WhyNot(TwoDirectors("master", "master")),
            start + "lb1 and lb2 are both master; find out why first");
  EXPECT_EQ(WhyNot(TwoDirectors("backup", "backup")), start + "there is no master now");
  ClusterStatus fault = TwoDirectors("master", "fault");
  fault.hosts[1].status->instances[0].reason = "link is down";
  EXPECT_EQ(WhyNot(fault), start +
                               "there is no backup that could take over from lb1: lb2 is in state "
                               "fault (link is down)");
  ClusterStatus deaf = TwoDirectors();
  deaf.hosts[1].status->instances[0].last_heard = std::chrono::milliseconds(5000);
  EXPECT_EQ(WhyNot(deaf), start +
                              "there is no backup that could take over from lb1: lb2 does not "
                              "hear the master");
  ClusterStatus alone{
      {Director("lb1", "master"), SilentHost("lb2", ErrorCode::kUnreachable, "no route to host")}};
  EXPECT_EQ(WhyNot(alone), start +
                               "there is no backup that could take over from lb1: lb2 gave no "
                               "answer (no route to host)");
}

TEST(HandoverPlan, AnUnknownInstanceIsSaidWithThoseThatRun) {
  EXPECT_EQ(WhyNot(TwoDirectors(), "mail"), "no VRRP instance \"mail\" runs on these hosts (web)");
  EXPECT_EQ(WhyNot(ClusterStatus{}), "no host of this playbook runs a VRRP instance");
  EXPECT_EQ(WhyNot(TwoDirectors(), "web"), "no reason");
}

TEST(HandoverPlan, HostsThatCannotBeAskedAreNamedWithTheirReasons) {
  const HostStatus silent = SilentHost("lb1", ErrorCode::kTimeout, "no answer");
  const HostStatus gone = SilentHost("lb2", ErrorCode::kUnreachable, "no route to host");
  const HostStatus stopped = SilentHost("lb2", ErrorCode::kNotFound, "the daemon does not run");
  EXPECT_EQ(
      WhyNot(ClusterStatus{{silent, gone}}),
      "none of the hosts can be asked: lb1 gave no answer (no answer); lb2 gave no answer (no "
      "route to host)");
  EXPECT_EQ(
      WhyNot(ClusterStatus{{silent, stopped}}),
      "no VRRP instance was found on the hosts that answered: lb1 gave no answer (no answer); "
      "lb2: the daemon does not run");
  EXPECT_EQ(WhyNot(ClusterStatus{{Director("lb1", "backup"), gone}}),
            "vrrp_instance web: there is no master now: lb2 gave no answer (no route to host)");
  EXPECT_EQ(WhyNot(ClusterStatus{{Director("lb1", "master"), gone}}, "mail"),
            "no VRRP instance \"mail\" runs on these hosts (web): lb2 gave no answer (no route to "
            "host)");
}

TEST(HandoverPlan, OnlyWhoHandedOverCanTakeBack) {
  ClusterStatus cluster = TwoDirectors("backup", "master");
  EXPECT_FALSE(PlanReturn(cluster, ""));
  cluster.hosts[0].status->instances[0].yielded = true;
  const auto steps = PlanReturn(cluster, "");
  ASSERT_TRUE(steps);
  ASSERT_EQ(steps->size(), 1U);
  EXPECT_EQ(steps->front().host, "lb1");
  EXPECT_EQ(steps->front().owner, "lb2");
}

TEST(HandoverPlan, WaitsUntilTheHeirHoldsTheMastersConnections) {
  ClusterStatus cluster = TwoDirectors();
  const auto steps = PlanYield(cluster, "");
  ASSERT_TRUE(steps);
  EXPECT_EQ(MissingSync(cluster, *steps), "");  // nothing is synchronised
  cluster.hosts[0].status->sync = SyncStatus{{"master", "backup"}, 1000, {}};
  cluster.hosts[1].status->sync = SyncStatus{{"master", "backup"}, 900, {}};
  EXPECT_EQ(MissingSync(cluster, *steps),
            "lb2 has not compared its connections with the master's yet");
  cluster.hosts[1].status->sync->peers = {{"10.0.0.11", 1000, 0.9, {}}};
  EXPECT_EQ(MissingSync(cluster, *steps), "lb2 holds 90.0 % of the connections of 10.0.0.11");
  cluster.hosts[1].status->sync->peers[0].held = 0.995;
  EXPECT_EQ(MissingSync(cluster, *steps), "");
}

TEST(HandoverPlan, OwnersAreThoseOfTheStepsRouter) {
  const auto steps = PlanYield(TwoDirectors(), "");
  ASSERT_TRUE(steps);
  EXPECT_EQ(OwnersOf(TwoDirectors("backup", "master"), steps->front()),
            std::vector<std::string>{"lb2"});
}

}  // namespace
}  // namespace drover
