// A made-up director-crash with all its evidence, as a cluster with an advert interval of one
// second would give it. For tests of reports.
#pragma once

#include "orchestrator/drill/analysis.h"

namespace drover {

struct SampleDrill {
  DrillJournal journal;
  ProbeLog log;
  DrillAnalysis analysis;
};

struct SampleWish {
  std::chrono::milliseconds outage{3100};
  bool residue = false;                 // and idle connections that are reset
  std::chrono::milliseconds shared{0};  // both directors own the VIP at the end of the outage
};

SampleDrill MakeSampleDrill(const SampleWish& wish = {});

}  // namespace drover
