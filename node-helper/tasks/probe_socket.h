// What probes by connections and by datagrams share: local ports in turn, waiting, and errors in
// words that every operator knows.
//
// No state; any thread.
#pragma once

#include <chrono>

#include "node-helper/tasks/source_ports.h"
#include "protocol/address.h"
#include "protocol/result.h"

namespace drover {

// Port 0 when the kernel does not say.
Endpoint LocalEnd(int fd);
// Some ports may be taken by others. When so many are, the kernel chooses.
void BindToNextPort(int fd, int family, SourcePorts& ports);
// They are counted and shown per service.
Error ConnectionError(int error_number);
// False at the deadline.
bool WaitFor(int fd, short events, std::chrono::steady_clock::time_point deadline);

}  // namespace drover
