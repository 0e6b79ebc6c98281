// The lock that keeps two runs on one node apart, with a note about who holds it. The kernel frees
// it when the process ends, however it ends.
//
// One thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "node-helper/store/descriptor.h"
#include "protocol/program.h"
#include "protocol/result.h"

namespace drover {

// Held as long as it lives.
class SessionLock {
 public:
  // Tries until `patience` is over or `give_up` says so; then kUnreachable names the holder and
  // since when.
  static Result<SessionLock> Take(const std::string& directory, const RunInfo& run,
                                  std::chrono::milliseconds patience,
                                  const std::function<bool()>& give_up);
  // As Take, but a session that does not give it up is asked to end (TERM), and ended when it does
  // not (KILL). For going back, when the run's own session hangs. `polite`: how long it may take
  // until then.
  static Result<SessionLock> TakeByForce(
      const std::string& directory, const RunInfo& run,
      std::chrono::milliseconds polite = std::chrono::milliseconds{300});
  // For a look of some milliseconds: takes it when it is free, and leaves no note. kUnreachable
  // when it is held.
  static Result<SessionLock> TakeBriefly(const std::string& directory);

 private:
  explicit SessionLock(Descriptor file) : file_(std::move(file)) {}

  Descriptor file_;
};

}  // namespace drover
