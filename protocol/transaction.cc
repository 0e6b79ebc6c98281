#include "protocol/transaction.h"

namespace drover {

std::string Summary(const LockHolder& holder) {
  const RunInfo& run = holder.run;
  const std::string who = "the run of " + run.user + " on " + run.control_host + " (" +
                          (run.command.empty() ? run.owner : run.command) + ")";
  const std::string in =
      std::to_string(std::chrono::ceil<std::chrono::seconds>(holder.expires_in).count()) + " s";
  if (holder.armed) return who + " changes it: goes back in " + in + " unless it is confirmed";
  return who + " has it locked, for " + in + " unless it is heard of";
}

}  // namespace drover
