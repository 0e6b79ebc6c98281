// Who may claim a VIP: the words for people, and what is not claimed without evidence.

#include "orchestrator/verify/arp_law.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/verify/evidence.h"

namespace drover {
namespace {

using namespace verify_test;  // NOLINT: the vocabulary of these tests

VerifyReport JudgeAnswers(const ArpAnswers& arp, const std::vector<PeerMac>& peers) {
  VerifyExpectation expectation = Expect();
  expectation.services.front().key.address = arp.vip;
  VerifyReport report;
  JudgeArp(expectation, {arp}, MacDirectory(peers), report);
  return report;
}

ArpAnswers Asked(const std::string& vip, std::map<std::string, std::uint32_t> answers) {
  return {.vip = *IpAddress::Parse(vip),
          .on_link = true,
          .local = false,
          .interface = "eth0",
          .answers = std::move(answers)};
}

TEST(ArpLaw, RealServerThatAnswersIsNamedWithMacReasonAndRemedy) {
  const VerifyReport report =
      JudgeAnswers(Asked("10.0.0.100", {{Mac("rs2"), 3}, {Mac("lb1"), 4}}),
                   {{"lb1", Mac("lb1")}, {"lb2", Mac("lb2")}, {"rs2", Mac("rs2")}});
  ASSERT_EQ(Rules(report), "arp-real-server@rs2");
  const Finding& finding = report.findings.front();
  EXPECT_EQ(finding.message, "the real server rs2 (02:00:00:00:00:04) claims 10.0.0.100 by ARP");
  EXPECT_NE(finding.why.find("bypass the director"), std::string::npos);
  EXPECT_NE(finding.remedy.find("net.ipv4.conf.all.arp_ignore=1"), std::string::npos);
  EXPECT_NE(finding.remedy.find("arp_announce=2"), std::string::npos);
  EXPECT_EQ(report.arp.front(),
            "10.0.0.100 on eth0: lb1 (02:00:00:00:00:01) 4 answers, rs2 (02:00:00:00:00:04) 3 "
            "answers");
}

TEST(ArpLaw, SixSpeaksOfNeighbourDiscovery) {
  const VerifyReport report =
      JudgeAnswers(Asked("2001:db8::100", {{Mac("rs2"), 3}, {Mac("lb1"), 4}}),
                   {{"lb1", Mac("lb1")}, {"rs2", Mac("rs2")}});
  ASSERT_EQ(Rules(report), "arp-real-server@rs2");
  EXPECT_NE(report.findings.front().message.find("neighbour discovery"), std::string::npos);
  EXPECT_EQ(report.findings.front().remedy.find("arp_ignore"), std::string::npos);
}

TEST(ArpLaw, OneOfTheHostsThatMayHoldTheVipIsRight) {
  VerifyExpectation expectation = Expect();
  const IpAddress vip = *IpAddress::Parse("10.0.0.100");
  expectation.holders[vip] = {"lb1", "lb2"};
  for (const char* owner : {"lb1", "lb2"}) {
    VerifyReport report;
    JudgeArp(expectation, {Asked("10.0.0.100", {{Mac(owner), 4}})},
             MacDirectory({{"lb1", Mac("lb1")}, {"lb2", Mac("lb2")}}), report);
    EXPECT_EQ(Rules(report), "") << owner;
  }
  VerifyReport both;
  JudgeArp(expectation, {Asked("10.0.0.100", {{Mac("lb1"), 4}, {Mac("lb2"), 1}})},
           MacDirectory({{"lb1", Mac("lb1")}, {"lb2", Mac("lb2")}}), both);
  EXPECT_EQ(Rules(both), "arp-double-owner");
}

TEST(ArpLaw, ADirectorOfAnotherVipIsAStrangerHere) {
  VerifyExpectation expectation = Expect();
  expectation.holders[*IpAddress::Parse("10.0.0.100")] = {"lb1"};
  VerifyReport report;
  JudgeArp(expectation, {Asked("10.0.0.100", {{Mac("lb1"), 4}, {Mac("lb2"), 4}})},
           MacDirectory({{"lb1", Mac("lb1")}, {"lb2", Mac("lb2")}}), report);
  EXPECT_EQ(Rules(report), "arp-stranger@lb2");
}

TEST(ArpLaw, UnknownMacIsOnlyANoteWhileADirectorsMacIsUnknown) {
  const VerifyReport report =
      JudgeAnswers(Asked("10.0.0.100", {{"06:66:66:66:66:66", 4}}), {{"lb1", Mac("lb1")}});
  EXPECT_EQ(Rules(report), "");
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes.front().find("06:66:66:66:66:66"), std::string::npos);
}

// Directors with a card outside and one inside, and a probe on both networks that knows them by
// their outer addresses.
TEST(ArpLaw, ADirectorsSecondCardIsNoStranger) {
  const std::vector<PeerMac> outside = {{"lb1", Mac("lb1"), "eth0"}, {"lb2", Mac("lb2"), "eth0"}};
  ArpAnswers arp = Asked("10.0.0.100", {{"06:66:66:66:66:66", 4}});
  EXPECT_EQ(Rules(JudgeAnswers(arp, outside)), "arp-stranger arp-no-owner");
  arp.interface = "eth1";
  EXPECT_EQ(Rules(JudgeAnswers(arp, outside)), "");
  EXPECT_EQ(JudgeAnswers(arp, outside).notes.size(), 1U);
}

TEST(ArpLaw, AddressOfTheProbingHostNeedsNoAnswerButNoOtherOwnerEither) {
  ArpAnswers arp = Asked("10.0.0.100", {});
  arp.local = true;
  EXPECT_EQ(Rules(JudgeAnswers(arp, {})), "");
  EXPECT_EQ(JudgeAnswers(arp, {}).arp.front(), "10.0.0.100 on eth0: this host itself");
  arp.answers = {{Mac("rs2"), 1}};
  EXPECT_EQ(Rules(JudgeAnswers(arp, {{"rs2", Mac("rs2")}})), "arp-real-server@rs2");
}

TEST(ArpLaw, DirectorThatIsARealServerTooMayAnswer) {
  VerifyExpectation expectation = Expect();
  expectation.real_servers.push_back("lb1");
  VerifyReport report;
  JudgeArp(expectation, {Asked("10.0.0.100", {{Mac("lb1"), 4}})},
           MacDirectory({{"lb1", Mac("lb1")}, {"lb2", Mac("lb2")}}), report);
  EXPECT_TRUE(report.ok());
}

}  // namespace
}  // namespace drover
