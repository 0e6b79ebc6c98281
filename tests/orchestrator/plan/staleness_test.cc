#include "orchestrator/plan/staleness.h"

#include <gtest/gtest.h>

#include <functional>

namespace drover {
namespace {

PlanInputs Inputs() {
  return {.playbook_files = {{"site.yml", "1"}, {"templates/a.j2", "2"}},
          .inventory_files = {{"hosts.yml", "3"}, {"group_vars/all.yml", "4"}},
          .variables = "5",
          .work = {{"lb1", "6"}, {"rs1", "7"}}};
}

TEST(Staleness, NothingMovedWhenNothingMoved) {
  EXPECT_TRUE(MovedInputs(Inputs(), Inputs()).empty());
}

TEST(Staleness, NamesWhatMoved) {
  struct Case {
    const char* name;
    std::function<void(PlanInputs&)> move;
    std::string want;
  };
  const std::vector<Case> cases = {
      {"playbook", [](PlanInputs& now) { now.playbook_files["site.yml"] = "x"; },
       "playbook file site.yml has changed"},
      {"template gone", [](PlanInputs& now) { now.playbook_files.erase("templates/a.j2"); },
       "playbook file templates/a.j2 is no longer read"},
      {"inventory", [](PlanInputs& now) { now.inventory_files["hosts.yml"] = "x"; },
       "inventory file hosts.yml has changed"},
      {"new variables", [](PlanInputs& now) { now.inventory_files["host_vars/lb1.yml"] = "x"; },
       "inventory file host_vars/lb1.yml is new"},
      {"-e", [](PlanInputs& now) { now.variables = "x"; }, "the variables of -e have changed"},
      {"DNS", [](PlanInputs& now) { now.work["rs1"] = "x"; }, "rs1 would get other tasks"},
      {"host gone", [](PlanInputs& now) { now.work.erase("rs1"); }, "rs1 is no longer a host"},
      {"new host", [](PlanInputs& now) { now.work["rs2"] = "x"; }, "rs2 is a new host"},
  };
  for (const Case& c : cases) {
    PlanInputs now = Inputs();
    c.move(now);
    const auto moved = MovedInputs(Inputs(), now);
    ASSERT_EQ(moved.size(), 1U) << c.name;
    EXPECT_EQ(moved[0].rfind(c.want, 0), 0U) << c.name << ": " << moved[0];
  }
}

TEST(Staleness, AChangedFileExplainsTheOtherTasks) {
  PlanInputs now = Inputs();
  now.playbook_files["site.yml"] = "x";
  now.work = {{"lb1", "x"}, {"rs1", "x"}};
  EXPECT_EQ(MovedInputs(Inputs(), now).size(), 1U);
}

PlannedChange Change(const std::string& resource) {
  return {"task", {"add", resource, "", "x", "missing"}, {}};
}

TEST(Staleness, NodeIsToldByWhatWouldBeDoneOnItNow) {
  const HostPlan then{.digest = "1", .changes = {Change("address a"), Change("address b")}};
  const HostPlan now{.digest = "2", .changes = {Change("address b"), Change("address c")}};
  EXPECT_EQ(
      MovedNode("lb1", then, now),
      (std::vector<std::string>{"lb1: planned, but not needed any more: add address a (missing)",
                                "lb1: not in the plan, but needed now: add address c (missing)"}));
}

TEST(Staleness, NodeWithTheSameChangesIsStillNamed) {
  const HostPlan then{.digest = "1", .changes = {Change("address a")}};
  const auto moved = MovedNode("lb1", then, {.digest = "2", .changes = then.changes});
  ASSERT_EQ(moved.size(), 1U);
  EXPECT_EQ(moved[0].rfind("lb1: its state or its record is another", 0), 0U);
}

TEST(Staleness, NodeThatCannotBeReachedSaysSo) {
  EXPECT_EQ(MovedNode("lb1", {.digest = "1"}, {.problem = "no route to host", .unreachable = true}),
            std::vector<std::string>{"lb1: no route to host"});
}

}  // namespace
}  // namespace drover
