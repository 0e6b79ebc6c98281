// Tells systemd how the daemon is: ready, alive (its watchdog). Without systemd nothing happens.
#pragma once

#include <chrono>
#include <string>

namespace drover {

// sd_notify(3): one datagram to $NOTIFY_SOCKET.
void NotifyInit(const std::string& text);

// How often WATCHDOG=1 is wanted (half of $WATCHDOG_USEC); 0: not at all.
std::chrono::milliseconds WatchdogInterval();

}  // namespace drover
