#include "orchestrator/history/record.h"

namespace drover {
namespace {

void Add(const VerifyReport& report, VerificationRecord& record) {
  for (const ServiceEvidence& service : report.services) {
    record.connections += service.connections;
    record.failed += service.failed;
  }
  for (const Finding& finding : report.findings) {
    const std::string host = finding.host.empty() ? "" : " " + finding.host;
    record.findings.push_back(finding.rule + host + ": " + finding.message);
  }
}

}  // namespace

std::optional<double> DrillRecord::Outage() const {
  for (const Measurement& one : measured) {
    if (one.quantity == Quantity::kOutage && !one.at_least) return one.value;
  }
  return std::nullopt;
}

DrillRecord RecordOf(const DrillJournal& journal, const std::string& folder) {
  DrillRecord record{.id = journal.id,
                     .fault = journal.prediction.fault,
                     .playbook = journal.playbook,
                     .inventory = journal.inventory,
                     .service = journal.service,
                     .target = journal.target,
                     .trigger = journal.trigger,
                     .user = journal.user,
                     .control_host = journal.control_host,
                     .drover_version = journal.drover_version,
                     .folder = folder,
                     .started_us = journal.started_us,
                     .finished_us = journal.finished_us,
                     .verdict = journal.verdict.kind,
                     .reasons = journal.verdict.reasons,
                     .measured = journal.measured};
  const Envelope* outage = journal.prediction.Find(Quantity::kOutage);
  if (outage != nullptr && outage->most) {
    record.predicted = PredictedOutage{outage->least, *outage->most, outage->least_is_law};
  }
  return record;
}

VerificationRecord RecordOf(const std::string& prober, const VerifyReport& report) {
  VerificationRecord record{.prober = prober};
  Add(report, record);
  return record;
}

VerificationRecord RecordOf(const Verification& verification) {
  VerificationRecord record;
  for (const ProbeReport& probe : verification.probes) {
    record.prober += (record.prober.empty() ? "" : " ") + probe.host;
    if (!probe.error.empty()) record.findings.push_back("probe " + probe.host + ": " + probe.error);
    Add(probe.report, record);
  }
  Add(verification.cluster, record);
  for (const auto& [host, why] : verification.unreachable) {
    record.findings.push_back("unreachable " + host + ": " + why);
  }
  return record;
}

}  // namespace drover
