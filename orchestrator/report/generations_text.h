// The history of a group of hosts as a table, who holds their locks, and both as JSON.
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/cluster/generations.h"

namespace drover {

// One line per generation, the newest first; of hosts only their count where it is all of them.
std::string GenerationsText(const HostGenerations& hosts, int columns, bool colours);
// One document with a newline: "generations", "locks", "errors".
std::string GenerationsJson(const HostGenerations& hosts,
                            const std::map<std::string, Error>& errors);

// "run 2026-… by alice from ctl (pid 7, "rollout"), since 2026-01-31 12:00:00, until 20 s from now,
// armed".
std::string HolderText(const LockHolder& holder);
// Each holder once, with the hosts that it holds.
std::string LocksText(const std::map<std::string, LockHolder>& holders);

// "2026-01-31 12:00:00" in UTC.
std::string TimeText(std::int64_t seconds);

}  // namespace drover
