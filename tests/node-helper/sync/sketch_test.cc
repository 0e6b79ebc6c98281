#include "node-helper/sync/sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace drover {
namespace {

using Sample = std::vector<std::uint64_t>;

TEST(Sketch, KeepsTheSmallestInOrder) {
  Sketch sketch(3);
  for (const std::uint64_t number : {50U, 10U, 40U, 20U, 30U}) sketch.Add(number);
  EXPECT_EQ(sketch.sample(), (Sample{10, 20, 30}));
}

TEST(Sketch, KeepsEachOnce) {
  Sketch sketch(3);
  for (const std::uint64_t number : {10U, 10U, 20U, 20U, 10U, 30U, 30U}) sketch.Add(number);
  EXPECT_EQ(sketch.sample(), (Sample{10, 20, 30}));
}

TEST(Sketch, OfNothingIsEmpty) {
  Sketch none(0);
  none.Add(1);
  EXPECT_TRUE(none.sample().empty());
  EXPECT_TRUE(Sketch(3).sample().empty());
}

TEST(Sketch, OrderOfTheTableDoesNotMatter) {
  std::mt19937_64 random(7);
  Sample numbers(5000);
  for (std::uint64_t& number : numbers) number = random();
  Sketch first(150);
  for (const std::uint64_t number : numbers) first.Add(number);
  std::shuffle(numbers.begin(), numbers.end(), random);
  Sketch second(150);
  for (const std::uint64_t number : numbers) second.Add(number);
  EXPECT_EQ(first.sample(), second.sample());
  std::sort(numbers.begin(), numbers.end());
  numbers.resize(150);
  EXPECT_EQ(first.sample(), numbers);
}

TEST(InBoth, GivesTheSmallestOfTheIntersection) {
  EXPECT_EQ(InBoth({1, 3, 5, 7}, {3, 4, 5, 6, 7}, 10), (Sample{3, 5, 7}));
  EXPECT_EQ(InBoth({1, 3, 5, 7}, {3, 4, 5, 6, 7}, 2), (Sample{3, 5}));
  EXPECT_EQ(InBoth({}, {1}, 2), Sample{});
}

TEST(Search, CountsTheShareOfEachSample) {
  Search search({{1, 2, 3, 4}, {3, 4}, {}});
  search.Meet(3);
  search.Meet(3);
  search.Meet(99);
  EXPECT_DOUBLE_EQ(search.ShareOf({1, 2, 3, 4}), 0.25);
  EXPECT_DOUBLE_EQ(search.ShareOf({3, 4}), 0.5);
  EXPECT_DOUBLE_EQ(search.ShareOf({}), 1.0);
  EXPECT_DOUBLE_EQ(search.ShareOf({5}), 0.0);
}

TEST(Search, ForNothingMeetsEverything) {
  Search search;
  search.Meet(1);
  EXPECT_DOUBLE_EQ(search.ShareOf({}), 1.0);
}

// The sample's share is that of the whole table within the error of a sample of 150.
TEST(Search, ShareOfASampleTellsTheShareOfTheTable) {
  std::mt19937_64 random(11);
  for (const double share : {0.1, 0.5, 0.9}) {
    Sketch peer(150);
    Sample here;
    for (int i = 0; i < 20000; ++i) {
      const std::uint64_t number = random();
      peer.Add(number);
      if (std::uniform_real_distribution<double>(0, 1)(random) < share) here.push_back(number);
    }
    Search search({peer.sample()});
    for (const std::uint64_t number : here) search.Meet(number);
    const double error = std::sqrt(share * (1 - share) / 150);
    EXPECT_NEAR(search.ShareOf(peer.sample()), share, 4 * error);
  }
}

}  // namespace
}  // namespace drover
