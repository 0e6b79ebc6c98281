// The counters of ip_vs against what the probes saw: each connection went over the active director
// to the real server that answered it, none over a standby, and no answer came back that way.
//
// Pure. Counters are sums that the kernel refreshes every 2 s; who looks waits for it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/verify/cluster_evidence.h"
#include "orchestrator/verify/expectation.h"
#include "orchestrator/verify/judge.h"

namespace drover {

// What all probes of one service did together.
struct ProbedTraffic {
  std::uint32_t attempted = 0;
  std::uint32_t answered = 0;
  std::uint32_t uploads = 0;  // of those attempted: large requests
  std::map<std::string, std::uint32_t> by_server;
  bool all_known = true;  // who answered

  void Add(const ServiceEvidence& evidence);
};

// Connections of the service that the active director counted between the two looks; nothing when
// it could not be looked at twice.
std::optional<std::uint64_t> CountedConnections(const VerifyExpectation& expectation,
                                                const ClusterEvidence& evidence,
                                                const ExpectedService& service);

// `probed` by "tcp 10.0.0.100:80".
void JudgeCounters(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
                   const std::map<std::string, ProbedTraffic>& probed, VerifyReport& report);

}  // namespace drover
