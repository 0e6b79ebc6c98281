// What a node remembers about one owner's desired state: a value and its JSON document.
//
// Pure. Where the document lies is store.h; how a run changes it is ownership.h.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "protocol/desired_state.h"
#include "protocol/program.h"
#include "protocol/result.h"

namespace drover {

// One owner's record. It is written before the kernel is changed, so it may name more than the
// kernel has, never less.
struct OwnerRecord {
  std::string owner;
  std::uint64_t generation = 0;  // of the last run that came to its end
  bool complete = false;         // false: a run changed it and has not come to its end
  std::int64_t saved_at = 0;     // seconds since 1970
  RunInfo run;                   // the last run that changed it
  DesiredState state;
  // Values of the sysctls before Drover first touched them; they go back to these.
  std::map<std::string, std::string> original_sysctls;
  // Addresses and services of `state` that were there before Drover came (NameOf of each): an
  // uninstall leaves them to whom they belonged.
  std::set<std::string> adopted;

  bool operator==(const OwnerRecord&) const = default;
};

std::string EncodeRecord(const OwnerRecord& record);
Result<OwnerRecord> DecodeRecord(std::string_view text);

}  // namespace drover
