// The catalogue of faults that a drill can inject: their words, what each does, and what a healthy
// cluster makes of it.
//
// Values only. What exactly should be measured is prediction.h's, injecting is the helper's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/result.h"

namespace drover {

enum class Fault : std::uint8_t {
  kDirectorCrash,
  kHelperKill,
  kHelperFreeze,
  kDirectorIsolated,
  kLinkDown,
  kVrrpSplit,
  kVrrpLoss,
  kSyncCut,
  kHandover,
  kFailback,
  kRealServerStop,
  kRealServerHang,
  kRealServerSlow,
  kRealServer5xx,
  kRealServerIsolated,
  kVipLost,
  kRulesCleared,
  kArpMisconfigured,
  kDiskFull,
  kCpuStarved,
  kClockJump,
  kReboot,
};

struct FaultText {
  Fault fault;
  std::string_view word;    // "director-crash"
  std::string_view what;    // it does, as half a sentence
  std::string_view should;  // happen
};

// In the order of the enum.
std::span<const FaultText> FaultCatalogue();
const FaultText& TextOf(Fault fault);
std::string_view ToString(Fault fault);
// kInvalid lists all words.
Result<Fault> ParseFault(std::string_view word);

}  // namespace drover
