// What many drills of one fault on one cluster say together: how often it passed, how long the
// outage was, whether that is enough for a claim, and whether it gets worse.
//
// Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/drill/statistics.h"
#include "orchestrator/history/record.h"

namespace drover {

// The newest runs are held against those before them.
inline constexpr std::size_t kFreshRuns = 10;
inline constexpr std::size_t kLeastFresh = 5;
inline constexpr std::size_t kLeastBaseline = 10;
inline constexpr std::size_t kLeastForLaw = 20;
inline constexpr double kTrendConfidence = 0.95;

struct TrendPoint {
  std::string id;
  std::int64_t started_us = 0;
  VerdictKind verdict = VerdictKind::kPass;
  double outage = 0;  // ms
};

struct DrillTrend {
  Fault fault = Fault::kDirectorCrash;
  std::string playbook;
  std::string inventory;
  std::size_t runs = 0;  // all of them
  std::map<VerdictKind, std::size_t> verdicts;
  std::optional<VerdictKind> newest;
  std::int64_t newest_us = 0;
  std::size_t passes_since_failure = 0;
  double failure_bound = 1;  // of the probability to fail, at 95 %, by those passes

  // Runs that passed or failed, measured an outage, and predicted the same as the newest of them:
  // others were driven under other timers.
  std::vector<TrendPoint> points;
  std::size_t other_timers = 0;  // that are left out for it
  std::optional<PredictedOutage> predicted;
  SampleSummary outage;  // ms
  Interval median_interval;
  ClaimStrength strength;
  std::optional<KsResult> law;           // against the uniform law of a crash
  std::optional<Regression> regression;  // none: too few
  std::string regression_text;
  std::optional<Cusum> drift;  // over what came after the first kBaselineRuns; none: too few
  std::string drift_text;
};

// One per fault, playbook and inventory, in the order of the faults. `records` the oldest first.
std::vector<DrillTrend> TrendsOf(const std::vector<DrillRecord>& records);

// "▁▂▅▁█": each value between the least and the greatest; at most the newest `most` ones.
std::string Sparkline(const std::vector<double>& values, std::size_t most);

}  // namespace drover
