// Who owned a VIP, and for how long two did at once. Made from the frames of a capture in which
// somebody answered for the VIP or announced it.
//
//   Double-owner time = union of intervals with >= 2 MACs answering or announcing the VIP.
//
// Pure. One VIP at a time; one clock.
#pragma once

#include <vector>

#include "protocol/probe_log.h"

namespace drover {

// A frame in which `mac` claimed the VIP: an answer to "who has", or an announcement.
struct OwnerSighting {
  ProbeTime at{0};
  MacAddress mac{};
};

// From the first to the last sighting of an uninterrupted ownership.
struct OwnerInterval {
  MacAddress mac{};
  ProbeTime from{0};
  ProbeTime to{0};
  bool operator==(const OwnerInterval&) const = default;
};

// Sightings of one MAC belong together when no more than `hold` lies between them: the time between
// two questions, and some for the answer. By beginning, then MAC.
std::vector<OwnerInterval> OwnersOf(std::vector<OwnerSighting> sightings, ProbeTime hold);

struct TimeSpan {
  ProbeTime from{0};
  ProbeTime to{0};
  bool operator==(const TimeSpan&) const = default;
};

// Where two MACs or more owned the VIP, ascending and apart.
std::vector<TimeSpan> SharedSpans(const std::vector<OwnerInterval>& owners);
ProbeTime DoubleOwnerTime(const std::vector<OwnerInterval>& owners);

}  // namespace drover
