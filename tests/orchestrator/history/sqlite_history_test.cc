// The history in its file: what is kept comes back, also from another process's point of view, and
// a file that is not ours is refused.

#include "orchestrator/history/sqlite_history.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace drover {
namespace {

class SqliteHistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "drover_history_XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string Path() const { return folder_ + "/history.sqlite"; }
  [[nodiscard]] std::unique_ptr<HistoryStore> Open() const {
    auto store = OpenSqliteHistory(Path());
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }

 private:
  std::string folder_;
};

DrillRecord Drill(const std::string& id, Fault fault, std::int64_t started) {
  return {.id = id,
          .fault = fault,
          .playbook = "site.yml",
          .inventory = "prod",
          .service = "tcp 10.0.0.1:80",
          .target = "lb1",
          .trigger = "by hand",
          .folder = "/evidence/" + id,
          .started_us = started,
          .finished_us = started + 1,
          .verdict = VerdictKind::kFail,
          .reasons = {"outage 4000 ms, predicted \"less\"", "naïve; '); DROP TABLE drill; --"},
          .measured = {{Quantity::kOutage, 310.5, 1, false}, {Quantity::kResets, 2, 0, true}},
          .predicted = PredictedOutage{261, 384, true}};
}

TEST_F(SqliteHistoryTest, GivesBackWhatItWasGiven) {
  const DrillRecord drill = Drill("one", Fault::kDirectorCrash, 1'000);
  VerificationRecord verification{.id = "v1", .playbook = "site.yml", .at_us = 5};
  verification.findings = {"arp-owner rs1: answers for the VIP"};
  verification.connections = 30;
  {
    const auto store = Open();
    ASSERT_TRUE(store->Add(drill));
    ASSERT_TRUE(store->Add(verification));
  }
  const auto store = Open();
  const auto drills = store->Drills({});
  ASSERT_TRUE(drills) << drills.error().message;
  EXPECT_EQ(*drills, std::vector<DrillRecord>{drill});
  const auto verifications = store->Verifications({});
  ASSERT_TRUE(verifications) << verifications.error().message;
  EXPECT_EQ(*verifications, std::vector<VerificationRecord>{verification});
}

TEST_F(SqliteHistoryTest, ReplacesADrillThatIsRecordedAgain) {
  const auto store = Open();
  DrillRecord drill = Drill("one", Fault::kDirectorCrash, 1'000);
  ASSERT_TRUE(store->Add(drill));
  drill.verdict = VerdictKind::kPass;
  drill.measured.pop_back();
  drill.predicted.reset();
  ASSERT_TRUE(store->Add(drill));
  const auto drills = store->Drills({});
  ASSERT_TRUE(drills);
  EXPECT_EQ(*drills, std::vector<DrillRecord>{drill});
}

TEST_F(SqliteHistoryTest, AnswersByFaultPlaybookAndTimeTheOldestFirst) {
  const auto store = Open();
  ASSERT_TRUE(store->Add(Drill("c", Fault::kHandover, 3'000)));
  ASSERT_TRUE(store->Add(Drill("b", Fault::kHandover, 2'000)));
  ASSERT_TRUE(store->Add(Drill("a", Fault::kDirectorCrash, 1'000)));
  const auto ids = [&](const HistoryQuery& query) {
    std::string text;
    const auto drills = store->Drills(query);
    if (!drills) return drills.error().message;
    for (const DrillRecord& drill : *drills) text += drill.id;
    return text;
  };
  EXPECT_EQ(ids({}), "abc");
  EXPECT_EQ(ids({.fault = Fault::kHandover}), "bc");
  EXPECT_EQ(ids({.since_us = 2'000}), "bc");
  EXPECT_EQ(ids({.fault = Fault::kHandover, .since_us = 2'001}), "c");
  EXPECT_EQ(ids({.playbooks = {"other.yml", "site.yml"}}), "abc");
  EXPECT_EQ(ids({.playbooks = {"other.yml"}}), "");
}

TEST_F(SqliteHistoryTest, IsNobodyElsesBusiness) {
  const auto store = Open();
  ASSERT_TRUE(store->Add(Drill("a", Fault::kDirectorCrash, 1)));
  for (const char* end : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(::stat((Path() + end).c_str(), &status), 0) << end;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << end;
  }
}

TEST_F(SqliteHistoryTest, RefusesAFileThatIsNoneOfItsOwn) {
  std::ofstream(Path()) << "a text, and by no means a database of any kind whatsoever";
  const auto store = OpenSqliteHistory(Path());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kInvalid);
  EXPECT_NE(store.error().message.find(Path()), std::string::npos);
}

TEST_F(SqliteHistoryTest, TwoMayWriteAtOnce) {
  const auto one = Open();
  const auto two = Open();
  ASSERT_TRUE(one->Add(Drill("a", Fault::kDirectorCrash, 1)));
  ASSERT_TRUE(two->Add(Drill("b", Fault::kDirectorCrash, 2)));
  const auto drills = one->Drills({});
  ASSERT_TRUE(drills);
  EXPECT_EQ(drills->size(), 2U);
}

}  // namespace
}  // namespace drover
