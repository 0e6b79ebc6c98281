// A drill while it runs, for people: what it is about, its gates, and its live line. Its outcome is
// drill_text's.
//
// Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/drill/journal.h"

namespace drover {

std::string DrillHead(Fault fault, const std::string& target, const std::string& service,
                      const std::string& prober, const std::string& peer, const std::string& id);
std::string GatesText(const std::vector<Gate>& gates, bool colours);
// "fault       3.2 s   0 of 3200 probes bad".
std::string LiveLine(std::string_view state, std::chrono::milliseconds spent, std::uint64_t bad,
                     std::uint64_t sent);
// "12:00:05.123" of the wall clock, UTC.
std::string ClockOfDay(std::int64_t wall_us);

}  // namespace drover
