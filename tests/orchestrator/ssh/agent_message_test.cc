// The list of identities in the agent's wire form.

#include <gtest/gtest.h>

#include "orchestrator/ssh/agent_relay.h"

namespace drover {
namespace {

const std::vector<AgentKey>& TwoKeys() {
  static const std::vector<AgentKey> kKeys = {{"blob one", "me@here"}, {std::string(300, 'x'), ""}};
  return kKeys;
}

TEST(AgentIdentities, ComeBackAsTheyWere) {
  const auto keys = ParseIdentitiesAnswer(IdentitiesAnswer(TwoKeys()));
  ASSERT_TRUE(keys.has_value());
  EXPECT_EQ(*keys, TwoKeys());
}

TEST(AgentIdentities, CutAtAnyByteAreRefused) {
  const std::string message = IdentitiesAnswer(TwoKeys());
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(ParseIdentitiesAnswer(message.substr(0, size)).has_value()) << size;
  }
}

TEST(AgentIdentities, FailureOfTheAgentIsNoList) {
  EXPECT_FALSE(ParseIdentitiesAnswer(std::string(1, '\x05')).has_value());
}

}  // namespace
}  // namespace drover
