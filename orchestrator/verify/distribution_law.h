// The laws of the schedulers that can be checked from one client: how new connections must fall on
// the real servers. Where a law is exact it is held exactly; where it is not, the text says why.
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/verify/expectation.h"
#include "orchestrator/verify/judge.h"

namespace drover {

enum class LawKind {
  kTurns,       // rr, wrr: a fixed cycle, each server with its share of every round
  kOneServer,   // persistence: all connections of one client
  kHashed,      // sh, mh, dh: told by the client's address and port
  kLeast,       // lc, wlc, sed, nq: told by the table before
  kHeaviest,    // fo, ovf: all on the server with the highest weight
  kShares,      // twos: at random, tested by shares
  kMembership,  // anything else: only that nobody outside the table answers
  kNobody,      // every weight is 0
};

struct Law {
  LawKind kind = LawKind::kMembership;
  std::string text;  // "exact: rr", or why the distribution is not judged
};

// Whether prediction_law.h judges it.
bool IsPredicted(LawKind kind);
Law LawOf(const ExpectedService& service);

// How many turns of one round each server has (rr: 1, wrr: weight by the common divisor); servers
// without weight are left out, servers that stand in the table with several ports add up.
std::map<std::string, std::uint32_t> TurnsPerRound(const ExpectedService& service);

// Which server each turn of a round belongs to, as far as the sequence shows it; unanswered turns
// are unknown and fit anything. Nothing when the sequence is no repetition of one round.
std::optional<std::vector<std::string>> RoundOf(const std::vector<std::string>& sequence,
                                                const std::map<std::string, std::uint32_t>& turns);

// The finding about `evidence`, whose answers are all known by name; nothing when the law holds.
std::optional<Finding> JudgeDistribution(const ExpectedService& service, const Law& law,
                                         const ServiceEvidence& evidence);

}  // namespace drover
