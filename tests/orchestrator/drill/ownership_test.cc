// Double-owner time from claims of a VIP in a capture.

#include "orchestrator/drill/ownership.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using std::chrono::milliseconds;

constexpr MacAddress kA = {2, 0, 0, 0, 0, 0xa};
constexpr MacAddress kB = {2, 0, 0, 0, 0, 0xb};
constexpr MacAddress kC = {2, 0, 0, 0, 0, 0xc};

OwnerInterval Owner(const MacAddress& mac, int from, int to) {
  return {mac, milliseconds(from), milliseconds(to)};
}
TimeSpan Span(int from, int to) { return {milliseconds(from), milliseconds(to)}; }

TEST(Ownership, SightingsWithinTheHoldAreOneInterval) {
  const auto at = [](int ms, const MacAddress& mac) {
    return OwnerSighting{milliseconds(ms), mac};
  };
  const auto owners = OwnersOf(
      {at(200, kA), at(0, kA), at(100, kA), at(250, kB), at(500, kA), at(350, kB), at(601, kA)},
      milliseconds(100));
  EXPECT_EQ(owners, (std::vector{Owner(kA, 0, 200), Owner(kB, 250, 350), Owner(kA, 500, 500),
                                 Owner(kA, 601, 601)}));
}

TEST(Ownership, SharedIsTheUnionOfWhereTwoOrMoreClaim) {
  struct Case {
    const char* name;
    std::vector<OwnerInterval> owners;
    std::vector<TimeSpan> want;
    int milliseconds_shared;
  };
  const std::vector<Case> cases = {
      {"nobody", {}, {}, 0},
      {"one", {Owner(kA, 0, 100)}, {}, 0},
      {"one after the other", {Owner(kA, 0, 100), Owner(kB, 100, 200)}, {}, 0},
      {"overlap", {Owner(kA, 0, 100), Owner(kB, 70, 200)}, {Span(70, 100)}, 30},
      {"inside", {Owner(kA, 0, 100), Owner(kB, 20, 30)}, {Span(20, 30)}, 10},
      {"three at once count once",
       {Owner(kA, 0, 100), Owner(kB, 50, 150), Owner(kC, 80, 120)},
       {Span(50, 120)},
       70},
      {"twice",
       {Owner(kA, 0, 100), Owner(kB, 10, 20), Owner(kB, 60, 70)},
       {Span(10, 20), Span(60, 70)},
       20},
      {"a change of the second owner is no end",
       {Owner(kA, 0, 100), Owner(kB, 10, 50), Owner(kC, 50, 90)},
       {Span(10, 90)},
       80},
      {"one MAC's own intervals", {Owner(kA, 0, 100), Owner(kA, 50, 150)}, {}, 0},
      {"one MAC's own intervals beside another",
       {Owner(kA, 0, 100), Owner(kA, 50, 150), Owner(kB, 90, 200)},
       {Span(90, 150)},
       60},
      {"a moment adds nothing", {Owner(kA, 0, 100), Owner(kB, 50, 50)}, {}, 0},
      {"a moment ends nothing",
       {Owner(kA, 0, 100), Owner(kB, 20, 80), Owner(kB, 50, 50)},
       {Span(20, 80)},
       60},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(SharedSpans(c.owners), c.want) << c.name;
    EXPECT_EQ(DoubleOwnerTime(c.owners), milliseconds(c.milliseconds_shared)) << c.name;
  }
}

}  // namespace
}  // namespace drover
