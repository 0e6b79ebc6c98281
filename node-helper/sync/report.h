// What a director tells the others about its connection table: one datagram.
//
// Pure. Like the synchronisation of ip_vs itself it is not authenticated and belongs on a network
// that only directors share; a forged report can hold up a planned move for a while, nothing more.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "node-helper/sync/connection.h"
#include "protocol/result.h"

namespace drover {

// A sample of the settled connections (those that are old enough to have been synchronised) and the
// exact number of all entries.
struct TableReport {
  std::uint64_t node = 0;    // drawn by lot at the start, so that a node knows its own
  std::uint8_t sync_id = 0;  // as in SyncDaemon
  bool settled = false;      // false: looked at the table for too short a time to sample it
  std::chrono::milliseconds every{0};  // how often it comes about now
  ClassCounts counts;
  std::vector<std::uint64_t> sample;  // ascending, at most kMaxSample

  bool operator==(const TableReport&) const = default;
};

inline constexpr std::size_t kMaxSample = 150;
inline constexpr std::chrono::milliseconds kMaxReportPeriod{3'600'000};

// Big-endian: "DRVS", version 1, flags (bit 0: settled), sync id, 0; node (64 bits); period in ms
// (32); size of the sample (16), 0 (16); counts of kConnectionClasses (64 each); the sample (64
// each, strictly ascending). At most 1272 bytes, which pass every Ethernet in one piece.
std::vector<std::uint8_t> EncodeReport(const TableReport& report);
// kInvalid for everything else.
Result<TableReport> DecodeReport(std::span<const std::uint8_t> bytes);

}  // namespace drover
