// One drill from its first look at the nodes to its verdict: locks, gates, prediction, probes,
// fault, undo, evidence.
//
// Called from one thread, once per object.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "orchestrator/drill/analysis.h"
#include "orchestrator/drill/request.h"
#include "orchestrator/run/command_line.h"
#include "orchestrator/run/drill_hosts.h"
#include "orchestrator/run/prepare.h"

namespace drover {

// What a drill shows while it runs.
struct DrillScreen {
  std::function<void(const std::string& text)> say;  // whole lines, for people
  // A line that takes the place of the one before; empty: it goes away.
  std::function<void(const std::string& line)> live;
  std::function<bool(const std::string& question)> ask;  // whether to inject; none: yes
};

struct DrillEnd {
  int status = 0;                       // for the shell
  std::optional<DrillJournal> journal;  // none: it did not come to a verdict
  DrillAnalysis analysis;
  std::string folder;  // of the evidence; empty: none was kept
  bool thread_left_behind = false;
};

// "20261121-120000-director-crash-1a2b".
std::string NewDrillId(Fault fault);

DrillEnd RunDrill(const Prepared& prepared, const CommandLine& line, const DrillRequest& request,
                  const DrillScreen& screen);

}  // namespace drover
