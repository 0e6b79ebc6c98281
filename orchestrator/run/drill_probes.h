// The probes of a drill: which series run, which of them a short trial leaves, and what each is to
// the course.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/drill/course.h"
#include "orchestrator/run/drill_setup.h"
#include "protocol/probe_log.h"

namespace drover {

// All that could be of use: bare SYNs for the gap; where ip_vs serves, pages over new connections
// and over long-lived ones; and a control series to `control`, which no director forwards.
std::vector<ProbeRunSeries> SeriesFor(const DrillSetup& setup, const DrillRequest& request,
                                      const std::optional<Endpoint>& control);

// What a trial has shown.
struct ProbeTrial {
  std::vector<ProbeRunSeries> kept;
  std::vector<std::string> notes;  // what is not probed, and why
  std::string trouble;             // why nothing can be measured; empty: the service answers
};
ProbeTrial JudgeTrial(const std::vector<ProbeRunSeries>& series, const ProbeLog& log);

ProbeFacts FactsOf(const std::vector<ProbeRunSeries>& series);
std::vector<CourseSettings::Role> RolesOf(const std::vector<ProbeRunSeries>& series);

}  // namespace drover
