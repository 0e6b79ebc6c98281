// A TCP connection of a probe: opened without waiting, closed by reset.
//
// Only for the prober's own files. A reset leaves no TIME_WAIT that would use up this host's ports,
// and ip_vs forgets the connection after seconds instead of minutes.
#pragma once

#include "node-helper/drill/series_driver.h"
#include "node-helper/store/descriptor.h"

namespace drover {

// A connection on its way; `error` is the errno when it did not even begin.
struct OpeningConnection {
  Descriptor socket;
  std::uint16_t local_port = 0;
  int error = 0;
};
// `ports`: where the source port is taken from; null: the kernel chooses.
OpeningConnection OpenConnection(const ProbeRunSeries& settings, PortRing* ports);

// How far it is: nothing while it is on its way, 0 when it is open, else the errno.
std::optional<int> OpeningResult(int fd);

}  // namespace drover
