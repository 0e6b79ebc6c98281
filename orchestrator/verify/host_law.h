// Single hosts from inside: what a rollout would change there, and whether a real server keeps the
// VIPs to itself and sends its answers the right way.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/verify/cluster_evidence.h"
#include "orchestrator/verify/expectation.h"
#include "orchestrator/verify/judge.h"

namespace drover {

// Settings of net/ipv4/conf that JudgeHosts needs of every host (ObserveTask.interface_settings).
const std::vector<std::string>& InterfaceSettingsToLookAt();

// `clients`: addresses that the probes connected from.
void JudgeHosts(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
                const std::vector<IpAddress>& clients, VerifyReport& report);

}  // namespace drover
