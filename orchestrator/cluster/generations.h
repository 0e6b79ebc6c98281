// The generations of a group of hosts as one history: a number means one run over all hosts, though
// a run leaves a generation only where it changed something.
//
// The state of the group at N is, on each host, its newest generation that is not newer than N; a
// host whose first is newer had nothing then.
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "protocol/result.h"
#include "protocol/transaction.h"

namespace drover {

// By host, what each keeps.
using HostGenerations = std::map<std::string, GenerationList>;

struct GroupGeneration {
  std::uint64_t number = 0;
  std::int64_t saved_at = 0;  // the latest of its hosts, seconds since 1970
  RunInfo run;
  std::vector<std::string> current_on;
  std::vector<std::string> kept_on;
};

// The newest first.
std::vector<GroupGeneration> GroupHistory(const HostGenerations& hosts);
// What a rollback without a number goes to: the generation before the newest.
Result<std::uint64_t> PreviousGeneration(const HostGenerations& hosts);
// kNotFound says which numbers there are. Whether a host has dropped what it was at `number` is
// known to the host alone.
Status CheckRestore(const HostGenerations& hosts, std::uint64_t number);

}  // namespace drover
