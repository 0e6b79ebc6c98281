// The page of the history.

#include <algorithm>

#include "orchestrator/report/drill_html.h"
#include "orchestrator/report/generations_text.h"
#include "orchestrator/report/history_text.h"
#include "orchestrator/report/html_page.h"
#include "orchestrator/report/markup.h"

namespace drover {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr std::size_t kShownDrills = 40;
constexpr std::size_t kShownVerifications = 20;
constexpr double kGutter = 64;

std::string Ms(double value) { return QuantityText(Quantity::kOutage, value); }
std::string When(std::int64_t us) { return TimeText(us / kMicroseconds); }

std::string Mark(VerdictKind kind) {
  return "<span class=\"mark " + std::string(LookOf(kind)) + "\">" + std::string(ToString(kind)) +
         "</span>";
}

void DrawBounds(Svg& svg, const DrillTrend& trend, const Scale& vertical, double left,
                double right) {
  if (!trend.predicted) return;
  const double top = vertical.Within(trend.predicted->most);
  const double bottom = vertical.Within(trend.predicted->least);
  svg.Rect(left, top, right - left, std::max(bottom - top, 1.0), "band", "predicted");
}

// Outages in the order of the runs: their times may lie months apart.
std::string TrendChart(const DrillTrend& trend, ChartSize size) {
  const double top = 8;
  const double bottom = top + (size.narrow ? 110 : 140);
  double most = std::max(trend.outage.max, 1.0);
  if (trend.predicted) most = std::max(most, trend.predicted->most);
  const Scale vertical{.from = 0, .to = most * 1.08, .left = bottom, .right = top};
  const auto count = static_cast<double>(trend.points.size());
  const Scale across{
      .from = 0, .to = std::max(count - 1, 1.0), .left = kGutter + 6, .right = size.width - 10};
  Svg svg(size.width, bottom + 22, "Outage of each run");
  DrawBounds(svg, trend, vertical, kGutter, size.width - 4);
  for (const double tick : TicksOf(0, vertical.to, NiceStep(vertical.to, 5))) {
    svg.Line(kGutter, vertical.At(tick), size.width - 4, vertical.At(tick), "grid");
    svg.Text(kGutter - 6, vertical.At(tick) + 4, Ms(tick), "end");
  }
  svg.Line(kGutter, vertical.At(trend.outage.median), size.width - 4,
           vertical.At(trend.outage.median), "median");
  std::string path;
  for (std::size_t i = 0; i < trend.points.size(); ++i) {
    path += (i == 0 ? "M" : "L") + Px(across.At(static_cast<double>(i))) + " " +
            Px(vertical.Within(trend.points[i].outage));
  }
  svg.Path(path, "trendline");
  for (std::size_t i = 0; i < trend.points.size(); ++i) {
    const TrendPoint& point = trend.points[i];
    svg.Circle(across.At(static_cast<double>(i)), vertical.Within(point.outage),
               trend.points.size() > 100 ? 2 : 3.2,
               point.verdict == VerdictKind::kPass ? "dot" : "dot bad",
               When(point.started_us) + ": " + Ms(point.outage) + ", " +
                   std::string(ToString(point.verdict)));
  }
  svg.Text(kGutter + 6, bottom + 15, When(trend.points.front().started_us).substr(0, 10));
  svg.Text(size.width - 8, bottom + 15, When(trend.points.back().started_us).substr(0, 10), "end");
  return std::move(svg).Take();
}

std::vector<HtmlTile> TilesOf(const DrillTrend& trend) {
  const bool worse = trend.regression && trend.regression->is_worse;
  const bool drifts = trend.drift && trend.drift->alarm;
  std::vector<HtmlTile> tiles = {{"runs", std::to_string(trend.runs), VerdictsText(trend),
                                  trend.newest ? std::string(LookOf(*trend.newest)) : ""}};
  if (trend.outage.n > 0) {
    tiles.push_back(
        {"median outage", Ms(trend.outage.median),
         "95 %: " + Ms(trend.median_interval.low) + " to " + Ms(trend.median_interval.high),
         worse || drifts ? "bad" : ""});
    const bool over = trend.predicted && trend.outage.p95 > trend.predicted->most;
    tiles.push_back({"p95", Ms(trend.outage.p95),
                     trend.predicted ? "bound " + Ms(trend.predicted->most) : "no bound",
                     over ? "bad" : ""});
    tiles.push_back({"max", Ms(trend.outage.max), "of " + std::to_string(trend.outage.n),
                     trend.predicted && trend.outage.max > trend.predicted->most ? "bad" : ""});
  }
  return tiles;
}

std::vector<std::string> SentencesOf(const DrillTrend& trend) {
  std::vector<std::string> texts = {"Claim: " + trend.strength.text + ".",
                                    std::to_string(trend.passes_since_failure) +
                                        " passes in a row: the probability to fail is at most " +
                                        DecimalText(trend.failure_bound * 100, 1) +
                                        " % (95 % confidence).",
                                    "Against the runs before: " + trend.regression_text + ".",
                                    "Drift (CUSUM): " + trend.drift_text + "."};
  if (trend.law) {
    const bool fits = trend.law->p_value >= 0.05;
    texts.push_back("Kolmogorov-Smirnov against the uniform law of a crash: p = " +
                    DecimalText(trend.law->p_value, 3) +
                    (fits ? ", it follows the law." : ", it does not follow the law."));
  }
  if (trend.other_timers > 0) {
    texts.push_back(std::to_string(trend.other_timers) +
                    " runs under other timers are left out of the outages.");
  }
  return texts;
}

std::string TrendSection(const DrillTrend& trend) {
  std::string text = HtmlParagraph(
      trend.playbook + (trend.inventory.empty() ? "" : " · inventory " + trend.inventory) +
          " · last run " + When(trend.newest_us) + " UTC",
      "soft small");
  text += HtmlTiles(TilesOf(trend));
  if (!trend.points.empty()) {
    text +=
        "<h3>Outage of each run</h3>\n<div class=\"legend\"><span><i class=\"k-own\"></i>pass"
        "</span><span><i class=\"k-shared\"></i>fail</span><span><i class=\"k-band\"></i>predicted"
        "</span><span>dashed: median</span></div>\n" +
        ForBothSizes([&](ChartSize size) { return TrendChart(trend, size); });
  }
  return HtmlSection(ToString(trend.fault), text + HtmlList(SentencesOf(trend), "small"));
}

std::string DrillTable(const std::vector<DrillRecord>& drills) {
  if (drills.empty()) return "";
  HtmlTable table({"when (UTC)", "fault", "verdict", "outage", "started by", "reason"}, "stack");
  std::size_t shown = 0;
  for (auto drill = drills.rbegin(); drill != drills.rend() && shown < kShownDrills;
       ++drill, ++shown) {
    const auto outage = drill->Outage();
    table.Add({EscapeMarkup(When(drill->started_us)),
               EscapeMarkup(std::string(ToString(drill->fault)) +
                            (drill->target.empty() ? "" : " on " + drill->target)),
               Mark(drill->verdict), EscapeMarkup(outage ? Ms(*outage) : "-"),
               EscapeMarkup(drill->trigger),
               EscapeMarkup(drill->reasons.empty() ? "" : drill->reasons.front())});
  }
  return std::move(table).Take();
}

std::string VerificationTable(const std::vector<VerificationRecord>& verifications) {
  if (verifications.empty()) return "";
  HtmlTable table({"when (UTC)", "playbook", "", "connections", "found"}, "stack");
  std::size_t shown = 0;
  for (auto one = verifications.rbegin();
       one != verifications.rend() && shown < kShownVerifications; ++one, ++shown) {
    std::string found;
    for (const std::string& finding : one->findings) found += HtmlParagraph(finding, "small");
    table.Add({EscapeMarkup(When(one->at_us)), EscapeMarkup(one->playbook),
               one->ok() ? "<span class=\"mark good\">clean</span>"
                         : "<span class=\"mark bad\">findings</span>",
               std::to_string(one->connections) + " (" + std::to_string(one->failed) + " failed)",
               found});
  }
  return std::move(table).Take();
}

}  // namespace

std::string HistoryHtml(const HistoryView& view, const std::string& title) {
  std::size_t worse = 0;
  for (const DrillTrend& trend : view.trends) {
    const bool alarm = (trend.regression && trend.regression->is_worse) ||
                       (trend.drift && trend.drift->alarm && trend.drift->upward);
    const bool failed = trend.newest && LookOf(*trend.newest) == "bad";
    worse += alarm || failed ? 1 : 0;
  }
  const std::string look = view.trends.empty() ? "odd" : worse > 0 ? "bad" : "good";
  const std::string badge =
      view.trends.empty() ? "no drills"
      : worse > 0
          ? std::to_string(worse) + (worse == 1 ? " fault needs a look" : " faults need a look")
          : "no fault gets worse";
  std::string body = "<header class=\"verdict " + look + "\">\n<span class=\"badge\">" + badge +
                     "</span>\n<h1>" + EscapeMarkup(title) + "</h1>\n" +
                     HtmlParagraph(std::to_string(view.drills.size()) + " drills, " +
                                       std::to_string(view.verifications.size()) + " verifications",
                                   "soft small") +
                     "</header>\n";
  for (const DrillTrend& trend : view.trends) body += TrendSection(trend);
  body += HtmlSection("The last drills", DrillTable(view.drills));
  body += HtmlSection("The last verifications", VerificationTable(view.verifications));
  return HtmlPage(title, body);
}

}  // namespace drover
