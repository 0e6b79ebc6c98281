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

// `root` is "" outside tests; the file is <root>/run/drover/daemon.pid. Its first line is the
// process that works, a second one the process that starts it anew when it crashes.
std::string DaemonPidFile(const std::string& root);

// Process of the daemon that runs now; nothing when none does.
std::optional<pid_t> RunningDaemon(const std::string& root);

// Held by the daemon as long as it runs; kExists names the one that runs already.
Result<Descriptor> BecomeTheDaemon(const std::string& root);
// Says in the file of `lock` who works for it now; 0: nobody supervises.
Status NameTheDaemon(const Descriptor& lock, pid_t worker, pid_t supervisor);

// Asks it to end and waits; after `patience` it is killed. True when one ran.
Result<bool> StopDaemon(const std::string& root, std::chrono::milliseconds patience);

}  // namespace drover
