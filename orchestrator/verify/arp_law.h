// Judges who claims the VIPs on the wire (ARP, and neighbour discovery for IPv6): exactly one MAC,
// and it is a director's.
//
// Pure.
#pragma once

#include "orchestrator/verify/expectation.h"
#include "orchestrator/verify/identity.h"
#include "orchestrator/verify/judge.h"

namespace drover {

// Adds one line per VIP to `report.arp`, what could not be asked to `report.notes`, and findings.
void JudgeArp(const VerifyExpectation& expectation, const std::vector<ArpAnswers>& answers,
              const MacDirectory& macs, VerifyReport& report);

}  // namespace drover
