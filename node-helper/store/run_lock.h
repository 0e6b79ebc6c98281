// The lock of a run over this node: unlike the session lock it outlives sessions, because a run has
// several of them. How long it counts is said by the deadline of the run (transaction/deadline.h):
// a run of which nothing is heard loses it.
//
// One writer at a time: the holder of the session lock; only Remove may be called by anybody who
// was told the id.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "protocol/result.h"
#include "protocol/transaction.h"

namespace drover {

// Who has the node.
struct RunLock {
  RunInfo run;
  std::int64_t since = 0;  // seconds since 1970
  std::chrono::milliseconds lease{0};
  bool revert = true;  // changes are taken back unless they are confirmed
  bool operator==(const RunLock&) const = default;
};

// <directory>/run_lock.json
class RunLockFile {
 public:
  explicit RunLockFile(const std::string& directory) : path_(directory + "/run_lock.json") {}

  [[nodiscard]] Result<std::optional<RunLock>> Load() const;
  [[nodiscard]] Status Save(const RunLock& lock) const;
  [[nodiscard]] Status Remove() const;

 private:
  std::string path_;
};

// "this node is locked by the run of ann on ctl (rollout site.yml, pid 123) since 2026-01-01
// 10:00:00 UTC, until 2026-01-01 10:00:30 UTC unless it is heard of; …": with the line that takes
// the lock away. `now` in seconds since 1970.
std::string LockedText(const LockHolder& holder, std::int64_t now);

// "2026-01-01 10:00:00 UTC"
std::string UtcText(std::int64_t seconds);

}  // namespace drover
