#include "orchestrator/run/drill_probes.h"

#include <algorithm>
#include <utility>

#include "orchestrator/drill/analysis.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ProbeTime kSecond = seconds(1);
// At most; a prober that is asked for fewer SYNs is spared the others as well.
constexpr std::uint32_t kPagesPerSecond = 20;
constexpr std::uint32_t kDefaultsPerSecond = 10;
constexpr std::uint32_t kControlsPerSecond = 20;
constexpr ProbeTime kPatience = seconds(20);
// Of the long-lived ones: how often each connection asks, and its share of them in quarters.
struct Activity {
  const char* name;
  ProbeTime every;
  std::uint32_t quarters;
};
constexpr Activity kActivities[] = {
    {"chatty", milliseconds(200), 1}, {"slow", seconds(1), 2}, {"idle", seconds(5), 1}};

ProbeRunSeries Page(std::string name, ProbeKind kind, const Endpoint& target, std::string path,
                    std::uint32_t per_second) {
  return {.name = std::move(name),
          .kind = kind,
          .target = target,
          .period = kSecond / per_second,
          .deadline = kSecond,
          .give_up = kind == ProbeKind::kConnect ? kSecond : kPatience,
          .path = std::move(path)};
}

}  // namespace

std::vector<ProbeRunSeries> SeriesFor(const DrillSetup& setup, const DrillRequest& request,
                                      const std::optional<Endpoint>& control) {
  std::vector<ProbeRunSeries> series = {{.name = "path",
                                         .kind = ProbeKind::kPath,
                                         .target = setup.endpoint,
                                         .period = kSecond / request.rate,
                                         .path = ""}};
  if (control) {
    series.push_back({.name = std::string(kControlSeries),
                      .kind = ProbeKind::kPath,
                      .target = *control,
                      .period = kSecond / std::min(kControlsPerSecond, request.rate),
                      .path = ""});
  }
  // Where the directors answer themselves, no connection outlives its director, whatever moves it.
  if (!setup.service) return series;
  series.push_back(Page("page", ProbeKind::kConnect, setup.endpoint, request.path,
                        std::min(kPagesPerSecond, request.rate)));
  series.push_back(Page("defaults", ProbeKind::kConnectDefaults, setup.endpoint, request.path,
                        std::min(kDefaultsPerSecond, std::max(1U, request.rate / 2))));
  for (const Activity& activity : kActivities) {
    const std::uint32_t count = request.connections * activity.quarters / 4;
    if (count == 0) continue;
    series.push_back({.name = activity.name,
                      .kind = ProbeKind::kLongLived,
                      .target = setup.endpoint,
                      .period = activity.every / count,
                      .deadline = kSecond,
                      .give_up = kPatience,
                      .connections = count,
                      .path = request.path});
  }
  return series;
}

ProbeTrial JudgeTrial(const std::vector<ProbeRunSeries>& series, const ProbeLog& log) {
  ProbeTrial trial;
  for (std::size_t i = 0; i < series.size() && i < log.header.series.size(); ++i) {
    const ProbeTally tally = TallyOf(log, i, ProbeTime::min(), ProbeTime::max());
    const bool clean = tally.sent() > 0 && tally.bad() == 0;
    // A long-lived one that asks seldom may not have asked yet.
    const bool silent = tally.sent() == 0 && series[i].kind == ProbeKind::kLongLived;
    if (clean || silent) {
      trial.kept.push_back(series[i]);
      continue;
    }
    const std::string count = std::to_string(tally.bad()) + " of " + std::to_string(tally.sent()) +
                              " probes of series " + series[i].name + " to " +
                              series[i].target.ToString() + " failed";
    if (series[i].kind == ProbeKind::kPath && series[i].name != kControlSeries) {
      trial.trouble = count;
    } else {
      trial.notes.push_back("not probed: " + series[i].name + " (" + count + " in the trial)");
    }
  }
  return trial;
}

ProbeFacts FactsOf(const std::vector<ProbeRunSeries>& series) {
  ProbeFacts facts;
  for (const ProbeRunSeries& one : series) {
    if (one.name == kControlSeries) continue;
    const double rate =
        static_cast<double>(kSecond.count()) / static_cast<double>(one.period.count());
    switch (one.kind) {
      case ProbeKind::kPath:
        facts.path_period = one.period;
        break;
      case ProbeKind::kConnect:
      case ProbeKind::kConnectDefaults:
        facts.connections_per_second += rate;
        break;
      case ProbeKind::kLongLived:
        facts.long_lived += one.connections;
        break;
    }
  }
  return facts;
}

std::vector<CourseSettings::Role> RolesOf(const std::vector<ProbeRunSeries>& series) {
  std::vector<CourseSettings::Role> roles;
  for (const ProbeRunSeries& one : series) {
    const bool control = one.name == kControlSeries;
    roles.push_back(control                        ? CourseSettings::Role::kControl
                    : one.kind == ProbeKind::kPath ? CourseSettings::Role::kGap
                                                   : CourseSettings::Role::kOther);
  }
  return roles;
}

}  // namespace drover
