#include "orchestrator/report/drill_html.h"

#include <algorithm>
#include <array>

#include "orchestrator/report/drill_advice.h"
#include "orchestrator/report/generations_text.h"
#include "orchestrator/report/html_page.h"
#include "orchestrator/report/markup.h"

namespace drover {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;

std::string_view LookOf(Fit fit) {
  switch (fit) {
    case Fit::kWithin:
      return "good";
    case Fit::kAbove:
    case Fit::kBelow:
      return "bad";
    case Fit::kUnmeasured:
      return "odd";
  }
  return "";
}

std::string Mark(std::string_view look, std::string_view text) {
  return "<span class=\"mark " + std::string(look) + "\">" + EscapeMarkup(text) + "</span>";
}

std::string Strong(std::string_view text) { return "<b>" + EscapeMarkup(text) + "</b>"; }
std::string Formula(std::string_view text) {
  return "<span class=\"formula\">" + EscapeMarkup(text) + "</span>";
}

std::string Share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  // 100 % is said only when it is all of them.
  return DecimalText(part == whole ? 100 : std::min(share, 99.99), 2) + " %";
}

std::string SinceText(const DrillJournal& journal, ProbeTime at) {
  const auto since = at - journal.injected.value_or(ProbeTime(0));
  return (since.count() >= 0 ? "+" : "") +
         DecimalText(static_cast<double>(since.count()) / kMicroseconds, 3) + " s";
}

// --- head

std::string HeadLine(const DrillJournal& journal) {
  std::string text(ToString(journal.prediction.fault));
  if (!journal.target.empty()) text += " on " + journal.target;
  return text;
}

std::string Facts(const DrillJournal& journal) {
  std::string text = TimeText(journal.started_us / kMicroseconds) + " UTC";
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) text += " · " + name + value;
  };
  add("", journal.service);
  add("playbook ", journal.playbook);
  add("inventory ", journal.inventory);
  add("", journal.trigger);
  add("by ", journal.user + (journal.control_host.empty() ? "" : "@" + journal.control_host));
  add("probed from ", journal.prober);
  return text;
}

std::string Head(const DrillPage& page) {
  const DrillJournal& journal = page.picture.journal;
  const DrillVerdict& verdict = journal.verdict;
  std::string text = "<header class=\"verdict " + std::string(LookOf(verdict.kind)) +
                     "\">\n<span class=\"badge\">" + EscapeMarkup(ToString(verdict.kind)) +
                     "</span>\n<h1>" + EscapeMarkup(HeadLine(journal)) + "</h1>\n" +
                     HtmlParagraph(Facts(journal), "soft small");
  if (verdict.reasons.empty() && verdict.kind == VerdictKind::kPass) {
    text += HtmlParagraph(
        "Everything that was predicted was measured, within its bounds, and nothing was left "
        "behind.");
  }
  text += HtmlList(verdict.reasons, "reasons");
  if (page.stored) {
    std::string was = "Judged again by today's rules. The verdict that was stored: " +
                      std::string(ToString(page.stored->kind));
    if (!page.stored->reasons.empty()) was += ", because " + page.stored->reasons.front();
    text += HtmlParagraph(was + ".", "small");
  }
  return text + "</header>\n";
}

std::string LookOfTile(const Comparison& line) { return std::string(LookOf(line.fit)); }

std::string Tiles(const DrillPicture& picture) {
  constexpr std::array kWanted = {Quantity::kOutage,      Quantity::kSurvival,
                                  Quantity::kDoubleOwner, Quantity::kFailedConnections,
                                  Quantity::kDetection,   Quantity::kRedundancy};
  std::vector<HtmlTile> tiles;
  for (const Quantity quantity : kWanted) {
    for (const Comparison& line : picture.journal.verdict.comparisons) {
      if (line.predicted.quantity != quantity || tiles.size() == 4 || !line.measured) continue;
      tiles.push_back(
          {std::string(ToString(quantity)),
           (line.measured->at_least ? "≥ " : "") + QuantityText(quantity, line.measured->value),
           "predicted " + PredictedText(line.predicted), LookOfTile(line)});
    }
  }
  return HtmlTiles(tiles);
}

// --- prediction

std::string ComparisonTable(const DrillJournal& journal) {
  const auto& lines = journal.verdict.comparisons;
  if (lines.empty()) return "";
  HtmlTable table({"quantity", "predicted", "measured", "", ""}, "stack compare");
  for (const Comparison& line : lines) {
    std::string formula = line.predicted.formula;
    if (!line.predicted.worked.empty() && line.predicted.worked != formula) {
      formula += (formula.empty() ? "" : " — ") + line.predicted.worked;
    }
    table.Add({Strong(ToString(line.predicted.quantity)),
               EscapeMarkup(PredictedText(line.predicted)) + Formula(formula),
               Strong(MeasuredText(line)), ComparisonBar(line),
               Mark(LookOf(line.fit), ToString(line.fit))});
  }
  return "<div class=\"legend\"><span><i class=\"k-band\"></i>predicted</span><span><i "
         "class=\"k-own\"></i>measured</span></div>\n" +
         std::move(table).Take() + HtmlList(journal.prediction.notes, "small soft");
}

std::string PredictionSection(const DrillJournal& journal) {
  const FaultText& fault = TextOf(journal.prediction.fault);
  return HtmlParagraph("What is done: " + std::string(fault.what) +
                       ". What should happen: " + std::string(fault.should) + ".") +
         ComparisonTable(journal);
}

// --- timeline

std::string Timeline(const DrillPicture& picture) {
  const DrillJournal& journal = picture.journal;
  std::string text =
      "<div class=\"legend\"><span><i class=\"k-own\"></i>owned the VIP</span><span><i "
      "class=\"k-shared\"></i>two owners</span><span><i class=\"k-advert\"></i>advert</span><span>"
      "<i class=\"k-announce\"></i>announcement</span><span><i class=\"k-fault\"></i>fault</span>"
      "<span><i class=\"k-outage\"></i>outage</span><span><i class=\"k-moment\"></i>moment (list "
      "below)</span></div>\n" +
      ForBothSizes([&](ChartSize size) { return OwnersChart(picture, size); });
  ProbeTime shared{0};
  for (const TimeSpan& span : picture.analysis.shared) shared += span.to - span.from;
  text += HtmlParagraph(picture.analysis.shared.empty()
                            ? "At no time two hosts owned the VIP."
                            : "Two hosts owned the VIP for " + SpanText(shared) + " in all.");
  if (journal.moments.empty()) return text;
  HtmlTable table({"", "since injection", "host", "what"}, "");
  int number = 0;
  for (const DrillMoment& moment : journal.moments) {
    table.Add({std::to_string(++number), EscapeMarkup(SinceText(journal, moment.at)),
               EscapeMarkup(moment.host.empty() ? "drill" : moment.host),
               EscapeMarkup(moment.what)});
  }
  return text + std::move(table).Take();
}

// --- requests

std::string OutcomesTable(const DrillAnalysis& analysis) {
  HtmlTable table({"series", "since injection", "ok", "lost", "late", "error", "wrong", "unsent",
                   "outage", "brown-outs", "time to clean"},
                  "numbers stack");
  for (const SeriesAnalysis& one : analysis.series) {
    const ProbeTally& tally = one.during;
    const auto count = [](std::uint64_t number) { return std::to_string(number); };
    std::string outage = "none";
    if (one.outage) {
      outage = (one.outage->gap() ? "" : "at least ") + SpanText(one.outage->at_least());
    }
    table.Add({EscapeMarkup(one.series.name), count(tally.sent()), Share(tally.ok, tally.sent()),
               count(tally.lost), count(tally.late), count(tally.error), count(tally.wrong),
               count(tally.unsent), EscapeMarkup(outage), count(one.brown_outs.size()),
               EscapeMarkup(SpanText(one.time_to_clean))});
  }
  return std::move(table).Take();
}

std::string Outcomes(const DrillPicture& picture) {
  std::string legend = "<div class=\"legend\">";
  for (const char* fate : {"ok", "lost", "late", "error", "wrong", "unsent"}) {
    legend += "<span><i class=\"k-" + std::string(fate) + "\"></i>" + fate + "</span>";
  }
  return legend + "</div>\n" +
         ForBothSizes([&](ChartSize size) { return OutcomesChart(picture, size); }) +
         OutcomesTable(picture.analysis);
}

std::string Latencies(const DrillPicture& picture) {
  std::string text =
      "<div class=\"legend\"><span><i class=\"k-p50\"></i>median</span><span><i "
      "class=\"k-p99\"></i>99th percentile</span><span><i class=\"k-max\"></i>slowest</span><span>"
      "<i class=\"k-lost\"></i>without answer</span><span><i class=\"k-fault\"></i>fault</span>"
      "<span><i class=\"k-outage\"></i>outage</span></div>\n" +
      HtmlParagraph("Per 100 ms, from the planned send time, logarithmic.", "small soft");
  for (std::size_t i = 0; i < picture.log.header.series.size(); ++i) {
    const ProbeSeries& series = picture.log.header.series[i];
    text += "<h3>" + EscapeMarkup(series.name + " → " + series.target) + "</h3>\n" +
            ForBothSizes([&](ChartSize size) { return LatencyChart(picture, i, size); });
  }
  return text;
}

std::string Phases(const DrillPicture& picture) {
  const Waterfall& waterfall = picture.analysis.waterfall;
  if (waterfall.milestones.empty()) return "";
  const std::string who =
      waterfall.new_director
          ? "The new master is " + OwnerName(picture.journal, *waterfall.new_director) + "."
          : "No other director advertised since the injection.";
  return HtmlParagraph(who + " Since the injection; in brackets what the phase took.") +
         ForBothSizes([&](ChartSize size) { return WaterfallChart(waterfall, size); });
}

// --- connections

void AddSurvival(HtmlTable& table, const std::string& series, std::string_view age,
                 const SurvivalCount& count) {
  if (count.open == 0) return;
  const std::uint64_t known = count.open - count.unknown;
  const bool all = count.survived == known;
  table.Add({EscapeMarkup(series), EscapeMarkup(age), std::to_string(count.open),
             Mark(all ? "good" : "bad", Share(count.survived, known)),
             std::to_string(count.stalled), std::to_string(count.reset),
             std::to_string(count.wrong), std::to_string(count.silent),
             std::to_string(count.unknown)});
}

std::string Connections(const DrillAnalysis& analysis) {
  HtmlTable table({"class", "age at injection", "open", "survived", "stalled", "reset",
                   "wrong server", "silent", "not known"},
                  "numbers stack");
  bool any = false;
  for (const SeriesAnalysis& one : analysis.series) {
    if (!one.survival) continue;
    any = true;
    for (std::size_t age = 0; age < kConnectionAges; ++age) {
      AddSurvival(table, one.series.name, ToString(static_cast<ConnectionAge>(age)),
                  one.survival->by_age.at(age));
    }
  }
  if (!any) return "";
  return std::move(table).Take() +
         HtmlParagraph(
             "Survived: the next request after the takeover was answered by the same real server. "
             "Stalled: of these, the answer was late. Not known: it asked nothing since.",
             "small soft");
}

// --- gates, residue, the rest

std::string Gates(const DrillJournal& journal) {
  if (journal.gates.empty()) return "";
  HtmlTable table({"gate", "", "what was seen"}, "stack");
  for (const Gate& gate : journal.gates) {
    table.Add({Strong(gate.name), Mark(gate.green ? "good" : "bad", gate.green ? "green" : "red"),
               EscapeMarkup(gate.text) +
                   (gate.forced.empty() ? "" : Formula("gone through: " + gate.forced))});
  }
  return std::move(table).Take();
}

std::string Residue(const DrillJournal& journal) {
  const DrillFacts& facts = journal.facts;
  std::string undone;
  if (journal.undone) {
    undone = "Undone " + SinceText(journal, *journal.undone) + " after the injection" +
             (journal.undone_by.empty() ? "" : " by: " + journal.undone_by) + ". ";
  }
  if (!facts.snapshots_compared) {
    return HtmlParagraph(undone + "Not known: the nodes were not looked at after the drill.");
  }
  if (facts.residue.empty()) {
    return HtmlParagraph(undone +
                         "Nothing left: the snapshots of every node before and after the drill are "
                         "equal (addresses, links, routes, neighbours, nftables, qdiscs, sysctls, "
                         "ip_vs, processes, mounts).");
  }
  return HtmlParagraph(undone + "Left behind:") + HtmlList(facts.residue, "mono");
}

std::string LagTable(const DrillAnalysis& analysis) {
  HtmlTable table({"series", "period", "planned", "unsent", "lag median", "lag p99", "lag max"},
                  "numbers stack");
  for (const SeriesAnalysis& one : analysis.series) {
    const GeneratorLag& lag = one.lag;
    table.Add({EscapeMarkup(one.series.name), EscapeMarkup(SpanText(one.series.period)),
               std::to_string(lag.planned), std::to_string(lag.unsent),
               EscapeMarkup(SpanText(lag.p50)),
               lag.p99_unsent ? Mark("bad", "unsent")
                              : Mark(lag.is_void ? "bad" : "good", SpanText(lag.p99)),
               EscapeMarkup(SpanText(lag.max))});
  }
  return HtmlParagraph(
             "Whether the prober kept its own pace; a run is void when its lag at the "
             "99th percentile is more than half a period.",
             "small soft") +
         std::move(table).Take();
}

std::string Definitions() {
  std::string text;
  std::string_view rest = OutageDefinitions();
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    text += HtmlParagraph(rest.substr(0, end), "small");
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return text +
         HtmlParagraph(
             "Double-owner time = union of intervals with >= 2 MACs answering or "
             "announcing the VIP.",
             "small") +
         HtmlParagraph("Time to redundancy = both directors healthy, synced, gate green.",
                       "small") +
         HtmlParagraph(
             "Survival = connections whose next request after takeover succeeds on the "
             "same RS / connections open at injection.",
             "small");
}

std::string Files(const std::vector<EvidenceFile>& files) {
  if (files.empty()) return "";
  HtmlTable table({"file", "size", "what"}, "stack");
  for (const EvidenceFile& file : files) {
    table.Add({"<code>" + EscapeMarkup(file.name) + "</code>",
               DecimalText(static_cast<double>(file.bytes) / 1024, 1) + " KiB",
               EscapeMarkup(file.what)});
  }
  return std::move(table).Take();
}

std::string Foot(const DrillJournal& journal) {
  return "<footer>" + EscapeMarkup("Drill " + journal.id + " · drover " + journal.drover_version) +
         "</footer>\n";
}

}  // namespace

std::string_view LookOf(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass:
      return "good";
    case VerdictKind::kFail:
    case VerdictKind::kAbortedResidue:
      return "bad";
    case VerdictKind::kInconclusive:
    case VerdictKind::kAbortedClean:
      return "odd";
  }
  return "odd";
}

std::string PredictedText(const Envelope& predicted) {
  const std::string least = QuantityText(predicted.quantity, predicted.least);
  if (!predicted.most) return predicted.least > 0 ? "at least " + least : "no bound";
  const std::string most = QuantityText(predicted.quantity, *predicted.most);
  if (least == most) return most;
  return predicted.least > 0 ? least + " to " + most : "at most " + most;
}

std::string MeasuredText(const Comparison& comparison) {
  if (!comparison.measured) return "-";
  const Measurement& measured = *comparison.measured;
  std::string text = QuantityText(measured.quantity, measured.value);
  if (measured.at_least) text = "at least " + text;
  if (measured.uncertainty > 0) {
    text += " ± " + QuantityText(measured.quantity, measured.uncertainty);
  }
  return text;
}

std::string DrillHtml(const DrillPage& page) {
  const DrillPicture& picture = page.picture;
  const DrillJournal& journal = picture.journal;
  const DrillAnalysis& analysis = picture.analysis;
  const bool probed = !picture.log.records.empty();
  const std::string body =
      Head(page) + Tiles(picture) +
      HtmlSection("What to do", HtmlList(AdviceFor(journal, analysis))) +
      HtmlSection("Prediction against measurement", PredictionSection(journal)) +
      (probed ? HtmlSection("Who owned the VIP", Timeline(picture)) +
                    HtmlSection("What became of requests", Outcomes(picture)) +
                    HtmlSection("Latencies", Latencies(picture)) +
                    HtmlSection("Phases of the failover", Phases(picture)) +
                    HtmlSection("Connections that were open", Connections(analysis))
              : "") +
      HtmlSection("Gates", Gates(journal)) + HtmlSection("Is anything left?", Residue(journal)) +
      (probed ? HtmlSection("The prober", LagTable(analysis)) : "") +
      HtmlSection("Definitions", Definitions()) + HtmlSection("Evidence", Files(page.files)) +
      Foot(journal);
  return HtmlPage("Drill " + HeadLine(journal) + ": " + std::string(ToString(journal.verdict.kind)),
                  body);
}

}  // namespace drover
