#include "node-helper/store/generations.h"

#include <gtest/gtest.h>

#include "node-helper/store/run_lock.h"
#include "tests/node-helper/store/samples.h"
#include "tests/node-helper/store/temp_folder.h"

namespace drover {
namespace {

OwnerRecord RecordOf(std::uint64_t number, const std::string& run = "run") {
  OwnerRecord record;
  record.owner = "web";
  record.generation = number;
  record.complete = true;
  record.run.owner = "web";
  record.run.run_id = run;
  record.run.generation = number;
  record.state = State({Vip("10.0.0." + std::to_string(number) + "/32")});
  return record;
}

TEST(Generations, KeepsTheNewestTen) {
  const TempFolder folder;
  const Generations generations(folder.path());
  EXPECT_TRUE(generations.Numbers().value().empty());
  for (std::uint64_t number = 1; number <= 12; ++number) {
    ASSERT_TRUE(generations.Keep(RecordOf(number)));
  }
  const auto numbers = generations.Numbers().value();
  EXPECT_EQ(numbers.size(), kKeptGenerations);
  EXPECT_EQ(numbers.front(), 12U);
  EXPECT_EQ(numbers.back(), 3U);
  EXPECT_EQ(generations.Load(12).value(), RecordOf(12));
}

TEST(Generations, StateAtANumberIsTheNewestThatIsNotNewer) {
  const TempFolder folder;
  const Generations generations(folder.path());
  EXPECT_FALSE(generations.At(4).value());
  for (const std::uint64_t number : {5, 9}) ASSERT_TRUE(generations.Keep(RecordOf(number)));
  EXPECT_FALSE(generations.At(4).value());  // had nothing then
  EXPECT_EQ(generations.At(5).value()->generation, 5U);
  EXPECT_EQ(generations.At(8).value()->generation, 5U);
  EXPECT_EQ(generations.At(100).value()->generation, 9U);
}

TEST(Generations, WhatIsNoLongerKeptIsNotNothing) {
  const TempFolder folder;
  const Generations generations(folder.path());
  for (std::uint64_t number = 5; number <= 20; ++number) {
    ASSERT_TRUE(generations.Keep(RecordOf(number)));
  }
  EXPECT_FALSE(generations.At(4).value());
  const auto gone = generations.At(6);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
}

TEST(Generations, RunThatWasNotConfirmedIsForgotten) {
  const TempFolder folder;
  const Generations generations(folder.path());
  ASSERT_TRUE(generations.Keep(RecordOf(1, "one")));
  ASSERT_TRUE(generations.Keep(RecordOf(2, "two")));
  ASSERT_TRUE(generations.ForgetRun("two"));
  EXPECT_EQ(generations.Numbers().value(), std::vector<std::uint64_t>{1});
}

TEST(RunLock, IsAsItWasSaved) {
  const TempFolder folder;
  const RunLockFile file(folder / "state");
  EXPECT_FALSE(file.Load().value());
  RunLock lock;
  lock.run = RecordOf(3).run;
  lock.since = 1700000000;
  lock.lease = std::chrono::seconds(30);
  lock.revert = false;
  ASSERT_TRUE(file.Save(lock));
  EXPECT_EQ(file.Load().value(), lock);
  ASSERT_TRUE(file.Remove());
  ASSERT_TRUE(file.Remove());
  EXPECT_FALSE(file.Load().value());
}

}  // namespace
}  // namespace drover
