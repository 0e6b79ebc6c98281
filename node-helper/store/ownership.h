// How a run changes what a node remembers: which resources an owner takes, keeps and lets go, and
// who else has them.
//
// Pure. Nothing is sent to the kernel and nothing is written here.
#pragma once

#include <string>
#include <vector>

#include "node-helper/store/record.h"
#include "protocol/desired_state.h"
#include "protocol/result.h"

namespace drover {

// The record with `wanted` taken into it; to be stored before the kernel is changed. `observed` is
// what the node has at this moment. kInvalid when one of `others` holds a resource with another
// value.
Result<OwnerRecord> Claim(OwnerRecord record, const DesiredState& wanted,
                          const DesiredState& observed, const std::vector<OwnerRecord>& others);

// The record at the end of a run: what `whole` does not name has gone from it. It is complete and
// one generation further, unless it was all that before. `number` is the generation's in its group,
// taken when it is newer than the record's; 0: the next.
OwnerRecord Conclude(OwnerRecord record, const DesiredState& whole, std::uint64_t number = 0);
// The number that follows the record's: `number`, or the next when that is not newer.
std::uint64_t NextGeneration(const OwnerRecord& record, std::uint64_t number);

// The part of the record that no other owner holds as well: only this may be removed for it.
DesiredState HeldAlone(const OwnerRecord& record, const std::vector<OwnerRecord>& others);

// The part of the record that was on the node before Drover came (addresses, services, sync
// daemons, parts of the path).
DesiredState Adopted(const OwnerRecord& record);

// Same content, whoever stored it and when.
bool SameContent(const OwnerRecord& left, const OwnerRecord& right);

}  // namespace drover
