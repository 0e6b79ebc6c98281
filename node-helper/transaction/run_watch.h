// How the daemon looks after pending runs: a run that nobody guards gets a guard, and what becomes
// of a run is told for the event log.
//
// One thread.
#pragma once

#include <optional>
#include <string>

#include "node-helper/transaction/pending.h"

namespace drover {

// Pure: from one look to the next.
class RunWatch {
 public:
  // What is new since the last look, in one sentence, or nothing. `newest_run`: whose generation is
  // the newest of the pending run's owner (asked for when the run is pending no longer).
  std::string Look(const std::optional<Pending>& pending, const std::string& newest_run);
  // The owner of the run of the last look; empty: none was pending.
  [[nodiscard]] std::string owner() const { return last_ ? last_->run.owner : ""; }

 private:
  std::optional<Pending> last_;
};

}  // namespace drover
