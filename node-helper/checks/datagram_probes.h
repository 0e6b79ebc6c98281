// Probes of one datagram: udp and dns. The socket is connected, so that ICMP errors come back as
// failures.
//
// One thread: the one that runs the loop.
#pragma once

#include <memory>

#include "node-helper/checks/poller.h"
#include "node-helper/checks/probe.h"
#include "node-helper/checks/target.h"

namespace drover {

// `target.settings.kind` is UdpCheck or DnsCheck. `poller` must outlive it.
std::unique_ptr<Probe> MakeDatagramProbe(Poller& poller, const Target& target);

}  // namespace drover
