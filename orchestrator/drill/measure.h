// Each quantity of a prediction, measured from a drill's evidence.
//
// Pure; only for analysis.cc.
#pragma once

#include "orchestrator/drill/analysis.h"
#include "orchestrator/drill/capture.h"

namespace drover {

// Everything that measurements are made of; `analysis` has its series, owners and shared spans.
struct DrillEvidence {
  const DrillJournal& journal;
  const ProbeLog& log;
  const CaptureSeen& capture;
  const DrillAnalysis& analysis;
  ProbeTime injection{0};
  MacAddress old_director{};  // who advertised until the injection; zero: nobody was heard
};

// A marker may come in a little behind the first packet that was lost.
inline constexpr ProbeTime kMarkerSlack = std::chrono::milliseconds(5);
// How often a prober asks who has the VIP, and how long an answer stands for: some questions may be
// lost.
inline constexpr ProbeTime kOwnerPeriod = std::chrono::milliseconds(100);
inline constexpr ProbeTime kOwnerHold = std::chrono::milliseconds(300);

// Who sends an advert. A virtual MAC is the same on all directors; their addresses are not.
MacAddress SpeakerOf(const AdvertSeen& advert);
// Of the instance under test, in order.
std::vector<AdvertSeen> AdvertsOf(const DrillJournal& journal, const CaptureSeen& capture);
// The series that the outage is measured by: path, else bare connections; indices.
std::vector<std::size_t> GapSeries(const ProbeLog& log);

std::vector<Measurement> MeasureDrill(const DrillEvidence& evidence);

}  // namespace drover
