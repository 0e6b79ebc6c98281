// What goes from process to process.

#include "node-helper/checks/memory.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

const health::CheckMemory kDoubt{.up = true,
                                 .has_verdict = true,
                                 .run = 2,
                                 .next_probe = health::Time(std::chrono::nanoseconds(123456789)),
                                 .latency = std::chrono::microseconds(42),
                                 .last_failure = "status 500, wanted 200-299"};

TEST(Memory, ComesBackAsItWas) {
  CheckEngineMemory memory;
  memory.targets["abc"] = {kDoubt, 30};
  memory.targets["def"] = {{}, std::nullopt};
  memory.servers["10.0.0.1:80 of tcp 10.0.0.100:80"] = {
      true, health::Time(std::chrono::seconds(-5)), 0x44520001};
  EXPECT_EQ(DecodeMemory(EncodeMemory(memory)), memory);
  const TrackerMemory trackers = {{"tracker disk", kDoubt}};
  EXPECT_EQ(DecodeTrackerMemory(EncodeTrackerMemory(trackers)), trackers);
}

TEST(Memory, OfAnotherVersionIsEmpty) {
  for (const char* text : {"", "{}", "[]", "null", "{\"targets\": 1, \"servers\": {}}",
                           "{\"targets\": {\"a\": {\"up\": 3}}, \"servers\": {}}", "\xff"}) {
    EXPECT_EQ(DecodeMemory(text), CheckEngineMemory{}) << text;
    EXPECT_EQ(DecodeTrackerMemory(text), TrackerMemory{}) << text;
  }
}

TEST(Memory, BytesOfAStrangerAreNoTrouble) {
  CheckEngineMemory memory;
  memory.targets["abc"].check.last_failure = "said \xff\xfe";
  EXPECT_EQ(DecodeMemory(EncodeMemory(memory)).targets.size(), 1U);
}

}  // namespace
}  // namespace drover
