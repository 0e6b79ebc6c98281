#include "orchestrator/rollout/run_end.h"

#include <algorithm>

namespace drover {

std::string_view ToString(HostEnd end) {
  switch (end) {
    case HostEnd::kUnchanged:
      return "unchanged";
    case HostEnd::kConfirmed:
      return "confirmed";
    case HostEnd::kKept:
      return "kept";
    case HostEnd::kReverted:
      return "reverted";
    case HostEnd::kGoesBack:
      return "goes back";
    case HostEnd::kLocked:
      return "locked";
    case HostEnd::kNotReached:
      return "not reached";
    case HostEnd::kNotAttempted:
      return "not attempted";
    case HostEnd::kRefused:
      return "refused";
  }
  return "";
}

std::size_t RunEnd::Count(HostEnd end) const {
  return static_cast<std::size_t>(std::count_if(
      hosts.begin(), hosts.end(), [&](const auto& host) { return host.second == end; }));
}

}  // namespace drover
