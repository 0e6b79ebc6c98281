// The daemon's one event loop: brings signals, requests, netlink's news, the speaker's events and
// the time to the core (core.h), and gives numbers to scrapers.
//
// Runs in the thread that calls it; the speaker and the event log have threads of their own.
#pragma once

#include <optional>

#include "node-helper/daemon/daemon.h"
#include "node-helper/daemon/log.h"
#include "node-helper/daemon/upgrade.h"
#include "node-helper/tasks/stop_signals.h"

namespace drover {

// How this process came to be.
struct LoopStart {
  int lock_fd = -1;  // of daemon_lock; the caller keeps it open
  bool detached = false;
  std::optional<Inheritance> inheritance;  // after an upgrade in place
  std::function<void()> ready;             // called once everything has been taken up
};

// Runs until a signal ends it.
Status RunDaemonLoop(const DaemonParts& parts, StopSignals& signals, const DaemonLog& log,
                     const LoopStart& start);

}  // namespace drover
