// Schedules in their file: nobody drives a due time twice, however many ask.

#include "orchestrator/history/sqlite_schedules.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace drover {
namespace {

class SqliteSchedulesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "drover_schedules_XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::unique_ptr<ScheduleStore> Open() const {
    auto store = OpenSqliteSchedules(folder_ + "/history.sqlite");
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }

 private:
  std::string folder_;
};

const DrillSchedule kNightly{.name = "nightly", .playbook = "site.yml", .at = "daily"};

TEST_F(SqliteSchedulesTest, KeepsSchedulesByName) {
  const auto store = Open();
  ASSERT_TRUE(store->Add(kNightly, 5));
  EXPECT_EQ(store->Add(kNightly, 6).error().code, ErrorCode::kExists);
  const auto schedules = Open()->Schedules();
  ASSERT_TRUE(schedules) << schedules.error().message;
  ASSERT_EQ(schedules->size(), 1U);
  EXPECT_EQ(schedules->front().schedule, kNightly);
  EXPECT_EQ(schedules->front().handled_until_us, 5);
  ASSERT_TRUE(store->Remove("nightly"));
  EXPECT_EQ(store->Remove("nightly").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(store->Schedules()->empty());
}

TEST_F(SqliteSchedulesTest, ADueTimeIsTakenByOneOnly) {
  const auto one = Open();
  const auto two = Open();
  ASSERT_TRUE(one->Add(kNightly, 5));
  const Occurrence waiting{.schedule = "nightly", .due_us = 10};
  ASSERT_TRUE(one->TakeUp("nightly", {waiting}, 10));
  ASSERT_TRUE(two->TakeUp("nightly", {waiting}, 10)) << "taking up again changes nothing";
  Occurrence running = waiting;
  running.state = OccurrenceState::kRunning;
  ASSERT_TRUE(one->Change(running, OccurrenceState::kWaiting));
  EXPECT_EQ(two->Change(running, OccurrenceState::kWaiting).error().code, ErrorCode::kExists);
  const auto occurrences = two->Occurrences("nightly");
  ASSERT_TRUE(occurrences);
  EXPECT_EQ(*occurrences, std::vector<Occurrence>{running});
  EXPECT_EQ(two->Schedules()->front().handled_until_us, 10);
}

TEST_F(SqliteSchedulesTest, RemovingForgetsWhatBecameOfIt) {
  const auto store = Open();
  ASSERT_TRUE(store->Add(kNightly, 5));
  ASSERT_TRUE(store->TakeUp("nightly", {{.schedule = "nightly", .due_us = 10}}, 10));
  ASSERT_TRUE(store->Remove("nightly"));
  EXPECT_TRUE(store->Occurrences("nightly")->empty());
}

}  // namespace
}  // namespace drover
