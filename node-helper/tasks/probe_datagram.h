// One probe of a UDP service: a question from a port of its own, and the wait for its answer. Which
// question, and what counts as an answer, is what the service's own checks say.
//
// Blocks until its deadline at most. Nothing is sent twice: a datagram that is lost is a client
// that waits.
#pragma once

#include "node-helper/tasks/probe_connection.h"

namespace drover {

// As OpenProbeConnection; `service.question` is there.
ProbeAttempt AskByDatagram(const ProbeService& service, ReplyTap* tap, SourcePorts& ports,
                           std::chrono::steady_clock::time_point limit);

}  // namespace drover
