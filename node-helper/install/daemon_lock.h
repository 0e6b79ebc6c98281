// The file that says whether the helper's daemon runs, and as which process. The running daemon
// holds a lock on it, so a file that an earlier boot or a crash left says nothing wrong.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "node-helper/store/descriptor.h"
#include "protocol/result.h"

namespace drover {

// `root` is "" outside tests; the file is <root>/run/drover/daemon.pid.
std::string DaemonPidFile(const std::string& root);

// Process of the daemon that runs now; nothing when none does.
std::optional<pid_t> RunningDaemon(const std::string& root);

// Held by the daemon as long as it runs; kExists names the one that runs already.
Result<Descriptor> BecomeTheDaemon(const std::string& root);

// Asks it to end and waits; after `patience` it is killed. True when one ran.
Result<bool> StopDaemon(const std::string& root, std::chrono::milliseconds patience);

}  // namespace drover
