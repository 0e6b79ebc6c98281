// How a run ended as a transaction: what each host was left as.
//
// Values only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "protocol/transaction.h"

namespace drover {

enum class HostEnd : std::uint8_t {
  kUnchanged,     // nothing was changed, the lock is gone
  kConfirmed,     // changed, and this is its new generation
  kKept,          // changed by a run without rollback, some of which failed
  kReverted,      // as it was before the run
  kGoesBack,      // may be changed and could not be told: it goes back by itself within the lease
  kLocked,        // was not changed, but could not be told that the run is over: locked so long
  kNotReached,    // no connection from the beginning
  kNotAttempted,  // its turn did not come
  kRefused,       // another run holds it
};
std::string_view ToString(HostEnd end);  // "unchanged", "confirmed", …

// Empty for runs that are no transaction.
struct RunEnd {
  bool transaction = false;
  std::uint64_t generation = 0;  // of the hosts that are confirmed
  std::string reason;            // why the run was taken back, refused or only confirmed in part
  std::map<std::string, HostEnd> hosts;
  std::map<std::string, LockHolder> holders;  // of the hosts that refused
  std::map<std::string, NodeGround> grounds;  // what hosts said at the beginning
  std::chrono::milliseconds lease{0};

  [[nodiscard]] std::size_t Count(HostEnd end) const;
};

}  // namespace drover
