// The page of a drill: well formed, complete, asking nobody for anything, and never led astray by
// what a node or a user wrote.

#include "orchestrator/report/drill_html.h"

#include <expat.h>
#include <gtest/gtest.h>

#include <memory>

#include "orchestrator/report/drill_advice.h"
#include "orchestrator/report/drill_junit.h"
#include "orchestrator/report/drill_text.h"
#include "orchestrator/report/history_text.h"
#include "orchestrator/report/html_page.h"
#include "orchestrator/report/markup.h"
#include "sample_drill.h"

namespace drover {
namespace {

// Empty when `text` is well-formed XML.
std::string OffenceOf(const std::string& text) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate("UTF-8"), &XML_ParserFree);
  if (XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), 1) == XML_STATUS_OK) {
    return "";
  }
  return std::string(XML_ErrorString(XML_GetErrorCode(parser.get()))) + " in line " +
         std::to_string(XML_GetCurrentLineNumber(parser.get()));
}

const SampleDrill& Passed() {
  static const SampleDrill kSample = MakeSampleDrill();
  return kSample;
}

const SampleDrill& Failed() {
  static const SampleDrill kSample = MakeSampleDrill({.outage = std::chrono::milliseconds(5100),
                                                      .residue = true,
                                                      .shared = std::chrono::milliseconds(1400)});
  return kSample;
}

std::string PageOf(const SampleDrill& sample) {
  return DrillHtml({{sample.journal, sample.analysis, sample.log},
                    {{"probe.dplg", 2048, "every probe"}},
                    std::nullopt});
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(DrillHtml, IsWellFormed) {
  EXPECT_EQ(OffenceOf(PageOf(Passed())), "");
  EXPECT_EQ(OffenceOf(PageOf(Failed())), "");
}

TEST(DrillHtml, IsWellFormedForADrillThatWasNeverInjected) {
  DrillJournal journal;
  journal.id = "x";
  journal.facts.gates = {"peer healthy: lb2 is down"};
  const DrillAnalysis analysis;
  const ProbeLog log;
  const std::string page = DrillHtml({{journal, analysis, log}, {}, std::nullopt});
  EXPECT_EQ(OffenceOf(page), "");
  EXPECT_TRUE(Has(page, "inconclusive"));
}

TEST(DrillHtml, AsksNobodyForAnything) {
  const std::string page = PageOf(Passed());
  for (const char* way :
       {"<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import"}) {
    EXPECT_FALSE(Has(page, way)) << way;
  }
}

TEST(DrillHtml, BeginsWithTheVerdictAndItsReasons) {
  const std::string page = PageOf(Failed());
  const std::size_t verdict = page.find("class=\"badge\">fail<");
  const std::size_t reason = page.find("left behind: lb1: nft");
  const std::size_t table = page.find("Prediction against measurement");
  EXPECT_LT(verdict, reason);
  EXPECT_LT(reason, table);
  EXPECT_NE(table, std::string::npos);
}

TEST(DrillHtml, HasEverySection) {
  const std::string page = PageOf(Passed());
  for (const char* heading : {"What to do", "Prediction against measurement", "Who owned the VIP",
                              "What became of requests", "Latencies", "Phases of the failover",
                              "Connections that were open", "Gates", "Is anything left?",
                              "The prober", "Definitions", "Evidence"}) {
    EXPECT_TRUE(Has(page, "<h2>" + std::string(heading) + "</h2>")) << heading;
  }
}

TEST(DrillHtml, HasTheDefinitionsWordForWord) {
  const std::string page = PageOf(Passed());
  std::string_view rest = OutageDefinitions();
  while (!rest.empty()) {
    const std::string line(rest.substr(0, rest.find('\n')));
    EXPECT_TRUE(Has(page, EscapeMarkup(line))) << line;
    rest.remove_prefix(line.size() + 1);
  }
}

TEST(DrillHtml, NamesOwnersByHostAndMarksTwo) {
  EXPECT_TRUE(Has(PageOf(Passed()), "At no time two hosts owned the VIP."));
  const std::string page = PageOf(Failed());
  EXPECT_TRUE(Has(page, ">lb1</text>"));
  EXPECT_TRUE(Has(page, "Two hosts owned the VIP for 1.4 s"));
  EXPECT_TRUE(Has(page, "class=\"shared\""));
}

TEST(DrillHtml, SaysWhenNothingIsLeftAndWhatIs) {
  EXPECT_TRUE(Has(PageOf(Passed()), "Nothing left"));
  EXPECT_TRUE(Has(PageOf(Failed()), "lb1: nft: + table inet drover_drill"));
}

TEST(DrillHtml, KeepsWhatOthersWroteAsText) {
  SampleDrill sample = MakeSampleDrill();
  const std::string evil = "<script>alert('x')</script>\" onload=\"y\" & \x01 \xFF";
  sample.journal.target = evil;
  sample.journal.user = evil;
  sample.journal.moments.front().what = evil;
  sample.journal.gates.front().text = evil;
  sample.journal.facts.residue = {evil};
  sample.journal.macs = {{evil, {2, 0, 0, 0, 0, 1}}};
  sample.journal.verdict.reasons = {evil};
  sample.log.header.series.front().name = evil;
  sample.analysis.series.front().series.name = evil;
  const std::string page = PageOf(sample);
  EXPECT_EQ(OffenceOf(page), "");
  EXPECT_FALSE(Has(page, "<script"));
  EXPECT_FALSE(Has(page, "\" onload=\""));
}

TEST(DrillHtml, SaysWhichVerdictWasStoredWhenItIsJudgedAgain) {
  const SampleDrill& sample = Passed();
  const DrillVerdict stored{.kind = VerdictKind::kFail, .reasons = {"rules were other ones"}};
  const std::string page = DrillHtml({{sample.journal, sample.analysis, sample.log}, {}, stored});
  EXPECT_TRUE(Has(page, "The verdict that was stored: fail, because rules were other ones."));
}

TEST(DrillAdvice, HasNothingToMendAfterAPass) {
  ASSERT_EQ(Passed().journal.verdict.kind, VerdictKind::kPass)
      << (Passed().journal.verdict.reasons.empty() ? "" : Passed().journal.verdict.reasons.front());
  const auto advice = AdviceFor(Passed().journal, Passed().analysis);
  ASSERT_EQ(advice.size(), 1U);
  EXPECT_TRUE(Has(advice.front(), "Nothing to mend"));
}

TEST(DrillAdvice, SaysWhichTermIsOff) {
  ASSERT_EQ(Failed().journal.verdict.kind, VerdictKind::kFail);
  std::string all;
  for (const std::string& text : AdviceFor(Failed().journal, Failed().analysis)) all += text + "\n";
  EXPECT_TRUE(Has(all, "Something is left of the drill")) << all;
  EXPECT_TRUE(Has(all, "Detection is what is off")) << all;
}

TEST(DrillAdvice, NamesTheSyncSettingThatWouldHaveSavedConnections) {
  SampleDrill sample = MakeSampleDrill();
  Envelope survival{.quantity = Quantity::kSurvival, .least = 0.999, .most = 1};
  sample.journal.verdict.comparisons = {
      {survival, Measurement{Quantity::kSurvival, 0.5, 0, false}, Fit::kBelow}};
  sample.journal.cluster.sync.refresh = {};
  const auto advice = AdviceFor(sample.journal, sample.analysis);
  EXPECT_TRUE(Has(advice.front(), "net.ipv4.vs.sync_threshold")) << advice.front();
  sample.journal.cluster.sync.running = false;
  EXPECT_TRUE(Has(AdviceFor(sample.journal, sample.analysis).front(), "connection_sync"));
}

TEST(DrillJunit, IsWellFormedWithACasePerComparisonGateAndTheResidue) {
  const std::string text = DrillJunit(Failed().journal);
  EXPECT_EQ(OffenceOf(text), "");
  EXPECT_TRUE(Has(text, "name=\"outage\""));
  EXPECT_TRUE(Has(text, "name=\"gate: peer healthy\""));
  EXPECT_TRUE(Has(text, "<failure message=\"1 left behind\">lb1: nft"));
  EXPECT_TRUE(Has(text, "<skipped message=\"gone through: release &lt;freeze&gt; &amp; all\""));
  EXPECT_TRUE(Has(text, "timestamp=\"2026-01-31T02:15:00\"")) << text;
}

TEST(DrillText, SaysTheVerdictAndEveryComparison) {
  const std::string text = DrillText(Failed().journal, Failed().analysis, {});
  EXPECT_TRUE(text.starts_with("director-crash on lb1, 2026-01-31 02:15:00 UTC: fail\n")) << text;
  EXPECT_TRUE(Has(text, "QUANTITY"));
  EXPECT_TRUE(Has(text, "What to do:"));
}

TEST(HistoryHtml, IsWellFormedWhateverIsInIt) {
  HistoryView view;
  EXPECT_EQ(OffenceOf(HistoryHtml(view, "Drills")), "");
  for (int i = 0; i < 40; ++i) {
    view.drills.push_back({.id = std::to_string(i),
                           .playbook = "<b>&.yml",
                           .target = "\x02",
                           .started_us = i,
                           .verdict = i % 7 == 0 ? VerdictKind::kFail : VerdictKind::kPass,
                           .reasons = {"<script>"},
                           .measured = {{Quantity::kOutage, 100.0 + i % 5, 1, false}},
                           .predicted = PredictedOutage{90, 120, true}});
  }
  view.verifications = {{.id = "v", .playbook = "\xFF", .findings = {"<i>"}}};
  view.trends = TrendsOf(view.drills);
  const std::string page = HistoryHtml(view, "Drills & more");
  EXPECT_EQ(OffenceOf(page), "");
  EXPECT_FALSE(Has(page, "<script"));
  EXPECT_TRUE(Has(page, "40 drills, 1 verifications"));
}

TEST(HistoryText, HasATrendPerFault) {
  HistoryView view;
  EXPECT_EQ(HistoryText(view, 0, false), "No drill is remembered here.\n");
  for (const double outage : {100.0, 300.0, 200.0}) {
    view.drills.push_back({.id = std::to_string(outage),
                           .playbook = "site.yml",
                           .verdict = VerdictKind::kPass,
                           .measured = {{Quantity::kOutage, outage, 1, false}}});
  }
  view.trends = TrendsOf(view.drills);
  const std::string text = HistoryText(view, 0, false);
  EXPECT_TRUE(Has(text, "▁█▅")) << text;
  EXPECT_TRUE(Has(text, "3 pass")) << text;
  EXPECT_TRUE(Has(text, "median 200 ms")) << text;
}

TEST(EscapeMarkup, KeepsTextAndReplacesWhatIsNone) {
  struct Case {
    std::string in;
    std::string want;
  };
  for (const Case& one :
       {Case{"<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"},
        Case{"größer ▁ 😀", "größer ▁ 😀"}, Case{std::string("a\0b\x1b", 4), "a\uFFFDb\uFFFD"},
        Case{"cut \xE2\x96", "cut \uFFFD\uFFFD"},
        Case{"\xC0\xAF\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"},
        Case{"tab\tand\nline", "tab\tand\nline"}}) {
    EXPECT_EQ(EscapeMarkup(one.in), one.want);
  }
}

TEST(DecimalText, LeavesZerosOut) {
  EXPECT_EQ(DecimalText(3, 2), "3");
  EXPECT_EQ(DecimalText(3.25, 3), "3.25");
  EXPECT_EQ(DecimalText(-0.001, 1), "0");
  EXPECT_EQ(DecimalText(100, 0), "100");
}

TEST(Svg, TicksAreRoundNumbers) {
  EXPECT_EQ(NiceStep(36, 10), 5);
  EXPECT_EQ(NiceStep(0.3, 5), 0.1);
  EXPECT_EQ(TicksOf(-10.2, 11, 5), (std::vector<double>{-10, -5, 0, 5, 10}));
}

}  // namespace
}  // namespace drover
