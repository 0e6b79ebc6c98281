// The prober's role of a host: sends probes of all kinds at times that are fixed in advance,
// whatever becomes of them (open loop), and writes down each one's fate.
//
// RunProber holds one thread until it is done. Memory is bounded by the number of probes planned.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "node-helper/drill/stop_event.h"
#include "protocol/address.h"
#include "protocol/drill.h"
#include "protocol/probe_log.h"
#include "protocol/result.h"

namespace drover {

inline constexpr std::uint64_t kMaxPlannedProbes = 20'000'000;
inline constexpr std::uint32_t kMaxPopulation = 10'000;
inline constexpr ProbeTime kProgressEvery = std::chrono::milliseconds(100);

struct ProberSettings {
  std::string name;  // of the vantage point
  std::vector<ProbeRunSeries> series;
  ProbeTime duration = std::chrono::seconds(10);
  std::optional<Endpoint> markers;  // where other hosts' markers are taken
  // Source ports of kConnect, used in turn: no port comes again while ip_vs may remember it. Below
  // Linux's ephemeral range, so that nobody else's connections are met.
  std::uint16_t first_port = 16384;
  std::uint16_t last_port = 32767;
  // Of path probes by SYN, likewise.
  std::uint16_t first_syn_port = 2048;
  std::uint16_t last_syn_port = 16383;
  // 1 to 99: the thread has real-time priority while it runs, so that other load of this host does
  // not make it late (below the VRRP thread's). 0, or without the right to: as it is.
  int real_time_priority = 10;
  // Called in the prober's thread about ten times a second; must not wait.
  std::function<void(const ProbeProgress&)> progress;  // owners are left empty
};

struct ProberRun {
  ProbeLogHeader header;
  std::vector<std::uint8_t> log;  // protocol/probe_log.h
  std::vector<SeriesLag> lag;
  std::string void_reason;  // empty: the run was driven as planned
};

Status ValidateProber(const ProberSettings& settings);
// Ends when all probes are decided; after `stop` no new ones are sent.
Result<ProberRun> RunProber(const ProberSettings& settings, const StopEvent& stop);

}  // namespace drover
