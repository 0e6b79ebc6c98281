#include "orchestrator/report/plan_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "orchestrator/report/generations_text.h"

namespace drover {
namespace {

HostPlans Example() {
  HostPlans plans;
  plans["lb1"].digest = "d";
  plans["lb1"].changes = {
      {"Balance", {"add", "service tcp 10.0.0.9:80", "", "rr", "missing"}, {}},
      {"Balance",
       {"change", "destination 10.0.0.21:80", "dr weight 3", "dr weight 1", "weight is 3"},
       {}},
      {"Removal",
       {"remove", "address 10.0.0.8/32 on lo", "10.0.0.8/32", "", "left the playbook"},
       {}}};
  plans["rs1"] = {};
  return plans;
}

TEST(PlanText, GroupsByHostAndTaskAndSumsUp) {
  EXPECT_EQ(PlanText(Example(), /*colours=*/false),
            "\nlb1\n"
            "  Balance\n"
            "    + service tcp 10.0.0.9:80: rr  (missing)\n"
            "    ~ destination 10.0.0.21:80: dr weight 3 -> dr weight 1  (weight is 3)\n"
            "  Removal\n"
            "    - address 10.0.0.8/32 on lo: 10.0.0.8/32  (left the playbook)\n"
            "\nPlan: 1 to add, 1 to change, 1 to remove on 1 of 2 hosts.\n");
}

TEST(PlanText, SaysThatNothingIsToBeDone) {
  HostPlans plans;
  plans["a"] = plans["b"] = {};
  EXPECT_EQ(PlanText(plans, false), "\nNo changes: 2 hosts as the playbook wants them.\n");
}

TEST(PlanText, SaysWhatItCannotKnow) {
  HostPlans plans;
  plans["a"].unknown = {"restart"};
  plans["b"].problem = "no route to host";
  plans["b"].unreachable = true;
  const std::string text = PlanText(plans, false);
  EXPECT_NE(text.find("  restart\n    ? a command, not run by a plan\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  unreachable: no route to host\n"), std::string::npos) << text;
  EXPECT_NE(text.find("The plan is not whole"), std::string::npos) << text;
}

TEST(PlanText, TamesWhatANodeSends) {
  HostPlans plans;
  plans["a"].changes = {{"task", {"add", "x\033[2J", "", "", ""}, {}}};
  EXPECT_EQ(PlanText(plans, false).find('\033'), std::string::npos);
}

TEST(PlanJson, HasEveryChangeWithItsReason) {
  const auto json = nlohmann::json::parse(PlanJson("site.yml", Example()));
  EXPECT_EQ(json["summary"]["add"], 1);
  EXPECT_EQ(json["hosts"]["lb1"]["changes"][1]["reason"], "weight is 3");
  EXPECT_EQ(json["hosts"]["rs1"]["changes"].size(), 0U);
  EXPECT_TRUE(json["whole"]);
}

GenerationInfo Generation(std::uint64_t number, bool current) {
  return {.number = number,
          .saved_at = 1769860800,
          .run = {.run_id = "r",
                  .playbook_hash = "0123456789abcdef",
                  .user = "ann",
                  .control_host = "ctl",
                  .command = "rollout"},
          .current = current};
}

TEST(GenerationsText, IsOneLinePerGenerationTheNewestFirst) {
  HostGenerations hosts;
  hosts["lb1"].generations = {Generation(2, true), Generation(1, false)};
  hosts["lb2"].generations = {Generation(1, true)};
  EXPECT_EQ(GenerationsText(hosts, 0, false),
            "NUMBER  WHEN (UTC)           WHO      COMMAND  PLAYBOOK  CURRENT ON  KEPT ON\n"
            "2       2026-01-31 12:00:00  ann@ctl  rollout  01234567  lb1         lb1\n"
            "1       2026-01-31 12:00:00  ann@ctl  rollout  01234567  lb2         lb1 lb2\n");
}

TEST(GenerationsText, LocksAreToldWithWhoHoldsThemAndTheirId) {
  const LockHolder holder{.run = Generation(1, true).run,
                          .since = 1769860800,
                          .expires_in = std::chrono::seconds(20),
                          .armed = true};
  EXPECT_EQ(LocksText({{"lb1", holder}, {"lb2", holder}}),
            "lb1 lb2: locked by " + HolderText(holder) + "\n  id r\n");
  EXPECT_EQ(HolderText(holder),
            "ann from ctl (\"rollout\", process 0) since 2026-01-31 12:00:00 UTC, for 20s more; "
            "what it changed is undone unless it is confirmed by then");
}

}  // namespace
}  // namespace drover
