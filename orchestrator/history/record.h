// What the history keeps of a drill and of a verification: enough for trends, and where the
// evidence lies.
//
// Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/drill/journal.h"
#include "orchestrator/verify/verification.h"

namespace drover {

// The outage that was predicted.
struct PredictedOutage {
  double least = 0;  // ms
  double most = 0;   // ms
  bool least_is_law = false;
  bool operator==(const PredictedOutage&) const = default;
};

struct DrillRecord {
  std::string id;
  Fault fault = Fault::kDirectorCrash;
  std::string playbook;
  std::string inventory;
  std::string service;
  std::string target;
  std::string trigger;
  std::string user;
  std::string control_host;
  std::string drover_version;
  std::string folder;            // of the evidence
  std::int64_t started_us = 0;   // since 1970
  std::int64_t finished_us = 0;  // 0: not known
  VerdictKind verdict = VerdictKind::kInconclusive;
  std::vector<std::string> reasons;
  std::vector<Measurement> measured;
  std::optional<PredictedOutage> predicted;  // none: the fault predicts no bound of an outage

  // Milliseconds; none when it was not measured to its end.
  [[nodiscard]] std::optional<double> Outage() const;
  bool operator==(const DrillRecord&) const = default;
};
DrillRecord RecordOf(const DrillJournal& journal, const std::string& folder);

struct VerificationRecord {
  std::string id;  // of the run, and the host that probed
  std::string playbook;
  std::string inventory;
  std::string prober;  // several: parted by blanks
  std::string user;
  std::string control_host;
  std::int64_t at_us = 0;  // since 1970
  std::uint64_t connections = 0;
  std::uint64_t failed = 0;
  std::vector<std::string> findings;  // "rule host: message"

  [[nodiscard]] bool ok() const { return findings.empty(); }
  bool operator==(const VerificationRecord&) const = default;
};
// Fill what was found, and where from; who and when is the caller's.
VerificationRecord RecordOf(const std::string& prober, const VerifyReport& report);
VerificationRecord RecordOf(const Verification& verification);

}  // namespace drover
