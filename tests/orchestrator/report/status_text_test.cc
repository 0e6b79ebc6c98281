#include "orchestrator/report/status_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "orchestrator/report/table.h"
#include "tests/orchestrator/cluster/two_directors.h"

namespace drover {
namespace {

constexpr const char* kTime = "2026-01-31T12:00:00Z";

StatusLook Look(int columns = 0, bool colours = false) {
  return {columns, colours, "site.yml", {{*IpAddress::Parse("10.0.0.21"), "rs1"}}};
}

TEST(StatusText, ShowsTheWholeClusterOnOneScreen) {
  ClusterStatus cluster = TwoDirectors();
  cluster.hosts[0].status->sync = SyncStatus{{"master", "backup"}, 12, {}};
  cluster.hosts[1].status->sync =
      SyncStatus{{"master", "backup"}, 12, {{"10.0.0.21", 12, 1.0, std::chrono::seconds(2)}}};
  cluster.hosts[0].status->events = {
      {1769860801000000, 5, "vrrp", "vrrp_instance web", "backup to master: heard nobody"}};
  EXPECT_EQ(StatusText(cluster, Look(), kTime),
            R"(site.yml  2026-01-31T12:00:00Z  healthy

INSTANCE     HOST  STATE   SINCE  PRIO  HEARD  ADDRESSES   WHY
web (51 v3)  lb1   master  1m 5s  150   -      10.0.0.100
             lb2   backup  1m 5s  100   400ms  -

tcp 10.0.0.100:80 rr on lb1, lb2; 12 connections
  REAL SERVER       STATE  WEIGHT  ACTIVE  INACTIVE  CHECK
  rs1 10.0.0.21:80  up     1       0       0         http 0.8ms
  10.0.0.22:80      up     1       0       0         http 0.8ms

HOST  DAEMON  RUNNING  REPAIRS  SYNC
lb1   0.1.0   1h 1m    0        master+backup
lb2   0.1.0   1h 1m    0        100.0% of 12 of rs1

LAST (UTC)    HOST  WHAT
12:00:01.000  lb1   vrrp_instance web: backup to master: heard nobody
)");
}

TEST(StatusText, TwoOwnersAreRed) {
  const std::string text = StatusText(TwoDirectors("master", "master"), Look(0, true), kTime);
  EXPECT_NE(text.find("\033[0;31mmaster, one of 2\033[0m"), std::string::npos) << text;
  EXPECT_NE(text.find("\033[0;31m! vrrp_instance web (10.0.0.100) has 2 masters: lb1 and lb2"),
            std::string::npos);
  EXPECT_NE(text.find("\033[0;31m1 problem\033[0m"), std::string::npos);
}

TEST(StatusText, ARealServerThatTheOtherDirectorSeesOtherwiseHasALineOfItsOwn) {
  ClusterStatus cluster = TwoDirectors();
  ServerStatus& server = cluster.hosts[1].status->services[0].servers[0];
  server.up = false;
  server.weight = 0;
  server.checks = {CheckStatus{"http", false, true, "status 500", {}}};
  const std::string text = StatusText(cluster, Look(), kTime);
  EXPECT_NE(text.find("    as lb2 sees it  down   0 of 1  0       0         http status 500\n"),
            std::string::npos)
      << text;
}

TEST(StatusText, NoLineIsWiderThanTheTerminal) {
  ClusterStatus cluster = TwoDirectors();
  cluster.hosts[0].status->problems = {std::string(200, 'x')};
  cluster.hosts.push_back(SilentHost("lb3", ErrorCode::kUnreachable, std::string(300, 'y')));
  for (const int columns : {20, 40, 79}) {
    const std::string text = StatusText(cluster, Look(columns), kTime);
    EXPECT_NE(text.find("2 problems\n"), std::string::npos) << text;
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = text.find('\n', start);
      const std::string line = text.substr(start, end - start);
      EXPECT_LE(TextWidth(line), columns) << line;
      start = end + 1;
    }
  }
}

TEST(StatusText, WhatANodeSendsCannotBendTheTerminal) {
  ClusterStatus cluster = TwoDirectors();
  cluster.hosts[0].status->problems = {"a\033[2Jb\nc"};
  cluster.hosts[0].status->instances[0].reason = "x\033]0;title\007";
  const std::string text = StatusText(cluster, Look(), kTime);
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(text.find('\007'), std::string::npos);
}

TEST(StatusJson, TellsOwnersConcernsAndEveryHostsOwnWords) {
  ClusterStatus cluster = TwoDirectors("master", "master");
  cluster.hosts.push_back(SilentHost("lb3", ErrorCode::kUnreachable, "no route to host"));
  const auto json = nlohmann::json::parse(StatusJson(cluster, kTime, -1));
  EXPECT_EQ(json["healthy"], false);
  EXPECT_EQ(json["routers"][0]["masters"], (std::vector<std::string>{"lb1", "lb2"}));
  EXPECT_EQ(json["concerns"][0]["weight"], "unreachable");
  EXPECT_EQ(json["hosts"]["lb1"]["version"], "0.1.0");
  EXPECT_EQ(json["hosts"]["lb3"]["error"], "no route to host");
}

TEST(Table, CutsAtTheEdgeWithoutBreakingACharacter) {
  EXPECT_EQ(CutTo("abcdef", 6), "abcdef");
  EXPECT_EQ(CutTo("abcdef", 4), "abc…");
  EXPECT_EQ(CutTo("äöüäöü", 4), "äöü…");
  EXPECT_EQ(CutTo("漢字漢字", 4), "漢…");
  EXPECT_EQ(CutTo("abc", 0), "");
}

TEST(AgeText, NamesTheTwoBiggestUnits) {
  using std::chrono::milliseconds;
  EXPECT_EQ(AgeText(milliseconds(950)), "950ms");
  EXPECT_EQ(AgeText(milliseconds(12'900)), "12s");
  EXPECT_EQ(AgeText(milliseconds(185'000)), "3m 5s");
  EXPECT_EQ(AgeText(milliseconds(7'440'000)), "2h 4m");
  EXPECT_EQ(AgeText(milliseconds(262'800'000)), "3d 1h");
}

}  // namespace
}  // namespace drover
