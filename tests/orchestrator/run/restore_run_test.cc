#include "orchestrator/run/restore_run.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/rollout/run_builder.h"

namespace drover {
namespace {

const GroupGeneration kThird{.number = 3, .run = {.playbook_hash = "third"}};

CompiledRun Cluster() {
  CompiledRun run = RunBuilder().Play("all", {"rs1", "lb1", "lb2"}).Task("one").Build();
  run.states["rs1"].addresses.emplace_back();
  run.states["lb1"].vrrp_instances.emplace_back();
  run.states["lb2"].vrrp_instances.emplace_back();
  return run;
}

std::vector<std::vector<std::string>> Steps(const CompiledRun& run) {
  std::vector<std::vector<std::string>> steps;
  for (const CompiledPlay& play : run.plays) steps.push_back(play.hosts);
  return steps;
}

TEST(RestoreRun, RealServersComeBeforeBackupsAndTheMasterIsLast) {
  const CompiledRun run = RestoreRun(Cluster(), kThird, {"lb1", "lb2", "rs1"}, {"lb1"},
                                     /*check=*/false, /*diff=*/false);
  EXPECT_EQ(Steps(run), (std::vector<std::vector<std::string>>{{"rs1"}, {"lb2"}, {"lb1"}}));
  const Task& task = std::get<Task>(run.plays[0].tasks[0].hosts.at("rs1")[0].action);
  EXPECT_EQ(std::get<RestoreTask>(task.action).generation, 3U);
  EXPECT_FALSE(task.check);
  EXPECT_EQ(run.owner, "site");
  EXPECT_EQ(run.playbook_hash, "third");
}

TEST(RestoreRun, LeavesOutStepsWithoutHostsAndHostsThatWereNotAsked) {
  const CompiledRun run =
      RestoreRun(Cluster(), kThird, {"lb1"}, {}, /*check=*/true, /*diff=*/false);
  EXPECT_EQ(Steps(run), (std::vector<std::vector<std::string>>{{"lb1"}}));
  EXPECT_TRUE(std::get<Task>(run.plays[0].tasks[0].hosts.at("lb1")[0].action).check);
}

}  // namespace
}  // namespace drover
