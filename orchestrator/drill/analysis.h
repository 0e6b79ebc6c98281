// What the raw evidence of a drill says: measurements for the verdict, and everything that a report
// draws.
//
// The outage and bad probes are those of the worst path series; where nothing answers datagrams, of
// the worst series of bare connections (no page, short deadline), which are one packet and its
// answer as well. What the evidence does not show is not measured.
//
// Pure; the same code serves a drill and judging it again later.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/drill/generator.h"
#include "orchestrator/drill/journal.h"
#include "orchestrator/drill/outage.h"
#include "orchestrator/drill/ownership.h"
#include "orchestrator/drill/survival.h"
#include "orchestrator/drill/waterfall.h"

namespace drover {

// Name of the series that does not go by way of the cluster; it is measured by itself only.
inline constexpr std::string_view kControlSeries = "control";
// Name of the series of bare connections, which stands in for a path series.
inline constexpr std::string_view kConnectSeries = "connect";

// What became of one series.
struct SeriesAnalysis {
  ProbeSeries series;
  ProbeTally before;  // the injection
  ProbeTally during;  // from the injection on
  std::optional<Outage> outage;
  std::vector<BrownOut> brown_outs;
  ProbeTime time_to_clean{0};
  GeneratorLag lag;
  std::optional<Survival> survival;  // of long-lived ones
};

struct DrillAnalysis {
  ProbeTime length{0};  // of the log
  std::vector<SeriesAnalysis> series;
  std::vector<OwnerInterval> owners;  // of the VIP
  std::vector<TimeSpan> shared;       // where it had two
  std::vector<FrameSighting> frames;  // adverts and announcements of the capture, in order
  Waterfall waterfall;
  std::vector<Measurement> measured;  // for JudgeDrill
  std::vector<std::string> voids;     // why the prober could not drive the run
  bool control_clean = true;          // since the injection; also without a control series
};

// `capture` is a pcap and may be empty. kInvalid when it is none, or the log has no series.
Result<DrillAnalysis> Analyse(const DrillJournal& journal, const ProbeLog& log,
                              std::string_view capture);

}  // namespace drover
