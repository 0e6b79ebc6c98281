// The journal as JSON: nothing is lost, nothing secret is written, nothing unknown is taken.

#include "orchestrator/drill/journal.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

DrillJournal Full() {
  DrillJournal journal;
  journal.drover_version = "1.0";
  journal.id = "20261121-120000-director-crash-1a2b";
  journal.phase = DrillPhase::kJudged;
  journal.settings.duration = seconds(7);
  journal.settings.loss = 0.05;
  journal.playbook = "site.yml";
  journal.inventory = "hosts";
  journal.user = "ann";
  journal.control_host = "ctl";
  journal.trigger = "by hand";
  journal.target = "lb1";
  journal.peer = "lb2";
  journal.prober = "probe1";
  journal.instance = "web";
  journal.nodes = {"lb1", "lb2"};
  journal.service = "tcp 10.0.0.100:80";
  journal.vip = IpAddress::V4({10, 0, 0, 100});
  journal.started_us = 1'700'000'000'000'000;
  journal.finished_us = 1'700'000'030'000'000;
  journal.cluster.master.name = "web";
  journal.cluster.master.interface = "eth0";
  journal.cluster.master.addresses = {Prefix::Host(journal.vip)};
  journal.cluster.backups = {journal.cluster.master};
  journal.cluster.sync = {.running = true, .threshold = 3, .period = 0, .refresh = seconds(10)};
  journal.cluster.checks = {{.kind = HttpCheck{.path = "/health"}}};
  journal.cluster.real_servers = 3;
  journal.probes = {
      .path_period = milliseconds(2), .connections_per_second = 20.5, .long_lived = 4};
  journal.prediction.fault = Fault::kDirectorCrash;
  journal.prediction.envelopes = {
      {.quantity = Quantity::kOutage, .least = 2.5, .most = 3.5, .formula = "f", .worked = "w"},
      {.quantity = Quantity::kDoubleOwner, .formula = "nothing bounds it"}};
  journal.prediction.notes = {"note"};
  journal.gates = {{"peer healthy", true, "lb2 is backup", ""}, {"no drift", false, "x", "known"}};
  journal.moments = {{milliseconds(-20), "", "locked", "", ""},
                     {milliseconds(5), "lb2", "backup -> master: x", "vrrp", "vrrp_instance web"}};
  journal.injected = milliseconds(5000);
  journal.undone_by = "order";
  journal.macs = {{"lb1", {2, 0, 0, 0, 0, 1}}};
  journal.redundancy = {{milliseconds(1), true, false, true}};
  journal.lag = {{.series = "path", .planned = 10, .unsent = 1, .p99 = ProbeTime::max()}};
  journal.measured = {{Quantity::kOutage, 3.25, 0.5, true}};
  journal.facts = {.gates = {"g"},
                   .voids = {"v"},
                   .control_probe_clean = false,
                   .aborted = "why",
                   .snapshots_compared = true,
                   .residue = {"r"}};
  journal.verdict = JudgeDrill(journal.prediction, journal.measured, journal.facts);
  return journal;
}

TEST(DrillJournal, ComesBackAsItWasWritten) {
  const std::string text = EncodeJournal(Full());
  const auto back = DecodeJournal(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(EncodeJournal(*back), text);
  EXPECT_EQ(back->injected, milliseconds(5000));
  EXPECT_FALSE(back->undone);
  EXPECT_EQ(back->moments, Full().moments);
  EXPECT_EQ(back->gates, Full().gates);
  EXPECT_EQ(back->measured, Full().measured);
  EXPECT_EQ(back->prediction.envelopes, Full().prediction.envelopes);
  EXPECT_EQ(back->facts.aborted, "why");
  EXPECT_EQ(back->verdict.kind, Full().verdict.kind);
  EXPECT_EQ(back->verdict.comparisons.size(), 2U);
  EXPECT_EQ(back->cluster.sync.refresh, seconds(10));
  EXPECT_EQ(back->macs, Full().macs);
}

TEST(DrillJournal, TellsNoSecret) {
  DrillJournal journal = Full();
  journal.cluster.master.password = "hunter2";
  journal.cluster.backups.front().password = "hunter2";
  std::get<HttpCheck>(journal.cluster.checks.front().kind).headers = {{"Authorization", "hunter2"}};
  EXPECT_EQ(EncodeJournal(journal).find("hunter2"), std::string::npos);
}

TEST(DrillJournal, RefusesWhatItDoesNotKnow) {
  const nlohmann::json good = nlohmann::json::parse(EncodeJournal(Full()));
  struct Case {
    const char* name;
    const char* pointer;
    nlohmann::json value;
  };
  const std::vector<Case> cases = {
      {"a newer version", "/version", 2},
      {"an unknown key", "/surprise", 1},
      {"a phase", "/phase", "begun"},
      {"a quantity", "/measured/0/quantity", "speed"},
      {"a verdict", "/verdict/kind", "perhaps"},
      {"a time that is a text", "/injected_us", "5 s"},
      {"a number that is none", "/prediction/envelopes/0/least", true},
      {"a MAC", "/macs/lb1", "02:00"},
      {"an address", "/vip", "nowhere"},
  };
  for (const Case& one : cases) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(one.pointer)] = one.value;
    EXPECT_FALSE(DecodeJournal(bad.dump())) << one.name;
  }
  nlohmann::json short_of_one = good;
  short_of_one.erase("facts");
  EXPECT_FALSE(DecodeJournal(short_of_one.dump()));
  EXPECT_FALSE(DecodeJournal("[]"));
  EXPECT_FALSE(DecodeJournal(""));
}

TEST(DrillJournal, SnapshotsComeBackAsTheyWere) {
  const NodeSnapshot one{{{"addresses", {"10.0.0.1/24 dev eth0"}}, {"qdiscs", {}}}};
  const DrillSnapshots snapshots = {{"lb1", {one, NodeSnapshot{}}}, {"lb2", {one, std::nullopt}}};
  const auto back = DecodeSnapshots(EncodeSnapshots(snapshots));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, snapshots);
  EXPECT_FALSE(DecodeSnapshots("{\"lb1\": {}}"));
  EXPECT_FALSE(DecodeSnapshots("[]"));
}

}  // namespace
}  // namespace drover
