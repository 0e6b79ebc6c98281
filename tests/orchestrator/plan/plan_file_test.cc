#include "orchestrator/plan/plan_file.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

PlanFile Example() {
  PlanFile file;
  file.version = "0.4.0";
  file.created = "2026-01-31T12:00:00Z";
  file.user = "alice";
  file.control_host = "ctl";
  file.directory = "/srv/cluster";
  file.request = {.playbook = "site.yml",
                  .inventories = {"hosts.yml", "a,b,"},
                  .limit = "directors",
                  .tags = {"web"},
                  .skip_tags = {"slow"},
                  .extra_vars = {"vip=10.0.0.9"},
                  .remote_user = "ops",
                  .private_key_file = "id",
                  .become = true};
  file.inputs = {.playbook_files = {{"site.yml", "aa"}},
                 .inventory_files = {{"hosts.yml", "bb"}, {"group_vars/all.yml", "cc"}},
                 .variables = "dd",
                 .work = {{"lb1", "ee"}}};
  HostPlan plan;
  plan.digest = "ff";
  plan.changes.push_back({"VIP", {"add", "address 10.0.0.9/32 on lo", "", "x", "missing"}, {}});
  plan.unknown = {"restart \"it\""};
  file.hosts["lb1"] = plan;
  file.hosts["lb2"] = {.digest = "00"};
  return file;
}

TEST(PlanFile, ComesBackAsItWasWritten) {
  const auto read = DecodePlanFile(EncodePlanFile(Example()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, Example());
}

TEST(PlanFile, HasNoContentsOfFiles) {
  PlanFile file = Example();
  file.hosts["lb1"].changes[0].diff = FileDiff{.path = "/etc/x", .after = "password"};
  EXPECT_EQ(EncodePlanFile(file).find("password"), std::string::npos);
}

TEST(PlanFile, WhatWasCutOffAnywhereIsRefused) {
  const std::string text = EncodePlanFile(Example());
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    EXPECT_FALSE(DecodePlanFile(text.substr(0, size))) << size;
  }
}

TEST(PlanFile, StrangersAreRefusedInWords) {
  struct Case {
    const char* name;
    std::string text;
    const char* want;
  };
  std::string newer = EncodePlanFile(Example());
  newer.replace(newer.find("\"drover_plan\": 1"), 16, "\"drover_plan\": 9");
  std::string odd = EncodePlanFile(Example());
  odd.replace(odd.find("\"limit\": \"directors\""), 20, "\"limit\": 17");
  for (const Case& c : std::vector<Case>{
           {"no JSON", "- hosts: all\n", "no plan of drover"},
           {"other JSON", "{\"plays\": []}", "no plan of drover"},
           {"a list", "[]", "no plan of drover"},
           {"of a later drover", newer, "has format 9, this drover reads 1"},
           {"wrong type", odd, "request.limit"},
       }) {
    const auto read = DecodePlanFile(c.text);
    ASSERT_FALSE(read) << c.name;
    EXPECT_NE(read.error().message.find(c.want), std::string::npos)
        << c.name << ": " << read.error().message;
  }
}

}  // namespace
}  // namespace drover
