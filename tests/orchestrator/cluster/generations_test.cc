#include "orchestrator/cluster/generations.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

// Generations by number, the newest first and current.
GenerationList Keeps(const std::vector<std::uint64_t>& numbers) {
  GenerationList list;
  for (const std::uint64_t number : numbers) {
    list.generations.push_back({.number = number,
                                .saved_at = static_cast<std::int64_t>(1000 + number),
                                .run = {.command = "rollout"},
                                .current = list.generations.empty()});
  }
  return list;
}

TEST(Generations, AreOneHistoryOfTheGroup) {
  // The run 2 changed only lb1.
  const auto history = GroupHistory({{"lb1", Keeps({3, 2, 1})}, {"rs1", Keeps({3, 1})}});
  ASSERT_EQ(history.size(), 3U);
  EXPECT_EQ(history[0].number, 3U);
  EXPECT_EQ(history[0].current_on, (std::vector<std::string>{"lb1", "rs1"}));
  EXPECT_EQ(history[1].kept_on, std::vector<std::string>{"lb1"});
  EXPECT_TRUE(history[1].current_on.empty());
  EXPECT_EQ(history[2].saved_at, 1001);
}

TEST(Generations, RollbackGoesToTheOneBeforeTheNewest) {
  EXPECT_EQ(*PreviousGeneration({{"lb1", Keeps({5, 2})}, {"rs1", Keeps({4})}}), 4U);
}

TEST(Generations, ThereMayBeNothingToGoBackTo) {
  EXPECT_FALSE(PreviousGeneration({{"lb1", {}}}));
  const auto one = PreviousGeneration({{"lb1", Keeps({7})}, {"rs1", Keeps({7})}});
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().message, "there is only generation 7, none before it");
}

TEST(Generations, HostThatDidNotTakePartAtANumberHasItsOlderOne) {
  const HostGenerations hosts = {{"lb1", Keeps({3, 2, 1})}, {"rs1", Keeps({3, 1})}};
  EXPECT_TRUE(CheckRestore(hosts, 2));
}

TEST(Generations, HostThatJoinedLaterHadNothing) {
  EXPECT_TRUE(CheckRestore({{"lb1", Keeps({3, 2, 1})}, {"rs9", Keeps({3})}}, 1));
}

TEST(Generations, UnknownNumberNamesThoseThatThereAre) {
  const Status checked = CheckRestore({{"lb1", Keeps({3, 2})}}, 9);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message, "there is no generation 9; there are 2, 3");
}

}  // namespace
}  // namespace drover
