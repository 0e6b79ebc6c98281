// Gathers the evidence for `verify` from this host: new connections to the services, who claims the
// VIPs by ARP or neighbour discovery, which MAC each peer has. It judges nothing.
//
// Blocks for as long as the probe takes; everything in it is bounded. Changes nothing on the node.
#pragma once

#include <functional>
#include <string>

#include "protocol/event.h"
#include "protocol/program.h"

namespace drover {

inline constexpr const char* kProbePortFile = "/run/drover/probe-port";

// What could not be looked at (no right to open packet sockets, a service that is not TCP, a probe
// cut short) is said in the message of a result that is otherwise ok. Ends early when `abandoned`
// says that nobody waits any more. `port_file` keeps how far local ports are used (source_ports.h).
TaskResult RunProbeTask(
    const Task& task, const ProbeTask& probe, const std::string& port_file = kProbePortFile,
    const std::function<bool()>& abandoned = [] { return false; });

}  // namespace drover
