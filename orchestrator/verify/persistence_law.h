// How long ip_vs remembers a client of a persistent service, and whether it forgets it then.
//
// Pure.
#pragma once

#include <chrono>
#include <vector>

#include "orchestrator/verify/connection_law.h"

namespace drover {

// How long a probe must wait after its last connection until the client is forgotten; 0 where that
// is not waited for: a service without persistence, one that remembers for longer than `longest`,
// or one over UDP, whose connections ip_vs keeps for minutes.
std::chrono::milliseconds OutlastOf(const ExpectedService& service,
                                    std::chrono::milliseconds longest);

// The connection behind that wait, in `later`: the client has moved on. `table` may be null.
Check JudgePersistenceEnd(const ServiceCase& probed, const std::vector<Answerer>& later,
                          const TableBefore* table);

}  // namespace drover
