#include "protocol/fault.h"

#include <algorithm>
#include <string>

namespace drover {
namespace {

// In the order of the enum.
constexpr std::array<std::string_view, kFaults> kWords = {
    "director-crash",
    "helper-kill",
    "helper-freeze",
    "director-isolated",
    "link-down",
    "vrrp-split",
    "vrrp-loss",
    "sync-cut",
    "handover",
    "failback",
    "real-server-stop",
    "real-server-hang",
    "real-server-slow",
    "real-server-5xx",
    "real-server-isolated",
    "vip-lost",
    "rules-cleared",
    "arp-misconfigured",
    "disk-full",
    "cpu-starved",
    "clock-jump",
    "reboot",
};

}  // namespace

std::string_view ToString(Fault fault) { return kWords.at(static_cast<std::size_t>(fault)); }

Result<Fault> ParseFault(std::string_view word) {
  const auto* found = std::find(kWords.begin(), kWords.end(), word);
  if (found != kWords.end()) return static_cast<Fault>(found - kWords.begin());
  std::string words;
  for (const std::string_view known : kWords) {
    words += (words.empty() ? "" : ", ") + std::string(known);
  }
  return Fail(ErrorCode::kInvalid, "\"" + std::string(word) + "\" is no fault (" + words + ")");
}

}  // namespace drover
