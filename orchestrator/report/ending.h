// How a run ended as a transaction, in words and as a value: what was confirmed, what went back,
// who is in the way, and which hosts are still to go back by themselves.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/rollout/run_end.h"
#include "orchestrator/source/value.h"

namespace drover {

// What the words need besides the end itself.
struct EndingFacts {
  std::string playbook;
  std::vector<std::string> inventories;
  std::string until;  // the moment at which hosts that hear nothing have gone back
};

// Lines with their newlines; empty when nothing was changed and nobody is in the way.
std::string EndingText(const RunEnd& end, const EndingFacts& facts);
// For the JSON document; null for a run that is no transaction.
Value EndingValue(const RunEnd& end);

// Seconds since 1970 as "12:30:05 UTC".
std::string ClockText(std::int64_t seconds);
// "drover unlock --id ID PLAYBOOK -i INVENTORY".
std::string UnlockCommand(const std::string& id, const EndingFacts& facts);

}  // namespace drover
