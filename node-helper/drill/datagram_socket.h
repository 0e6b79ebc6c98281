// What sockets have in common on which many small packets come: those of probes, of their echoes,
// and of the watch of the wire.
//
// Only for the files of this folder.
#pragma once

#include "protocol/drill.h"

namespace drover {

// Room for what comes while the thread is late, as much as the system grants.
void EnlargeQueue(int fd);

// Binds to the source of the series, if it has one, and connects to its target at `port`. ICMP
// errors come with the packet that they are about (ReadQueuedError).
Status ConnectProbes(int fd, const ProbeRunSeries& settings, std::uint16_t port);

}  // namespace drover
