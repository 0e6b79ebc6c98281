#include "orchestrator/report/verify_text.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(VerifyText, ShowsWhoServedHowFastAndInWhichOrder) {
  VerifyReport report;
  ServiceEvidence service;
  service.service = "tcp 10.0.0.100:80";
  service.connections = 6;
  service.servers = {{"rs1", 2}, {"real-2", 2}, {"rs3", 2}};
  service.sequence = {"rs1", "real-2", "rs3", "rs1", "real-2", "rs3"};
  service.median = std::chrono::microseconds(420);
  service.p99 = std::chrono::microseconds(1100);
  service.max = std::chrono::microseconds(2000);
  service.law = "exact: rr";
  report.services = {service};
  report.arp = {"10.0.0.100: d1 answers"};
  report.notes = {"reply path not seen from here"};
  EXPECT_EQ(VerifyText(report, false),
            "    tcp 10.0.0.100:80  6 connections  (exact: rr)\n"
            "      rs1        2  ##############################\n"
            "      real-2     2  ##############################\n"
            "      rs3        2  ##############################\n"
            "      latency: median 0.42 ms, p99 1.10 ms, max 2.00 ms\n"
            "      order:   rs1 real-2 rs3, 2 times\n"
            "    arp: 10.0.0.100: d1 answers\n"
            "    note: reply path not seen from here\n");
}

TEST(VerifyText, FindingSaysWhyAndWhatToDo) {
  VerifyReport report;
  report.findings = {{"arp-owner", "rs2", "rs2 answers ARP for 10.0.0.100",
                      "clients reach rs2 directly", "set arp_ignore to 1 on rs2"}};
  EXPECT_EQ(VerifyText(report, false),
            "    arp-owner on rs2: rs2 answers ARP for 10.0.0.100\n"
            "      why:    clients reach rs2 directly\n"
            "      remedy: set arp_ignore to 1 on rs2\n");
}

TEST(VerifyText, ServiceThatNeverAnsweredHasNoLatency) {
  VerifyReport report;
  ServiceEvidence service;
  service.service = "tcp 10.0.0.100:80";
  service.connections = 1;
  service.failed = 1;
  service.servers = {{"rs1", 0}};
  service.sequence = {"-"};
  report.services = {service};
  EXPECT_EQ(VerifyText(report, false),
            "    tcp 10.0.0.100:80  1 connection, 1 failed\n"
            "      rs1     0\n"
            "      order:   -\n");
}

TEST(SequenceText, RepetitionIsCountedAndOtherwiseOnlyTheBeginningIsShown) {
  EXPECT_EQ(SequenceText({"a", "b", "a", "b", "a"}), "a b, 2 times, then a");
  EXPECT_EQ(SequenceText({"a", "a", "a"}), "a, 3 times");
  EXPECT_EQ(SequenceText({"a", "b", "b"}), "a b b");
  EXPECT_EQ(SequenceText({}), "");
  std::vector<std::string> irregular(40, "a");
  irregular[20] = "b";
  EXPECT_EQ(SequenceText(irregular), "a a a a a a a a a a a a a a a a …");
}

}  // namespace
}  // namespace drover
