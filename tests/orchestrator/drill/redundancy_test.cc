// Time to redundancy from looks at the cluster.

#include "orchestrator/drill/redundancy.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using std::chrono::seconds;

RedundancySample Well(int at) { return {seconds(at), true, true, true}; }
RedundancySample Ill(int at) { return {seconds(at), true, false, true}; }

TEST(TimeToRedundancy, IsTheFirstLookSinceWhichAllIsWell) {
  const auto found =
      RedundancyAfter({Well(0), Ill(6), Well(7), Ill(9), Well(11), Well(12)}, seconds(5));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->value, seconds(6));
  EXPECT_EQ(found->resolution, seconds(2));
}

TEST(TimeToRedundancy, IsZeroWhenNothingWasEverAmiss) {
  const auto found = RedundancyAfter({Ill(0), Well(5), Well(6)}, seconds(5));
  EXPECT_EQ(found, TimeToRedundancy{});
}

TEST(TimeToRedundancy, IsUnknownWhenTheLastLookWasNotWell) {
  EXPECT_FALSE(RedundancyAfter({Well(6), Ill(7)}, seconds(5)).has_value());
  EXPECT_FALSE(RedundancyAfter({}, seconds(5)).has_value());
  EXPECT_FALSE(RedundancyAfter({Well(4)}, seconds(5)).has_value());
}

TEST(TimeToRedundancy, NeedsAllThree) {
  for (const RedundancySample& sample : {RedundancySample{seconds(6), false, true, true},
                                         {seconds(6), true, false, true},
                                         {seconds(6), true, true, false}}) {
    EXPECT_FALSE(RedundancyAfter({sample}, seconds(5)).has_value());
  }
}

}  // namespace
}  // namespace drover
