// What a drill left behind, told from two snapshots.

#include "protocol/drill.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(NodeSnapshot, EqualOnesDifferInNothing) {
  const NodeSnapshot one{{{"links", {"eth0 up", "lo up"}}, {"nft", {}}}};
  const NodeSnapshot other{{{"links", {"lo up", "eth0 up"}}}};
  EXPECT_TRUE(DifferencesOf(one, other).empty());
}

TEST(NodeSnapshot, WhatIsGoneAndWhatIsNewIsNamedWithItsSection) {
  const NodeSnapshot before{{{"addresses", {"10.0.0.1/24 eth0", "10.0.0.100/32 lo"}}}};
  const NodeSnapshot after{{{"addresses", {"10.0.0.1/24 eth0"}}, {"nft", {"table inet x"}}}};
  const std::vector<std::string> expected = {"addresses: - 10.0.0.100/32 lo",
                                             "nft: + table inet x"};
  EXPECT_EQ(DifferencesOf(before, after), expected);
}

TEST(NodeSnapshot, ALineThatIsThereTwiceOnlyAfterwardsIsADifference) {
  const NodeSnapshot before{{{"rules", {"drop"}}}};
  const NodeSnapshot after{{{"rules", {"drop", "drop"}}}};
  EXPECT_EQ(DifferencesOf(before, after), std::vector<std::string>{"rules: + drop"});
}

}  // namespace
}  // namespace drover
