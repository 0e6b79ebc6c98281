// What `drover verify` found, as text, as JSON and as JUnit's XML.

#include "orchestrator/report/verification_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace drover {
namespace {

Verification Found() {
  Verification found{.playbook = "site.yml",
                     .started = "2026-01-31T12:00:00Z",
                     .duration = std::chrono::microseconds(1'500'000)};
  ProbeReport probe{.host = "ctl", .task = "Proof"};
  probe.report.Add({"answers", "tcp 10.0.0.100:80", {}, ""});
  probe.report.Add({"segment-size", "tcp 10.0.0.100:80", {}, "no HTTP path"});
  found.probes.push_back(probe);
  found.cluster.Add({"vip-hidden",
                     "rs2",
                     {{"arp-announce", "rs2", "arp_announce is 0 for <eth0>", "they go \"past\" it",
                       "set it & see"}},
                     ""});
  found.cluster.notes = {"rs9 was not looked at"};
  return found;
}

TEST(VerificationReport, TextSumsUpAndShowsWhatHeldOnlyWhenAsked) {
  EXPECT_EQ(VerificationText(Found(), false, false),
            "\nprobe on ctl: Proof\n"
            "\nhosts\n"
            "    note: rs9 was not looked at\n"
            "    arp-announce on rs2: arp_announce is 0 for <eth0>\n"
            "      why:    they go \"past\" it\n"
            "      remedy: set it & see\n"
            "\n1 check held, 1 did not: 1 finding, 1 skipped\n");
  const std::string all = VerificationText(Found(), true, false);
  EXPECT_NE(all.find("    ok:      answers  tcp 10.0.0.100:80\n"), std::string::npos);
  EXPECT_NE(all.find("    skipped: segment-size  tcp 10.0.0.100:80  (no HTTP path)\n"),
            std::string::npos);
}

TEST(VerificationReport, JsonHasEveryCheckWithItsFindings) {
  const auto json = nlohmann::json::parse(VerificationJson(Found()));
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["findings"], 1);
  ASSERT_EQ(json["checks"].size(), 3U);
  EXPECT_EQ(json["checks"][0]["from"], "ctl");
  EXPECT_EQ(json["checks"][1]["skipped"], "no HTTP path");
  EXPECT_EQ(json["checks"][2]["findings"][0]["rule"], "arp-announce");
  EXPECT_EQ(json["checks"][2]["subject"], "rs2");
}

TEST(VerificationReport, LinesEndWithTheVerdict) {
  const std::string lines = VerificationLines(Found());
  std::vector<nlohmann::json> events;
  for (std::size_t start = 0; start < lines.size();) {
    const std::size_t end = lines.find('\n', start);
    events.push_back(nlohmann::json::parse(lines.substr(start, end - start)));
    start = end + 1;
  }
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[3]["event"], "note");
  EXPECT_EQ(events[4]["event"], "verdict");
  EXPECT_EQ(events[4]["ok"], false);
}

TEST(VerificationReport, JunitHasOneCasePerLawAndSubject) {
  Verification found = Found();
  found.unreachable["lb2"] = "no route";
  const std::string xml = VerificationJunit(found);
  for (const char* part :
       {"tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"1\"", "<testsuite name=\"ctl: Proof\"",
        "timestamp=\"2026-01-31T12:00:00\"",
        "<testcase classname=\"answers\" name=\"tcp 10.0.0.100:80\"",
        "<skipped message=\"no HTTP path\"",
        "<failure message=\"arp-announce on rs2: arp_announce is 0 for &lt;eth0&gt;\"",
        "why: they go &quot;past&quot; it\nremedy: set it &amp; see\n</failure>",
        "<testcase classname=\"unreachable\" name=\"lb2\"", "<error message=\"no route\""}) {
    EXPECT_NE(xml.find(part), std::string::npos) << part << "\n" << xml;
  }
}

}  // namespace
}  // namespace drover
