// The laws that tell the real server of every single connection: hashing schedulers from the
// client's address and port, least-connection schedulers from the table before the probe; and the
// test of shares for the one that chooses at random.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/verify/distribution_law.h"
#include "orchestrator/verify/judge.h"

namespace drover {

// What came of holding such a law against the evidence.
struct Prediction {
  std::optional<Finding> finding;
  std::string law;   // "exact: mh, every connection predicted", or why it could not be judged
  std::string note;  // what the reader should know; may be empty
};

// sh, mh, dh. `result` has the address and the ports.
Prediction JudgeHashing(const ExpectedService& service, const ServiceEvidence& evidence,
                        const ProbeServiceResult& result);
// lc, wlc, sed, nq. Without a table only members are known.
Prediction JudgeLeast(const ExpectedService& service, const ServiceEvidence& evidence,
                      const TableBefore* table);
// twos.
Prediction JudgeShares(const ExpectedService& service, const ServiceEvidence& evidence);

}  // namespace drover
