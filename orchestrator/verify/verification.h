// Everything that one `drover verify` found, ready to be shown.
//
// Values only.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/verify/judge.h"

namespace drover {

// What one probe saw from its host.
struct ProbeReport {
  std::string host;
  std::string task;     // as the playbook calls it
  std::string error;    // why there is no evidence; empty: there is
  std::string message;  // what the probe could not look at
  VerifyReport report;
};

struct Verification {
  std::string playbook;
  std::string started;  // "2026-01-31T12:00:00Z"
  std::chrono::microseconds duration{0};
  std::vector<ProbeReport> probes;
  VerifyReport cluster;                            // what the hosts show of themselves
  std::map<std::string, std::string> unreachable;  // host, and why

  [[nodiscard]] std::size_t findings() const {
    std::size_t count = cluster.findings.size();
    for (const ProbeReport& probe : probes) count += probe.report.findings.size();
    return count;
  }
  [[nodiscard]] bool failed() const {
    for (const ProbeReport& probe : probes) {
      if (!probe.error.empty()) return true;
    }
    return findings() > 0;
  }
};

}  // namespace drover
