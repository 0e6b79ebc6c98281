#include "orchestrator/report/ending.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

const EndingFacts kFacts{
    .playbook = "site.yml", .inventories = {"my hosts.yml"}, .until = "12:00:30 UTC"};

RunEnd EndOf(std::map<std::string, HostEnd> hosts) {
  RunEnd end;
  end.transaction = true;
  end.hosts = std::move(hosts);
  return end;
}

TEST(EndingText, IsEmptyWhenNothingWasChanged) {
  EXPECT_EQ(EndingText(EndOf({{"a", HostEnd::kUnchanged}}), kFacts), "");
  EXPECT_EQ(EndingText({}, kFacts), "");
}

TEST(EndingText, NamesGenerationAndNumberOfHosts) {
  RunEnd end = EndOf({{"a", HostEnd::kConfirmed}, {"b", HostEnd::kConfirmed}});
  end.generation = 7;
  EXPECT_EQ(EndingText(end, kFacts), "Generation 7 confirmed on 2 hosts.\n");
}

TEST(EndingText, NamesEveryHostThatIsLeftArmedOrLockedAndUntilWhen) {
  RunEnd end =
      EndOf({{"a", HostEnd::kReverted}, {"b", HostEnd::kGoesBack}, {"c", HostEnd::kLocked}});
  end.reason = "b was lost";
  EXPECT_EQ(EndingText(end, kFacts),
            "Rolled back, as before the run: a.\n"
            "Could not be told and go back by themselves, by 12:00:30 UTC at the latest: b.\n"
            "Not changed, but perhaps locked until 12:00:30 UTC: c.\n"
            "Reason: b was lost.\n");
}

TEST(EndingText, TellsHowALockIsTakenAway) {
  RunEnd end = EndOf({{"a", HostEnd::kRefused}});
  LockHolder holder;
  holder.run.run_id = "run-1";
  holder.run.user = "anna";
  end.holders["a"] = holder;
  const std::string text = EndingText(end, kFacts);
  EXPECT_NE(text.find("anna"), std::string::npos);
  EXPECT_NE(text.find("drover unlock --id run-1 site.yml -i 'my hosts.yml'\n"), std::string::npos)
      << text;
}

TEST(EndingValue, HasAWordForEveryHost) {
  RunEnd end = EndOf({{"a", HostEnd::kConfirmed}, {"b", HostEnd::kNotAttempted}});
  end.generation = 3;
  const Value value = EndingValue(end);
  EXPECT_EQ(value["hosts"].dump(), R"({"a":"confirmed","b":"not attempted"})");
  EXPECT_EQ(value["generation"], 3);
  EXPECT_TRUE(EndingValue({}).is_null());
}

}  // namespace
}  // namespace drover
