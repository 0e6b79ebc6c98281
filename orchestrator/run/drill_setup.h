// From a request to all that a drill needs to know: VIP, service, target, the fault's order, and
// the facts for the prediction.
//
// Pure: what the playbook says and what the nodes have answered come in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compile/compiled_run.h"
#include "orchestrator/drill/gates.h"
#include "orchestrator/drill/request.h"

namespace drover {

struct DrillSetup {
  IpAddress vip;
  Endpoint endpoint;                 // that is probed
  std::optional<SocketKey> service;  // of ip_vs; none: the directors serve by themselves
  DrilledRouter router;
  std::string target;
  VrrpInstance settings;  // of the master, as the playbook has them
  ClusterFacts facts;
  FaultOrder order;
  std::vector<std::string> nodes;  // that are locked and looked at
  bool sync = false;
};

// Faults whose target is a real server; others are about the master.
bool IsRealServerFault(Fault fault);
// Faults after which nothing may come by the way to the target any more.
bool CutsTheWay(Fault fault);

Result<DrillSetup> PlanDrill(const CompiledRun& run, const ClusterStatus& cluster,
                             const DrillRequest& request, const std::string& drill_id);

std::string ServiceText(const DrillSetup& setup);

}  // namespace drover
