#include "orchestrator/drill/redundancy.h"

namespace drover {

std::optional<TimeToRedundancy> RedundancyAfter(const std::vector<RedundancySample>& samples,
                                                ProbeTime injection) {
  const RedundancySample* well = nullptr;  // the first of the looks at the end that were all well
  for (auto sample = samples.rbegin(); sample != samples.rend(); ++sample) {
    if (sample->at < injection) break;
    if (!sample->redundant()) {
      if (well == nullptr) return std::nullopt;
      return TimeToRedundancy{well->at - injection, well->at - sample->at};
    }
    well = &*sample;
  }
  if (well == nullptr) return std::nullopt;
  return TimeToRedundancy{};
}

}  // namespace drover
