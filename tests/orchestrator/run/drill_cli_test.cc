// Drills as a caller of the binary sees them where no host is reached: reports from evidence, the
// history, schedules, and what is due, also when the process that drives it is killed.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "orchestrator/history/sqlite_history.h"
#include "tests/orchestrator/report/sample_drill.h"
#include "tests/shell.h"

namespace drover {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class DrillCliTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "drover_drill_cli_XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
    Write("inv.yml", "all: {hosts: {d1: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n");
    // A drill of it ends before any host is reached.
    Write("site.yml", "- hosts: all\n  tasks:\n    - nonsense: {}\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  [[nodiscard]] std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / name, std::ios::binary).rdbuf();
    return text.str();
  }
  [[nodiscard]] Ended Drover(const std::string& arguments) const {
    const std::string command =
        "cd '" + folder_.string() + "' && env -u DROVER_INVENTORY -u ANSIBLE_INVENTORY TZ=UTC " +
        "XDG_STATE_HOME='" + folder_.string() + "/state' XDG_CONFIG_HOME='" + folder_.string() +
        "/config' '" DROVER_BINARY "' drill " + arguments + " 2>&1 </dev/null";
    return RunShell(command);
  }

  [[nodiscard]] std::string SitePath() const { return folder_ / "site.yml"; }

  // Makes a folder of a made-up drill's evidence.
  void Evidence(const SampleDrill& sample) const {
    std::filesystem::create_directories(folder_ / "evidence");
    Write("evidence/journal.json", EncodeJournal(sample.journal));
    const auto log = EncodeProbeLog(sample.log);
    Write("evidence/probe.dplg", {log.begin(), log.end()});
  }
  [[nodiscard]] std::unique_ptr<HistoryStore> History() const {
    std::filesystem::create_directories(folder_ / "state/drover");
    auto store = OpenSqliteHistory(folder_ / "state/drover/history.sqlite");
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(DrillCliTest, ReportEndsWithTheVerdictsStatus) {
  Evidence(MakeSampleDrill());
  const Ended passed = Drover("report evidence");
  EXPECT_EQ(passed.status, 0) << passed.text;
  EXPECT_TRUE(Has(passed.text, ": pass\n")) << passed.text;
  Evidence(MakeSampleDrill({.outage = std::chrono::milliseconds(5100), .residue = true}));
  const Ended failed = Drover("report evidence --output json --html page.html");
  EXPECT_EQ(failed.status, 2);
  const auto json = nlohmann::json::parse(failed.text);
  EXPECT_EQ(json.at("verdict"), "fail");
  EXPECT_FALSE(json.contains("stored_verdict"));
  EXPECT_TRUE(Has(Read("page.html"), "class=\"badge\">fail<"));
  EXPECT_TRUE(Has(Drover("report evidence --output junit").text, "<testsuites tests="));
}

TEST_F(DrillCliTest, ReportJudgesStoredEvidenceAgain) {
  SampleDrill sample = MakeSampleDrill({.outage = std::chrono::milliseconds(5100)});
  sample.journal.verdict = {.kind = VerdictKind::kPass,
                            .comparisons = sample.journal.verdict.comparisons};
  Evidence(sample);
  EXPECT_EQ(Drover("report evidence").status, 0) << "without --rejudge the stored verdict counts";
  const Ended again = Drover("report evidence --rejudge --html page.html");
  EXPECT_NE(again.status, 0);
  EXPECT_TRUE(Has(again.text, "it differs from what was stored (pass)")) << again.text;
  EXPECT_TRUE(Has(Read("page.html"), "The verdict that was stored: pass."));
  const DrillJournal kept = *DecodeJournal(Read("evidence/journal.json"));
  EXPECT_EQ(kept.verdict.kind, VerdictKind::kPass) << "what is stored is never changed";
}

TEST_F(DrillCliTest, ReportSaysWhatIsWrongWithEvidence) {
  EXPECT_TRUE(Has(Drover("report nothing").text, "there is no drill \"nothing\""));
  EXPECT_EQ(Drover("report nothing").status, 1);
  Evidence(MakeSampleDrill());
  Write("evidence/probe.dplg", "DPLG, but not really");
  const Ended broken = Drover("report evidence");
  EXPECT_EQ(broken.status, 1);
  EXPECT_TRUE(Has(broken.text, "evidence/probe.dplg")) << broken.text;
  Write("evidence/journal.json", "{}");
  EXPECT_TRUE(Has(Drover("report evidence").text, "evidence/journal.json"));
}

TEST_F(DrillCliTest, HistoryShowsTrends) {
  EXPECT_TRUE(Has(Drover("history").text, "No drill is remembered here."));
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(History()->Add(DrillRecord{.id = "d" + std::to_string(i),
                                           .playbook = "/srv/site.yml",
                                           .started_us = i,
                                           .verdict = VerdictKind::kPass,
                                           .measured = {{Quantity::kOutage, 300.0 + i % 7}}}));
  }
  const Ended human = Drover("history --html page.html");
  EXPECT_EQ(human.status, 0) << human.text;
  EXPECT_TRUE(Has(human.text, "30 pass")) << human.text;
  EXPECT_TRUE(Has(Read("page.html"), "<h2>director-crash</h2>"));
  const auto json = nlohmann::json::parse(Drover("history director-crash --output json").text);
  EXPECT_EQ(json.at("trends").at(0).at("n"), 30);
  EXPECT_EQ(json.at("trends").at(0).at("claimed_quantile"), 0.9);
  EXPECT_TRUE(
      nlohmann::json::parse(Drover("history handover --output json").text).at("trends").empty());
  EXPECT_TRUE(Has(Drover("history handovr").text, "did you mean \"handover\"?"));
}

TEST_F(DrillCliTest, SchedulesAreAddedListedAndRemoved) {
  const std::string add = "schedule add nightly director-crash site.yml -i inv.yml ";
  const Ended added = Drover(add +
                             "--at 'Tue..Thu 02:00 Europe/Berlin' --jitter 30m --blackout "
                             "2026-12-20..2027-01-03 --error-budget 2/30d --after "
                             "https://chat.example/hooks/SECRET -- --duration 5s");
  EXPECT_EQ(added.status, 0) << added.text;
  EXPECT_TRUE(Has(added.text, "Added nightly: director-crash, next due 20")) << added.text;
  EXPECT_TRUE(Has(Drover(add + "--at daily").text, "there is a schedule \"nightly\" already"));
  const Ended listed = Drover("schedule list");
  EXPECT_TRUE(Has(listed.text, "02:00:00 Europe/Berlin")) << listed.text;
  EXPECT_TRUE(Has(listed.text, "error budget 2/30d")) << listed.text;
  EXPECT_TRUE(Has(listed.text, "/site.yml -i ")) << listed.text;
  EXPECT_TRUE(Has(listed.text, "--duration 5s")) << listed.text;
  EXPECT_FALSE(Has(listed.text, "SECRET")) << listed.text;
  EXPECT_FALSE(Has(Drover("schedule list --output json").text, "SECRET"));
  EXPECT_TRUE(Has(Drover("schedule approve nightly").text, "nothing of nightly waits"));
  EXPECT_TRUE(Has(Drover("schedule remove nightlx").text, "did you mean \"nightly\"?"));
  EXPECT_EQ(Drover("schedule remove nightly").status, 0);
  EXPECT_TRUE(Has(Drover("schedule list").text, "There is no schedule."));
}

TEST_F(DrillCliTest, SchedulesThatCannotBeAreRefused) {
  struct Case {
    const char* arguments;
    const char* words;
  };
  for (const Case& one : std::vector<Case>{
           {"n director-crush site.yml -i inv.yml --at daily", "did you mean \"director-crash\"?"},
           {"n handover nowhere.yml -i inv.yml --at daily", "nowhere.yml is not there"},
           {"n handover site.yml --at daily", "no inventory"},
           {"n handover site.yml -i inv.yml --at often", "--at: "},
           {"n handover site.yml -i inv.yml --at 2001-01-01", "never comes any more"},
           {"n handover site.yml -i inv.yml --at daily --jitter 3h", "jitter"},
           {"n handover site.yml -i inv.yml --at daily --blackout xmas", "--blackout: "},
           {"n handover site.yml -i inv.yml --at daily --error-budget 2", "error budget"},
           {"n handover site.yml -i inv.yml --at daily --missed never", "--missed: "},
           {"n handover site.yml -i inv.yml --at daily --before '\"open'", "not closed"}}) {
    const Ended ended = Drover("schedule add " + std::string(one.arguments));
    EXPECT_EQ(ended.status, 1) << one.arguments;
    EXPECT_TRUE(Has(ended.text, one.words)) << one.arguments << ": " << ended.text;
  }
}

// Schedules that are due in a moment.
class DueTest : public DrillCliTest {
 protected:
  // Returns when its only due time has come.
  void AddAndWait(const std::string& name, const std::string& options) {
    const std::time_t due = std::time(nullptr) + 3;
    std::tm utc{};
    gmtime_r(&due, &utc);
    std::array<char, 40> at{};
    std::strftime(at.data(), at.size(), "%Y-%m-%d %H:%M:%S UTC", &utc);
    const Ended added = Drover("schedule add " + name + " handover site.yml -i inv.yml --at '" +
                               at.data() + "' " + options);
    ASSERT_EQ(added.status, 0) << added.text;
    std::this_thread::sleep_until(std::chrono::system_clock::from_time_t(due) +
                                  std::chrono::milliseconds(50));
  }
};

TEST_F(DueTest, IsDrivenOnceAndSaysWhatCameOfIt) {
  AddAndWait("once",
             "--before '/bin/sh -c \"echo $DROVER_EVENT $DROVER_SCHEDULE >>told\"' "
             "--after '/bin/sh -c \"echo $DROVER_EVENT $DROVER_REASON >>told\"'");
  const Ended driven = Drover("due");
  EXPECT_TRUE(Has(driven.text, "once: drives handover")) << driven.text;
  // The playbook is nonsense, which is not the schedule's fault but is not silent either.
  EXPECT_TRUE(Has(driven.text, "drover drill run came to no verdict (status 4)")) << driven.text;
  EXPECT_EQ(driven.status, 1);
  const Ended again = Drover("due");
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.text, "");
  EXPECT_EQ(Read("told"), "before once\nafter drover drill run came to no verdict (status 4)\n");
  EXPECT_TRUE(Has(Drover("schedule list").text, "skipped, drover drill run came to no verdict"));
}

TEST_F(DueTest, IsNeitherDrivenTwiceNorForgottenWhenItIsKilled) {
  // What is told before runs when all is written down and the drill is about to begin.
  AddAndWait("killed", "--missed run --before '/bin/sh -c \"echo x >>begun; kill -9 $PPID\"'");
  EXPECT_NE(Drover("due").status, 0);
  const Ended next = Drover("due");
  EXPECT_EQ(next.status, 1);
  EXPECT_TRUE(Has(next.text, "interrupted, the process that drove it died")) << next.text;
  EXPECT_EQ(Drover("due").text, "");
  EXPECT_EQ(Read("begun"), "x\n");
}

TEST_F(DueTest, FindsTheVerdictOfADrillWhoseStarterDied) {
  AddAndWait("killed", "--before '/bin/sh -c \"kill -9 $PPID\"'");
  EXPECT_NE(Drover("due").status, 0);
  const auto now = std::chrono::system_clock::now() + std::chrono::seconds(1);
  ASSERT_TRUE(History()->Add(DrillRecord{
      .id = "later",
      .fault = Fault::kHandover,
      .trigger = "schedule killed",
      .started_us =
          std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count(),
      .verdict = VerdictKind::kPass}));
  const Ended next = Drover("due");
  EXPECT_EQ(next.status, 0);
  EXPECT_TRUE(Has(next.text, "done, pass (found later) (later)")) << next.text;
}

TEST_F(DueTest, WaitsForApproval) {
  AddAndWait("held", "--hold");
  EXPECT_TRUE(Has(Drover("due").text, "held, waits for: drover drill schedule approve held"));
  EXPECT_EQ(Drover("due").text, "");
  EXPECT_EQ(Drover("schedule approve held").status, 0);
  EXPECT_TRUE(Has(Drover("due").text, "held: drives handover"));
  EXPECT_EQ(Drover("due").text, "");
}

TEST_F(DueTest, DoesNotDriveWhatSomebodyForbids) {
  AddAndWait("vetoed", "--before '/bin/false' --after '/bin/sh -c \"echo $DROVER_REASON >>told\"'");
  const Ended vetoed = Drover("due");
  EXPECT_EQ(vetoed.status, 0);
  EXPECT_TRUE(Has(vetoed.text, "skipped, before: /bin/false ended with status 1")) << vetoed.text;
  EXPECT_EQ(Read("told"), "before: /bin/false ended with status 1\n");
}

TEST_F(DueTest, KeepsTheErrorBudget) {
  for (const char* id : {"a", "b"}) {
    ASSERT_TRUE(History()->Add(
        DrillRecord{.id = id,
                    .playbook = std::filesystem::canonical(SitePath()).string(),
                    .started_us = (std::time(nullptr) - 60) * std::int64_t{1'000'000},
                    .verdict = VerdictKind::kFail}));
  }
  AddAndWait("spent", "--error-budget 2/30d");
  const Ended spent = Drover("due");
  EXPECT_EQ(spent.status, 0);
  EXPECT_TRUE(Has(spent.text, "error budget used up: 2 failed in 30 days, 2 may")) << spent.text;
}

}  // namespace
}  // namespace drover
