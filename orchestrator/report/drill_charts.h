// The drawings of a drill's report: who owned the VIP, what became of requests, latencies, the
// phases of the failover, a measurement beside its prediction. All on one axis: seconds since the
// injection.
//
// Pure.
#pragma once

#include <map>
#include <string>

#include "orchestrator/drill/analysis.h"
#include "orchestrator/report/svg.h"

namespace drover {

// What a drawing is made of. All must outlive it.
struct DrillPicture {
  const DrillJournal& journal;
  const DrillAnalysis& analysis;
  const ProbeLog& log;
};

// The host with this MAC, or the MAC itself.
std::string OwnerName(const DrillJournal& journal, const MacAddress& mac);
// "310 ms", "3.12 s".
std::string SpanText(ProbeTime span);

std::string OwnersChart(const DrillPicture& picture, ChartSize size);
// One row per series, each bar the shares of one span of time.
std::string OutcomesChart(const DrillPicture& picture, ChartSize size);
// Percentiles of the answers per 100 ms, on a logarithmic scale, of one series.
std::string LatencyChart(const DrillPicture& picture, std::size_t series, ChartSize size);
std::string WaterfallChart(const Waterfall& waterfall, ChartSize size);
// A bar of what was predicted, with the measurement on it.
std::string ComparisonBar(const Comparison& comparison);

}  // namespace drover
