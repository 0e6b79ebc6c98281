// Judges single connections of one service: no answer, error pages, answers of somebody who should
// not answer or that came a wrong way. Equal cases become one finding with their number.
//
// Pure.
#pragma once

#include <vector>

#include "orchestrator/verify/distribution_law.h"
#include "orchestrator/verify/expectation.h"
#include "orchestrator/verify/identity.h"
#include "orchestrator/verify/judge.h"

namespace drover {

// One probed service with all that is known about its answers; `answerers` has one entry per
// connection of `result`.
struct ServiceCase {
  const ExpectedService& service;
  const ProbeServiceResult& result;
  const std::vector<Answerer>& answerers;
  const ServiceEvidence& evidence;
  Law law;
};

// Connections without an answer, and whom they were for as far as the turns tell it.
std::vector<Finding> JudgeFailures(const ServiceCase& probed);
// HTTP answers outside 200 to 399, by server and status.
std::vector<Finding> JudgeHttpStatus(const ServiceCase& probed);
// Answers by servers without weight. With persistence they may be right and become a note.
std::vector<Finding> JudgeWeightZero(const ServiceCase& probed, std::vector<std::string>& notes);
// Answers that came from, or by way of, somebody who was not expected.
std::vector<Finding> JudgeOddities(const ServiceCase& probed);

// Answers that a router has touched although they came from the real server's own card.
std::vector<Finding> JudgeTimeToLive(const ServiceCase& probed);
// Requests of full segments; `notes` says where a server did not take them.
std::vector<Finding> JudgeUploads(const ServiceCase& probed, const std::vector<Answerer>& answerers,
                                  std::vector<std::string>& notes);

}  // namespace drover
