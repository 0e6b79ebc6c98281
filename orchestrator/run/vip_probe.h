// Sees from here which virtual services take TCP connections. Before the first change of a run and
// behind it, so that a run that takes a service away is noticed by the one who gave it.
//
// Blocks; called from a thread of the loop.
#pragma once

#include <atomic>
#include <set>

#include "orchestrator/rollout/run_events.h"

namespace drover {

// Those of `wanted` that answered. Once asked, or with `patient` again and again for a few seconds;
// less when `abandoned`.
std::set<SocketKey> ProbeFromHere(const ProbeVips& wanted, const std::atomic<bool>& abandoned);

}  // namespace drover
