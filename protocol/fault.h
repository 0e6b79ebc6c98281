// The words of the faults that a drill can inject.
//
// Values only. What each does and should lead to is orchestrator/drill/fault.h's, injecting is
// node-helper/drill's.
#pragma once

#include <array>
#include <cstdint>
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
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::kReboot) + 1;

std::string_view ToString(Fault fault);  // "director-crash"
// kInvalid lists all words.
Result<Fault> ParseFault(std::string_view word);

}  // namespace drover
