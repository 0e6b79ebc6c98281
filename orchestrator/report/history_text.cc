#include "orchestrator/report/history_text.h"

#include <nlohmann/json.hpp>

#include "orchestrator/report/drill_text.h"
#include "orchestrator/report/generations_text.h"
#include "orchestrator/report/markup.h"
#include "orchestrator/report/table.h"
#include "protocol/json_reader.h"

namespace drover {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr std::size_t kSparkline = 24;
constexpr std::size_t kShownVerifications = 5;

std::vector<double> OutagesOf(const DrillTrend& trend) {
  std::vector<double> values;
  for (const TrendPoint& point : trend.points) values.push_back(point.outage);
  return values;
}

std::string Ms(double value) { return QuantityText(Quantity::kOutage, value); }

std::string TrendLines(const DrillTrend& trend) {
  std::string text = Printable(std::string(ToString(trend.fault)) + "  " + trend.playbook +
                               (trend.inventory.empty() ? "" : " -i " + trend.inventory)) +
                     "\n  runs:     " + VerdictsText(trend) + "\n";
  if (trend.outage.n > 0) {
    text += "  outage:   n " + std::to_string(trend.outage.n) + ", median " +
            Ms(trend.outage.median) + " (95 %: " + Ms(trend.median_interval.low) + " to " +
            Ms(trend.median_interval.high) + "), p95 " + Ms(trend.outage.p95) + ", max " +
            Ms(trend.outage.max) + "\n";
    if (trend.predicted) {
      text += "  bound:    " + Ms(trend.predicted->least) + " to " + Ms(trend.predicted->most) +
              (trend.law ? ", uniform law: p = " + DecimalText(trend.law->p_value, 3) : "") + "\n";
    }
  }
  text += "  claim:    " + trend.strength.text + "; " + std::to_string(trend.passes_since_failure) +
          " passes in a row: at most " + DecimalText(trend.failure_bound * 100, 1) + " % fail\n";
  text += "  compared: " + trend.regression_text + "\n  drift:    " + trend.drift_text + "\n";
  if (trend.other_timers > 0) {
    text += "  left out: " + std::to_string(trend.other_timers) + " runs under other timers\n";
  }
  return text;
}

Json TrendJson(const DrillTrend& trend) {
  Json verdicts = Json::object();
  for (const auto& [kind, count] : trend.verdicts) verdicts[std::string(ToString(kind))] = count;
  Json one = {{"fault", ToString(trend.fault)},
              {"playbook", trend.playbook},
              {"inventory", trend.inventory},
              {"runs", trend.runs},
              {"verdicts", verdicts},
              {"passes_since_failure", trend.passes_since_failure},
              {"failure_bound", trend.failure_bound},
              {"n", trend.outage.n},
              {"min_ms", nullptr},
              {"median_ms", nullptr},
              {"p95_ms", nullptr},
              {"max_ms", nullptr},
              {"median_interval_ms", {trend.median_interval.low, trend.median_interval.high}},
              {"claim", trend.strength.text},
              {"claimed_quantile", nullptr},
              {"other_timers", trend.other_timers},
              {"law_p_value", nullptr},
              {"regression", {{"text", trend.regression_text}, {"is_worse", nullptr}}},
              {"drift", {{"text", trend.drift_text}, {"alarm", nullptr}}},
              {"outages_ms", OutagesOf(trend)}};
  if (trend.outage.n > 0) {
    one["min_ms"] = trend.outage.min;
    one["median_ms"] = trend.outage.median;
    one["p95_ms"] = trend.outage.p95;
    one["max_ms"] = trend.outage.max;
  }
  if (trend.strength.quantile) one["claimed_quantile"] = *trend.strength.quantile;
  if (trend.law) one["law_p_value"] = trend.law->p_value;
  if (trend.regression) one["regression"]["is_worse"] = trend.regression->is_worse;
  if (trend.drift) one["drift"]["alarm"] = trend.drift->alarm.has_value();
  return one;
}

Json DrillJson(const DrillRecord& drill) {
  Json measured = Json::object();
  for (const Measurement& one : drill.measured) {
    measured[std::string(ToString(one.quantity))] = {
        {"value", one.value}, {"uncertainty", one.uncertainty}, {"at_least", one.at_least}};
  }
  return {{"id", drill.id},
          {"fault", ToString(drill.fault)},
          {"playbook", drill.playbook},
          {"inventory", drill.inventory},
          {"target", drill.target},
          {"service", drill.service},
          {"trigger", drill.trigger},
          {"user", drill.user},
          {"control_host", drill.control_host},
          {"started", TimeText(drill.started_us / kMicroseconds)},
          {"verdict", ToString(drill.verdict)},
          {"reasons", drill.reasons},
          {"measured", measured},
          {"folder", drill.folder}};
}

Json VerificationJson(const VerificationRecord& one) {
  return {{"id", one.id},
          {"playbook", one.playbook},
          {"inventory", one.inventory},
          {"prober", one.prober},
          {"user", one.user},
          {"control_host", one.control_host},
          {"at", TimeText(one.at_us / kMicroseconds)},
          {"ok", one.ok()},
          {"connections", one.connections},
          {"failed", one.failed},
          {"findings", one.findings}};
}

}  // namespace

std::string VerdictsText(const DrillTrend& trend) {
  std::string text;
  for (const auto& [kind, count] : trend.verdicts) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(ToString(kind));
  }
  return text;
}

std::string HistoryText(const HistoryView& view, int columns, bool colours) {
  std::string text;
  if (view.trends.empty()) text = "No drill is remembered here.\n";
  if (!view.trends.empty()) {
    Table table({"FAULT", "RUNS", "LAST", "WHEN (UTC)", "N", "MEDIAN", "P95", "MAX", "TREND"});
    for (const DrillTrend& trend : view.trends) {
      const bool any = trend.outage.n > 0;
      const std::string last =
          trend.newest ? std::string(ToString(*trend.newest)) : std::string("-");
      table.Add({{std::string(ToString(trend.fault))},
                 {std::to_string(trend.runs)},
                 {last, ColourOf(trend.newest.value_or(VerdictKind::kInconclusive))},
                 {TimeText(trend.newest_us / kMicroseconds)},
                 {std::to_string(trend.outage.n)},
                 {any ? Ms(trend.outage.median) : "-"},
                 {any ? Ms(trend.outage.p95) : "-"},
                 {any ? Ms(trend.outage.max) : "-"},
                 {Sparkline(OutagesOf(trend), kSparkline)}});
    }
    text = table.Text(columns, colours);
  }
  for (const DrillTrend& trend : view.trends) text += "\n" + TrendLines(trend);
  const std::size_t count = view.verifications.size();
  if (count > 0) text += "\nVerifications: " + std::to_string(count) + "\n";
  for (std::size_t i = count > kShownVerifications ? count - kShownVerifications : 0; i < count;
       ++i) {
    const VerificationRecord& one = view.verifications[i];
    text += Printable("  " + TimeText(one.at_us / kMicroseconds) + "  " + one.playbook + "  " +
                      (one.ok() ? "nothing found"
                                : std::to_string(one.findings.size()) +
                                      " found, first: " + one.findings.front())) +
            "\n";
  }
  return text;
}

std::string HistoryJson(const HistoryView& view) {
  Json trends = Json::array();
  for (const DrillTrend& trend : view.trends) trends.push_back(TrendJson(trend));
  Json drills = Json::array();
  for (const DrillRecord& drill : view.drills) drills.push_back(DrillJson(drill));
  Json verifications = Json::array();
  for (const VerificationRecord& one : view.verifications) {
    verifications.push_back(VerificationJson(one));
  }
  return Dump(Json{{"trends", trends}, {"drills", drills}, {"verifications", verifications}}, 2) +
         "\n";
}

}  // namespace drover
