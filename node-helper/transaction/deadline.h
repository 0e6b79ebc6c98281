// Until when a run has this node: renewed by each word of its orchestrator, by the clock that also
// runs while the machine sleeps and that nobody can set. It lies in /run: after a reboot there is
// none, and nobody can speak for a run whose node was cut off by a power failure.
//
// One writer at a time: the holder of the session lock.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "protocol/result.h"

namespace drover {

// The clocks of the node; tests give their own.
struct NodeClock {
  std::function<std::string()> boot_id;                   // another one after each boot
  std::function<std::chrono::milliseconds()> since_boot;  // CLOCK_BOOTTIME
  std::function<std::int64_t()> wall;                     // seconds since 1970

  static NodeClock OfThisNode();
};

// <run_directory>/deadline and <run_directory>/last_change
class DeadlineFile {
 public:
  DeadlineFile(std::string run_directory, NodeClock clock)
      : directory_(std::move(run_directory)), clock_(std::move(clock)) {}

  [[nodiscard]] Status Renew(const std::string& run_id, std::chrono::milliseconds lease) const;
  // What is left of it, 0 when it is over; nothing when there is none of this boot. `run_id` empty:
  // whoever's it is.
  [[nodiscard]] std::optional<std::chrono::milliseconds> Left(const std::string& run_id = "") const;
  [[nodiscard]] Status Remove() const;

  // When the run last changed something: a session that is to confirm must be younger.
  [[nodiscard]] Status NoteChange() const;
  // By the clock; nothing when no change of this boot was noted.
  [[nodiscard]] std::optional<std::chrono::milliseconds> LastChange() const;

  [[nodiscard]] const NodeClock& clock() const { return clock_; }

 private:
  [[nodiscard]] Status Write(const std::string& name, const std::string& run_id,
                             std::chrono::milliseconds at) const;
  [[nodiscard]] std::optional<std::chrono::milliseconds> Read(const std::string& name,
                                                              const std::string& run_id) const;

  std::string directory_;
  NodeClock clock_;
};

}  // namespace drover
