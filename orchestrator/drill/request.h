// What somebody asks of a drill, on the command line or in a playbook.
//
// Values only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/fault.h"

namespace drover {

struct DrillRequest {
  Fault fault = Fault::kDirectorCrash;
  std::string target;   // host; empty: the master, or the first real server
  std::string service;  // "10.0.0.100:80"; empty: the first TCP service on a VIP
  std::string probe;    // "10.0.0.100:80", where no virtual service is; empty: port 80 of the VIP
  std::string path = "/";  // of the pages that the probes ask for
  std::string unit;    // real-server-stop; empty: the one that the playbook starts on the target
  std::string prober;  // host; empty: the first of the group `probes`, or the control host
  std::chrono::milliseconds duration{10000};
  double loss = 0.01;                    // vrrp-loss
  std::chrono::milliseconds delay{500};  // real-server-slow
  std::optional<std::chrono::milliseconds> max_outage;
  std::uint32_t rate = 1000;       // path probes per second
  std::uint32_t connections = 40;  // long-lived ones
  bool control_probe = true;
  bool may_cut_ssh = false;
  std::chrono::milliseconds settle{60000};    // since the last transition
  std::map<std::string, std::string> forced;  // red gates to go through, with the reason
  // Red gates may turn green meanwhile: behind a rollout the cluster has just moved.
  std::chrono::milliseconds gate_patience{0};
  std::vector<std::string> blackouts;  // days on which it must not be, "2026-12-20..2027-01-03"
  std::string trigger = "by hand";
};

inline constexpr std::chrono::milliseconds kLeastDrill{100};
inline constexpr std::chrono::milliseconds kLongestDrill{3600000};
inline constexpr std::uint32_t kMostProbeRate = 5000;
inline constexpr std::uint32_t kMostDrillConnections = 10000;

}  // namespace drover
