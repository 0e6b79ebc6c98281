// Measures how much of the other directors' connections this one holds: looks at ip_vs's table,
// tells the others a sample of it and hears theirs (node-helper/sync/), over multicast UDP beside
// the sync daemons.
//
// One thread: the one that runs the loop. Takes less than a twentieth of a processor however long
// the table is, by looking more rarely.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/node_status.h"
#include "protocol/sync_daemon.h"

namespace boost::asio {
class io_context;
}

namespace drover {

class SyncMeter {
 public:
  // `loop` must outlive the meter. `table` is the kernel's file.
  explicit SyncMeter(boost::asio::io_context& loop, std::string table = "/proc/net/ip_vs_conn");
  ~SyncMeter();
  SyncMeter(const SyncMeter&) = delete;
  SyncMeter& operator=(const SyncMeter&) = delete;

  // The sync daemons of this node as they should be; with none the meter rests. A master daemon
  // makes it send to the daemon's group on the daemon's interface, a backup daemon makes it listen
  // (to one sync id only, if it has one). The same list again changes nothing.
  void Configure(const std::vector<SyncDaemon>& daemons);

  // Nothing while it rests. `roles` stay empty: what the kernel runs is not known here.
  [[nodiscard]] std::optional<SyncStatus> Status() const;
  // True when at least one peer is heard and of each one at least `threshold` (0 to 1) of the
  // settled connections is in this node's table. False while nothing is known: about the first 6 s
  // and when no peer tells.
  [[nodiscard]] bool Converged(double threshold = kHeldEnough) const;

  // What keeps it from sending, listening or looking now; empty: nothing.
  [[nodiscard]] std::string problem() const;
  // Datagrams that were no reports.
  [[nodiscard]] std::uint64_t refused() const;

  // Samples have 150 connections: one of them may have ended without a trace.
  static constexpr double kHeldEnough = 0.99;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with what waits in the loop
};

}  // namespace drover
