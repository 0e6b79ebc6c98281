// DNS questions as bytes, and the verdict on answers: good, bad, cut and made to confuse.

#include "node-helper/checks/dns_message.h"

#include <gtest/gtest.h>

#include "tests/node-helper/checks/print.h"

namespace drover {
namespace {

using namespace std::string_literals;

const DnsCheck kAddress{.name = "www.example.com", .type = "A"};
const DnsCheck kRoot{};

const std::string kQuestion =
    "\x03www\x07"
    "example\x03"
    "com\x00\x00\x01\x00\x01"s;

std::string Header(const std::string& flags, char answers) {
  return "\x12\x34"s + flags + "\x00\x01\x00"s + answers + "\x00\x00\x00\x00"s;
}

// One record: the name points at the question (RFC 1035, section 4.1.4).
const std::string kRecord = "\xC0\x0C\x00\x01\x00\x01\x00\x00\x00\x3C\x00\x04\x0A\x00\x00\x01"s;
const std::string kAlias = "\xC0\x0C\x00\x05\x00\x01\x00\x00\x00\x3C\x00\x02\xC0\x10"s;

TEST(DnsMessage, TheQuestionIsEncodedAsRfc1035Says) {
  EXPECT_EQ(EncodeDnsQuery(0x1234, kAddress),
            "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"s + kQuestion);
  EXPECT_EQ(EncodeDnsQuery(0xFFFF, kRoot),
            "\xFF\xFF\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01"s);
  EXPECT_EQ(EncodeDnsQuery(1, {.name = "a.", .type = "TXT"}),
            EncodeDnsQuery(1, {.name = "a", .type = "TXT"}));
}

TEST(DnsMessage, OnlyAnAnswerWithOurIdIsOurs) {
  EXPECT_TRUE(AnswersDnsQuery(Header("\x81\x80"s, 1), 0x1234));
  EXPECT_FALSE(AnswersDnsQuery(Header("\x81\x80"s, 1), 0x1235));
  EXPECT_FALSE(AnswersDnsQuery(Header("\x01\x00"s, 1), 0x1234)) << "a question is no answer";
  EXPECT_FALSE(AnswersDnsQuery("\x12\x34\x81\x80", 0x1234));
  EXPECT_FALSE(AnswersDnsQuery("", 0x1234));
}

TEST(DnsMessage, AnswersAreJudged) {
  struct Case {
    std::string name;
    std::string answer;
    std::string reason;  // empty: ok
  };
  const std::vector<Case> cases = {
      {"address", Header("\x81\x80"s, 1) + kQuestion + kRecord, ""},
      {"alias and address", Header("\x81\x80"s, 2) + kQuestion + kAlias + kRecord, ""},
      {"upper case",
       Header("\x81\x80"s, 1) + "\x03WWW\x07"s + "Example\x03"s + "com\x00\x00\x01\x00\x01"s +
           kRecord,
       ""},
      {"alias only", Header("\x81\x80"s, 1) + kQuestion + kAlias, "the answer has no A record"},
      {"nothing", Header("\x81\x80"s, 0) + kQuestion, "the answer has no A record"},
      {"refused", Header("\x81\x85"s, 0) + kQuestion, "the DNS server says REFUSED"},
      {"server failure", Header("\x81\x82"s, 0), "the DNS server says SERVFAIL"},
      {"no name", Header("\x81\x83"s, 0) + kQuestion,
       "the DNS server says NXDOMAIN: the name does not exist"},
      {"code 15", Header("\x81\x8F"s, 0) + kQuestion, "the DNS server says error 15"},
      {"other opcode", Header("\x89\x80"s, 0) + kQuestion, "the answer is not good DNS"},
      {"other name", Header("\x81\x80"s, 1) + "\x03xyz\x00\x00\x01\x00\x01"s + kRecord,
       "the answer is to another question"},
      {"more records promised", Header("\x81\x80"s, 9) + kQuestion + kRecord,
       "the answer is not good DNS"},
      {"name points at itself", Header("\x81\x80"s, 1) + kQuestion + "\xC0\x21"s,
       "the answer is not good DNS"},
      {"reserved label", Header("\x81\x80"s, 1) + kQuestion + "\x80\x01"s,
       "the answer is not good DNS"},
  };
  for (const Case& c : cases) {
    const CheckAnswer outcome = JudgeDnsAnswer(c.answer, kAddress);
    EXPECT_EQ(outcome.ok(), c.reason.empty()) << c.name << ": " << outcome.reason;
    EXPECT_EQ(outcome.reason, c.reason) << c.name;
  }
}

TEST(DnsMessage, ANameThatDoesNotExistIsAnAnswerWhenNoAddressIsNeeded) {
  const DnsCheck check{.name = "www.example.com", .type = "TXT"};
  const std::string question = kQuestion.substr(0, kQuestion.size() - 4) + "\x00\x10\x00\x01"s;
  EXPECT_TRUE(JudgeDnsAnswer(Header("\x81\x83"s, 0) + question, check).ok());
}

TEST(DnsMessage, CutAtEveryByteItIsNoGoodAnswer) {
  const std::string whole = Header("\x81\x80"s, 1) + kQuestion + kRecord;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(JudgeDnsAnswer(whole.substr(0, size), kAddress).ok()) << size;
  }
}

}  // namespace
}  // namespace drover
