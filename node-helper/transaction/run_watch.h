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
  // What is new since the last look, in one sentence, or nothing. `kept`: the run of the last look
  // has left a generation.
  std::string Look(const std::optional<Pending>& pending, bool kept);
  // The run of the last look; its id is empty when none was pending.
  [[nodiscard]] RunInfo run() const { return last_ ? last_->run : RunInfo{}; }

 private:
  std::optional<Pending> last_;
};

}  // namespace drover
