// `node-helper daemon`: what the service runs. Sets again what was recorded, tries again what
// failed, and stays for signals: TERM and INT end it, HUP makes it look again.
//
// A session's changes do not go through it, and it touches the kernel only while it holds the
// session lock: the two never work at the same time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "node-helper/converge/kernel.h"
#include "node-helper/store/store.h"
#include "protocol/result.h"

namespace drover {

// What the daemon is made of.
struct DaemonParts {
  std::string root;  // "" outside tests
  const Store* store = nullptr;
  std::function<Result<std::unique_ptr<Kernel>>()> open_kernel;
};

// Runs until a signal ends it; the exit code.
int RunDaemon(const DaemonParts& parts);

// Leaves the session and the terminal and runs in a process of its own, which logs to syslog or, on
// a node without, to /run/drover/daemon.log. Returns in the caller when the daemon is ready.
Status DetachDaemon(const DaemonParts& parts);

}  // namespace drover
