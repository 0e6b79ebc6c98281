#include "orchestrator/drill/ownership.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace drover {

std::vector<OwnerInterval> OwnersOf(std::vector<OwnerSighting> sightings, ProbeTime hold) {
  std::sort(sightings.begin(), sightings.end(),
            [](const OwnerSighting& a, const OwnerSighting& b) { return a.at < b.at; });
  std::vector<OwnerInterval> owners;
  std::map<MacAddress, std::size_t> open;
  for (const OwnerSighting& sighting : sightings) {
    const auto known = open.find(sighting.mac);
    if (known != open.end() && sighting.at - owners[known->second].to <= hold) {
      owners[known->second].to = sighting.at;
      continue;
    }
    open[sighting.mac] = owners.size();
    owners.push_back({sighting.mac, sighting.at, sighting.at});
  }
  std::sort(owners.begin(), owners.end(), [](const OwnerInterval& a, const OwnerInterval& b) {
    return std::tie(a.from, a.mac) < std::tie(b.from, b.mac);
  });
  return owners;
}

std::vector<TimeSpan> SharedSpans(const std::vector<OwnerInterval>& owners) {
  struct Step {
    ProbeTime at;
    bool begins;
    const MacAddress* mac;
  };
  std::vector<Step> steps;
  for (const OwnerInterval& owner : owners) {
    if (owner.from >= owner.to) continue;  // seen once: a moment adds nothing to a union
    steps.push_back({owner.from, true, &owner.mac});
    steps.push_back({owner.to, false, &owner.mac});
  }
  // Ends first: owners that only touch did not share.
  std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
    return std::tie(a.at, a.begins) < std::tie(b.at, b.begins);
  });
  std::map<MacAddress, int> present;  // a MAC's own intervals may overlap
  std::vector<TimeSpan> spans;
  for (const Step& step : steps) {
    const bool shared = present.size() >= 2;
    if (step.begins) {
      ++present[*step.mac];
    } else if (const auto owner = present.find(*step.mac);
               owner != present.end() && --owner->second == 0) {
      present.erase(owner);
    }
    if (shared) spans.back().to = step.at;
    const bool goes_on = !spans.empty() && spans.back().to == step.at;
    if (!shared && present.size() >= 2 && !goes_on) spans.push_back({step.at, step.at});
  }
  return spans;
}

ProbeTime DoubleOwnerTime(const std::vector<OwnerInterval>& owners) {
  const std::vector<TimeSpan> spans = SharedSpans(owners);
  return std::accumulate(
      spans.begin(), spans.end(), ProbeTime(0),
      [](ProbeTime sum, const TimeSpan& span) { return sum + (span.to - span.from); });
}

}  // namespace drover
