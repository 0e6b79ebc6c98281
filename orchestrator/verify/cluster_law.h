// The directors from inside: who has the VIPs, whether their tables are equal and hold nothing that
// nobody asked for, and what the table makes of the playbook's services right now.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/verify/cluster_evidence.h"
#include "orchestrator/verify/expectation.h"
#include "orchestrator/verify/judge.h"

namespace drover {

// The one director that has the VIP on a network card; nothing when none or several have it.
std::optional<std::string> ActiveDirector(const VerifyExpectation& expectation,
                                          const ClusterEvidence& evidence, const IpAddress& vip);

// The expectation with the order of the active director's table, with the weights that checks and
// maintenance give now, and with the sorry server while it stands in. What differs from the
// playbook for no such reason stays as the playbook has it.
VerifyExpectation AsItIsNow(VerifyExpectation expectation, const ClusterEvidence& evidence);

// What the active directors' tables held before the probe, for the services of `now` (AsItIsNow).
std::vector<TableBefore> TablesBefore(const VerifyExpectation& now,
                                      const ClusterEvidence& evidence);

// Owners of the VIPs, services and real servers that are in no playbook, tables that differ.
void JudgeDirectors(const VerifyExpectation& expectation, const ClusterEvidence& evidence,
                    VerifyReport& report);

// Inventory name of a real server of these services; else its address.
std::string ServerName(const VerifyExpectation& expectation, const IpAddress& address);

// Marks that leave out what other directors send (PacketMark::except_from), against the MACs that a
// probe heard of these directors.
void JudgeExceptions(const ClusterEvidence& evidence, const std::vector<PeerMac>& peers,
                     VerifyReport& report);

}  // namespace drover
