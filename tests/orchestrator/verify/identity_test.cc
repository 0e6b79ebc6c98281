// Who answered: names and addresses in pages, MACs and what speaks against them.

#include "orchestrator/verify/identity.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/verify/evidence.h"

namespace drover {
namespace {

using namespace verify_test;  // NOLINT: the vocabulary of these tests

TEST(Identity, PageNamesAServerOnlyAsAWordOfItsOwn) {
  const std::vector<ExpectedServer> servers = {Server("rs1", "10.0.0.1"),
                                               Server("rs10", "10.0.0.11"),
                                               Server("web-a.example.com", "2001:db8::a")};
  struct Case {
    std::string page;
    std::string want;
  };
  const std::vector<Case> cases = {
      {"rs1", "rs1"},
      {"Hello from RS1!", "rs1"},
      {"served by rs10.", "rs10"},
      {"rs1.example.com", "rs1"},
      {"rs100", ""},
      {"my-rs1", ""},
      {"x.rs1", ""},
      {"rs1 or rs10", ""},
      {"10.0.0.1", "rs1"},
      {"I am 10.0.0.11.", "rs10"},
      {"10.0.0.1:80", "rs1"},
      {"110.0.0.1", ""},
      {"10.0.0.1.7", ""},
      {"1.10.0.0.1", ""},
      {"<h1>web-a</h1>", "web-a.example.com"},
      {"web-a.example.com", "web-a.example.com"},
      {"from [2001:db8::a]", "web-a.example.com"},
      {"2001:db8::ab", ""},
      {"rs1 is 10.0.0.1", "rs1"},
      {"", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(ServerNamedIn(c.page, servers), c.want) << c.page;
}

TEST(Identity, ServerKnownByItsAddressOnlyIsNotFoundByANumber) {
  const std::vector<ExpectedServer> servers = {Server("10.0.0.1", "10.0.0.1")};
  EXPECT_EQ(ServerNamedIn("10 items", servers), "");
  EXPECT_EQ(ServerNamedIn("10.0.0.1", servers), "10.0.0.1");
}

TEST(Identity, MacOfSeveralHostsIsNobodys) {
  const MacDirectory macs({{"rs1", "02:00:00:00:00:0A"},
                           {"rs2", "02:00:00:00:00:0a"},
                           {"rs3", "02:00:00:00:00:0B"},
                           {"rs4", ""}});
  EXPECT_EQ(macs.HostOf("02:00:00:00:00:0a"), std::nullopt);
  EXPECT_EQ(macs.HostOf("02:00:00:00:00:0b"), "rs3");
  EXPECT_TRUE(macs.Knows("rs1"));
  EXPECT_FALSE(macs.Knows("rs4"));
}

TEST(Identity, ServerBehindARouterIsKnownByItsPage) {
  const VerifyExpectation expectation = Expect();
  const MacDirectory macs({{"lb1", Mac("lb1")}});  // real servers are on another network
  const Identifier identifier(expectation, expectation.services.front(), macs);
  const Answerer answerer = identifier.Identify(Answer("06:00:00:00:00:01", "this is rs2"));
  EXPECT_EQ(answerer.name, "rs2");
  EXPECT_EQ(answerer.oddity, Oddity::kNone);
  EXPECT_EQ(identifier.Identify(Answer("06:00:00:00:00:01")).name, kUnknownServer);
}

TEST(Identity, ServerOnTheNetworkThatAnswersFromAnotherCardIsOdd) {
  const VerifyExpectation expectation = Expect();
  const MacDirectory macs({{"rs2", Mac("rs2")}});
  const Identifier identifier(expectation, expectation.services.front(), macs);
  const Answerer answerer = identifier.Identify(Answer("06:00:00:00:00:01", "this is rs2"));
  EXPECT_EQ(answerer.name, "rs2");
  EXPECT_EQ(answerer.oddity, Oddity::kThroughOther);
}

TEST(Identity, WithoutMacThePageDecides) {
  const VerifyExpectation expectation = Expect();
  const MacDirectory macs({{"rs2", Mac("rs2")}});
  const Identifier identifier(expectation, expectation.services.front(), macs);
  const Answerer answerer = identifier.Identify(Answer("", "this is rs2"));
  EXPECT_EQ(answerer.name, "rs2");
  EXPECT_EQ(answerer.oddity, Oddity::kNone);
}

}  // namespace
}  // namespace drover
