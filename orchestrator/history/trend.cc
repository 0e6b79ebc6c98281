#include "orchestrator/history/trend.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace drover {
namespace {

constexpr std::size_t kBootstrapRounds = 2000;
constexpr std::uint64_t kBootstrapSeed = 20260131;  // the same samples give the same interval
constexpr double kLeastDeviation = 0.5;             // ms; below it the clock is what varies

bool IsJudged(const DrillRecord& record) {
  return record.verdict == VerdictKind::kPass || record.verdict == VerdictKind::kFail;
}

std::vector<double> OutagesOf(const std::vector<TrendPoint>& points) {
  std::vector<double> values;
  for (const TrendPoint& point : points) values.push_back(point.outage);
  return values;
}

void TakeVerdicts(const std::vector<const DrillRecord*>& records, DrillTrend& trend) {
  trend.runs = records.size();
  for (const DrillRecord* record : records) {
    ++trend.verdicts[record->verdict];
    if (record->verdict == VerdictKind::kPass) {
      ++trend.passes_since_failure;
    } else if (record->verdict != VerdictKind::kInconclusive) {
      trend.passes_since_failure = 0;
    }
  }
  trend.newest = records.back()->verdict;
  trend.newest_us = records.back()->started_us;
  trend.failure_bound = FailureBound(trend.passes_since_failure, kTrendConfidence);
}

void TakePoints(const std::vector<const DrillRecord*>& records, DrillTrend& trend) {
  std::vector<const DrillRecord*> measured;
  for (const DrillRecord* record : records) {
    if (IsJudged(*record) && record->Outage()) measured.push_back(record);
  }
  if (measured.empty()) return;
  trend.predicted = measured.back()->predicted;
  for (const DrillRecord* record : measured) {
    if (record->predicted != trend.predicted) {
      ++trend.other_timers;
      continue;
    }
    trend.points.push_back(
        {record->id, record->started_us, record->verdict, record->Outage().value_or(0)});
  }
}

void Regress(const std::vector<double>& values, DrillTrend& trend) {
  const std::size_t fresh = std::min(kFreshRuns, values.size() / 2);
  const std::size_t before = std::min(kBaselineRuns, values.size() - fresh);
  if (fresh < kLeastFresh || before < kLeastBaseline) {
    trend.regression_text = "too few runs to compare: " + std::to_string(values.size()) + " of " +
                            std::to_string(kLeastFresh + kLeastBaseline);
    return;
  }
  const auto middle = values.end() - static_cast<std::ptrdiff_t>(fresh);
  const Regression regression = CompareWithBaseline(
      {middle, values.end()}, {middle - static_cast<std::ptrdiff_t>(before), middle});
  trend.regression = regression;
  const std::string batch = "the newest " + std::to_string(fresh) + " against the " +
                            std::to_string(before) + " before them: ";
  const std::string effect = (regression.effect < 0 ? "-" : "+") +
                             QuantityText(Quantity::kOutage, std::abs(regression.effect)) +
                             " in the median";
  trend.regression_text = batch + (regression.is_worse ? "worse, " : "not worse, ") + effect;
}

void Drift(const std::vector<double>& values, DrillTrend& trend) {
  // Half of a short history, so that it says something early.
  const std::size_t reference = std::min(kBaselineRuns, values.size() / 2);
  if (reference < kLeastBaseline) {
    trend.drift_text = "too few runs to see a drift: " + std::to_string(values.size()) + " of " +
                       std::to_string(2 * kLeastBaseline);
    return;
  }
  const auto end = values.begin() + static_cast<std::ptrdiff_t>(reference);
  double mean = 0;
  for (auto value = values.begin(); value != end; ++value) mean += *value;
  mean /= static_cast<double>(reference);
  double squares = 0;
  for (auto value = values.begin(); value != end; ++value) squares += std::pow(*value - mean, 2);
  const double deviation = std::sqrt(squares / static_cast<double>(reference - 1));
  Cusum drift = CusumOf({end, values.end()},
                        {.mean = mean, .deviation = std::max(deviation, kLeastDeviation)});
  if (drift.alarm) {
    const std::size_t since = reference + drift.since.value_or(*drift.alarm);
    trend.drift_text = std::string(drift.upward ? "slower" : "faster") + " since run " +
                       std::to_string(since + 1) + " of " + std::to_string(values.size());
  } else {
    trend.drift_text = "none";
  }
  trend.drift = std::move(drift);
}

// Death falls anywhere inside an advert interval, so the outage follows the uniform law between the
// timers' bounds; the allowances for takeover and network are not part of it.
void HoldAgainstLaw(const std::vector<double>& values, DrillTrend& trend) {
  if (!trend.predicted || !trend.predicted->least_is_law || values.size() < kLeastForLaw) return;
  const double most = trend.predicted->most - (kTakeoverAllowance + kNetworkAllowance).count();
  if (most <= trend.predicted->least) return;
  trend.law = KsAgainstUniform(values, trend.predicted->least, most);
}

DrillTrend TrendOf(const std::vector<const DrillRecord*>& records) {
  const DrillRecord& newest = *records.back();
  DrillTrend trend{
      .fault = newest.fault, .playbook = newest.playbook, .inventory = newest.inventory};
  TakeVerdicts(records, trend);
  TakePoints(records, trend);
  const std::vector<double> values = OutagesOf(trend.points);
  trend.outage = Summarize(values);
  trend.median_interval =
      BootstrapMedian(values, kTrendConfidence, kBootstrapRounds, kBootstrapSeed);
  trend.strength = StrengthOf(values.size());
  HoldAgainstLaw(values, trend);
  Regress(values, trend);
  Drift(values, trend);
  return trend;
}

}  // namespace

std::vector<DrillTrend> TrendsOf(const std::vector<DrillRecord>& records) {
  std::map<std::tuple<Fault, std::string, std::string>, std::vector<const DrillRecord*>> groups;
  for (const DrillRecord& record : records) {
    groups[{record.fault, record.playbook, record.inventory}].push_back(&record);
  }
  std::vector<DrillTrend> trends;
  for (const auto& [key, group] : groups) trends.push_back(TrendOf(group));
  return trends;
}

std::string Sparkline(const std::vector<double>& values, std::size_t most) {
  constexpr std::array<const char*, 8> kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t first = values.size() > most ? values.size() - most : 0;
  if (first == values.size()) return "";
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
  const auto [least, greatest] = std::minmax_element(begin, values.end());
  const double range = *greatest - *least;
  std::string line;
  for (auto value = begin; value != values.end(); ++value) {
    const double share = range > 0 ? (*value - *least) / range : 0;
    line += kBars.at(static_cast<std::size_t>(std::lround(share * (kBars.size() - 1))));
  }
  return line;
}

}  // namespace drover
