// A session that also tells what goes over the wire (--debug wire), redacted.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "orchestrator/run/host_worker.h"

namespace drover {

// `line` is called from the hosts' threads with the host, '>' (sent) or '<' (received), and the
// line.
SessionOpener WithWire(
    SessionOpener open,
    std::function<void(const std::string& host, char way, const std::string& line)> line);

}  // namespace drover
