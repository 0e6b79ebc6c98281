// The daemon's numbers in Prometheus' text format (version 0.0.4), and the little HTTP that a
// scraper speaks.
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "protocol/node_status.h"

namespace drover {

// What is not in the status.
struct ProcessNumbers {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  double loop_lag_seconds = 0;  // the worst of the last minute
  double look_seconds = 0;      // what the last look at the kernel took
  std::uint64_t events_lost = 0;
  std::map<std::string, std::uint64_t> probes;  // CheckEngine::Counters
};

std::string MetricsText(const NodeStatus& status, const ProcessNumbers& process);

// Of this process, from /proc/self/stat's line; nothing when it is not understood.
struct CpuAndMemory {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
};
std::optional<CpuAndMemory> ParseProcStat(const std::string& line, long ticks_per_second,
                                          long page_bytes);

// What a request to the metrics socket asks for.
enum class MetricsRequest : std::uint8_t { kIncomplete, kMetrics, kOther, kBad };
// Takes a whole head from the front of `received`.
MetricsRequest TakeHttpRequest(std::string& received);
// A whole response that ends the connection.
std::string HttpResponse(int status, const std::string& content_type, const std::string& body);

}  // namespace drover
