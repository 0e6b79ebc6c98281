// `node-helper daemon`: what the service runs. Keeps the node as it was recorded: addresses,
// sysctls, ip_vs services, VRRP instances, health checks. TERM and INT end it (it hands over
// first), HUP makes it read and try everything again.
//
// A session's changes do not go through it: a session takes its lock, records, changes the kernel
// and tells the daemon, which meanwhile touches only weights.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "node-helper/converge/kernel.h"
#include "node-helper/store/store.h"
#include "protocol/result.h"
#include "protocol/transaction.h"

namespace drover {

// What the daemon is made of.
struct DaemonParts {
  std::string root;     // "" outside tests
  std::string program;  // what an upgrade in place runs
  const Store* store = nullptr;
  std::function<Result<std::unique_ptr<Kernel>>()> open_kernel;
  // About runs that are not confirmed (node-helper/transaction); each may be empty.
  std::function<std::optional<LockHolder>()> run_holder;
  std::function<bool()> has_run;
  // Before anything is set: an overdue run's record is set back.
  std::function<Status()> hold_back_overdue_run;
  // Twice a second: sees to it that a pending run is guarded; what is to be told, if anything.
  std::function<std::string()> look_after_runs;
};

// Runs until a signal ends it; the exit code.
int RunDaemon(const DaemonParts& parts);

// Goes on where the process before an upgrade in place was; `fd` is what it left.
int ResumeDaemon(const DaemonParts& parts, int fd);

// Leaves the session and the terminal and runs in a process of its own, which logs to syslog or, on
// a node without, to /run/drover/daemon.log. A second process starts it anew when it crashes.
// Returns in the caller when the daemon is ready.
Status DetachDaemon(const DaemonParts& parts);

}  // namespace drover
